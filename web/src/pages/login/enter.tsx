import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got, rememberCsrf } from '../../api/client'
import { Waiting } from '../../app/plain'
import { within } from './back'
import { Card, Fault, Field } from './card'
import { asksSecondFactor } from './second'

/** The code stands behind `#`, which no server sees, and works once. */
export function Enter() {
  const { t } = useTranslation()
  const { to } = useSearch({ from: '/enter' })
  const navigate = useNavigate()
  const client = useQueryClient()
  const [fault, setFault] = useState<unknown>()
  const [asksCode, setAsksCode] = useState(false)
  const [code] = useState(() => location.hash.slice(1))
  const begun = useRef(false)

  const enter = useCallback(
    async (secondFactor?: string): Promise<void> => {
      setFault(undefined)
      try {
        const body = { code, ...(secondFactor !== undefined && { second_factor: secondFactor }) }
        const opened = await got(api.POST('/api/v1/session/enter', { body }))
        rememberCsrf(opened.csrf)
        client.clear()
        await navigate({ href: opened.second_factor_needed ? '/account' : within(to), replace: true })
      } catch (error) {
        if (asksSecondFactor(error) && secondFactor === undefined) setAsksCode(true)
        else setFault(error)
      }
    },
    [code, client, navigate, to],
  )
  useEffect(() => {
    if (!code || begun.current) return
    begun.current = true
    // Out of the address, so that it is in no history.
    history.replaceState(history.state, '', location.pathname + location.search)
    void enter()
  }, [code, enter])

  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    void enter(String(new FormData(event.currentTarget).get('code') ?? '').trim())
  }
  if (code && !fault && !asksCode) return <Waiting />
  return (
    <Card title={t('login:title')}>
      <Fault error={fault} />
      {asksCode ? (
        <form onSubmit={submit}>
          <Field name="code" label={t('login:code')} hint={t('login:code_hint')} autoComplete="one-time-code" autoFocus required />
          <button className="plain-button main" type="submit" style={{ width: '100%' }}>
            {t('login:go')}
          </button>
        </form>
      ) : (
        !code && (
          <div className="plain-fault" role="alert">
            <strong>{t('login:no_code')}</strong>
            {t('login:no_code_fix')}
          </div>
        )
      )}
      <p style={{ margin: '1rem 0 0' }}>
        <a href="/login">{t('login:with_password')}</a>
      </p>
    </Card>
  )
}
