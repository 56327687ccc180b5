import { Input } from 'antd'
import { type ReactNode, useId } from 'react'
import './where.css'

/** A labelled field; give the control the id it is called with. */
export function Field({ label, hint, children }: { label: string; hint?: ReactNode; children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint && <small>{hint}</small>}
    </div>
  )
}

interface TextProps {
  label: string
  hint?: ReactNode
  value: string
  set: (value: string) => void
  placeholder?: string
  autoFocus?: boolean
  autoComplete?: string
  type?: 'text' | 'email' | 'password'
  mono?: boolean
}

export function TextField({ label, hint, value, set, type = 'text', mono, autoComplete = 'off', ...more }: TextProps) {
  const Control = type === 'password' ? Input.Password : Input
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <Control
          id={id}
          value={value}
          autoComplete={autoComplete}
          {...(type === 'email' ? { type } : {})}
          {...(mono ? { className: 'mono' } : {})}
          {...more}
          onChange={(event) => set(event.target.value)}
        />
      )}
    </Field>
  )
}
