import { SafetyCertificateOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Button } from 'antd'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { meQuery } from '../../api/queries'
import type { Me, SecondFactorSecret } from '../../api/schema'
import { Act } from '../../parts/act'
import { TextField } from '../../parts/field'
import { Mark } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Sheet } from '../../parts/page'
import { Trouble } from '../../parts/trouble'
import { QrCode } from './qr'

/** So few recovery codes are a reason to make new ones. */
const FEW = 3

export function SecondFactor({ me }: { me: Me }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [secret, setSecret] = useState<SecondFactorSecret>()
  const [codes, setCodes] = useState<string[]>()
  // It stops being needed as soon as it is there; one is led on only after the codes were taken.
  const [led] = useState(me.second_factor_needed)
  const [fault, setFault] = useState<unknown>()
  const [busy, setBusy] = useState(false)

  const begin = async (): Promise<void> => {
    setBusy(true)
    setFault(undefined)
    try {
      setSecret(await got(api.POST('/api/v1/me/second-factor')))
    } catch (error) {
      setFault(error)
    } finally {
      setBusy(false)
    }
  }
  const done = async (): Promise<void> => {
    await client.fetchQuery({ ...meQuery, staleTime: 0 })
    setCodes(undefined)
    setSecret(undefined)
    if (led) await navigate({ to: '/' })
  }

  if (codes)
    return (
      <Sheet title={t('account:codes')}>
        <Mark tone="good">{t('account:factor_there')}</Mark>
        <p>{t('account:codes_says')}</p>
        <Copyable label={t('account:codes')} text={codes.join('\n')} save={`tradewind-recovery-codes-${me.name}.txt`} />
        <Button type="primary" onClick={() => void done()}>
          {led ? t('account:codes_on') : t('account:codes_have')}
        </Button>
      </Sheet>
    )
  if (secret) return <Confirm secret={secret} confirmed={setCodes} again={begin} cancel={led ? undefined : () => setSecret(undefined)} />
  return (
    <Sheet title={t('account:factor')}>
      {fault !== undefined && <Trouble error={fault} />}
      {me.user?.second_factor ? (
        <>
          <p>
            <Mark tone="good" icon={<SafetyCertificateOutlined />}>
              {t('account:factor_on')}
            </Mark>
          </p>
          <p className="soft">
            {t('account:codes_left', { count: me.recovery_codes_left ?? 0 })}
            {(me.recovery_codes_left ?? 0) <= FEW && ` ${t('account:codes_short')}`}
          </p>
          <Remove />
        </>
      ) : (
        <>
          <p>{me.second_factor_needed ? t('account:factor_needed_says') : t('account:factor_off_says')}</p>
          <Button type="primary" icon={<SafetyCertificateOutlined />} loading={busy} onClick={() => void begin()}>
            {t('account:factor_set_up')}
          </Button>
        </>
      )}
    </Sheet>
  )
}

interface ConfirmProps {
  secret: SecondFactorSecret
  confirmed: (codes: string[]) => void
  again: () => Promise<void>
  cancel: (() => void) | undefined
}

function Confirm({ secret, confirmed, again, cancel }: ConfirmProps) {
  const { t } = useTranslation()
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  const [fault, setFault] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(undefined)
    try {
      const body = { ticket: secret.ticket, code: code.replaceAll(' ', ''), password }
      confirmed((await got(api.POST('/api/v1/me/second-factor/confirm', { body }))).codes)
    } catch (error) {
      setFault(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Sheet title={t('account:factor_set_up')}>
      <ol className="factor-steps">
        <li>
          {t('account:step_scan')}
          <div className="factor-show">
            <QrCode text={secret.uri} label={t('account:qr')} />
            <div>
              <p className="soft">{t('account:step_type')}</p>
              <Copyable label={t('account:secret')} text={secret.secret} shown={secret.secret.replace(/(.{4})(?=.)/g, '$1 ')} />
              <a href={secret.uri}>{t('account:open_app')}</a>
            </div>
          </div>
        </li>
        <li>
          {t('account:step_confirm')}
          <form className="factor-form" onSubmit={(event) => void submit(event)}>
            <TextField label={t('account:code')} value={code} set={setCode} autoComplete="one-time-code" mono autoFocus placeholder="000000" />
            <TextField label={t('account:password')} type="password" autoComplete="current-password" value={password} set={setPassword} />
            <Button type="primary" htmlType="submit" loading={busy} disabled={code.trim() === '' || password === ''}>
              {t('account:confirm')}
            </Button>
          </form>
        </li>
      </ol>
      {fault !== undefined && <Trouble error={fault} />}
      <p className="soft factor-late">
        {t('account:step_late')}{' '}
        <Button size="small" onClick={() => void again()}>
          {t('account:step_again')}
        </Button>{' '}
        {cancel && (
          <Button size="small" onClick={cancel}>
            {t('account:cancel')}
          </Button>
        )}
      </p>
    </Sheet>
  )
}

function Remove() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  return (
    <Act
      label={t('account:factor_remove')}
      danger
      ready={code.trim() !== '' && password !== ''}
      says={t('account:factor_remove_says')}
      onPutOff={() => setPassword('')}
      perform={async () => {
        await api.POST('/api/v1/me/second-factor/remove', { body: { code: code.replaceAll(' ', ''), password } })
        setCode('')
        setPassword('')
        await client.invalidateQueries({ queryKey: meQuery.queryKey })
      }}
      done={t('account:factor_removed')}
    >
      <TextField label={t('account:code')} hint={t('account:code_hint')} value={code} set={setCode} autoComplete="one-time-code" mono autoFocus />
      <TextField label={t('account:password')} type="password" autoComplete="current-password" value={password} set={setPassword} />
    </Act>
  )
}
