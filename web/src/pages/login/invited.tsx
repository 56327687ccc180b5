import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Card, Fault, Field } from './card'

/** The code comes behind `#`, which no server sees. */
export function Invited() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [fault, setFault] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const said = new FormData(event.currentTarget)
    const text = (name: string): string => String(said.get(name) ?? '')
    setBusy(true)
    setFault(undefined)
    try {
      const body = { code: text('code').trim(), email: text('email').trim(), password: text('password') }
      await got(api.POST('/api/v1/invitations/accept', { body }))
      await navigate({ to: '/login' })
    } catch (error) {
      setFault(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Card title={t('login:invited')}>
      <form onSubmit={submit}>
        <Fault error={fault} />
        <Field name="code" label={t('login:invited_code')} defaultValue={location.hash.slice(1)} autoComplete="off" required />
        <Field name="email" label={t('login:email')} type="email" autoComplete="email" required />
        <Field
          name="password"
          label={t('login:new_password')}
          hint={t('login:new_password_hint')}
          type="password"
          autoComplete="new-password"
          minLength={12}
          required
        />
        <button className="plain-button main" type="submit" disabled={busy} style={{ width: '100%' }}>
          {t('login:accept')}
        </button>
      </form>
    </Card>
  )
}
