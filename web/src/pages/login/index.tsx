import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got, rememberCsrf } from '../../api/client'
import { within } from './back'
import { Card, Fault, Field } from './card'
import { asksSecondFactor } from './second'

export function Login() {
  const { t } = useTranslation()
  const { to } = useSearch({ from: '/login' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const [asksCode, setAsksCode] = useState(false)
  const [fault, setFault] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const code = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (asksCode) code.current?.focus()
  }, [asksCode])

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const said = new FormData(event.currentTarget)
    const text = (name: string): string => String(said.get(name) ?? '').trim()
    setBusy(true)
    setFault(undefined)
    try {
      const body = { handle: text('handle'), password: String(said.get('password') ?? ''), ...(asksCode && { code: text('code') }) }
      const opened = await got(api.POST('/api/v1/session', { body }))
      rememberCsrf(opened.csrf)
      client.clear()
      await navigate({ href: opened.second_factor_needed ? '/account' : within(to), replace: true })
    } catch (error) {
      if (asksSecondFactor(error) && !asksCode) setAsksCode(true)
      else setFault(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Card title={t('login:title')}>
      <form onSubmit={submit}>
        <Fault error={fault} />
        <Field name="handle" label={t('login:handle')} autoComplete="username" autoFocus required />
        <Field name="password" label={t('login:password')} type="password" autoComplete="current-password" required />
        {asksCode && (
          <Field
            name="code"
            label={t('login:code')}
            hint={t('login:code_hint')}
            autoComplete="one-time-code"
            inputMode="text"
            required
            ref={code}
          />
        )}
        <button className="plain-button main" type="submit" disabled={busy} style={{ width: '100%' }}>
          {busy ? t('login:busy') : t('login:go')}
        </button>
      </form>
      <p style={{ margin: '1rem 0 0', color: 'var(--ink-soft)' }}>{t('login:first')} <code>tradewind console</code></p>
    </Card>
  )
}
