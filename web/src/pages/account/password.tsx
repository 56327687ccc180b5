import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { meQuery } from '../../api/queries'
import { Act } from '../../parts/act'
import { TextField } from '../../parts/field'

const LEAST = 12

export function ChangePassword() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [again, setAgain] = useState('')
  const forget = (): void => {
    setCurrent('')
    setNext('')
    setAgain('')
  }
  const other = again !== '' && again !== next
  return (
    <Act
      label={t('account:change_password')}
      verb="password"
      says={t('account:change_password_says')}
      onPutOff={forget}
      ready={current !== '' && [...next].length >= LEAST && next === again}
      perform={async () => {
        await api.POST('/api/v1/me/password', { body: { current, new: next } })
        forget()
        await client.invalidateQueries({ queryKey: meQuery.queryKey })
        await client.invalidateQueries({ queryKey: ['people', 'sessions'] })
      }}
      done={t('account:password_changed')}
    >
      <TextField label={t('account:current_password')} type="password" autoComplete="current-password" value={current} set={setCurrent} autoFocus />
      <TextField label={t('account:new_password')} hint={t('account:new_password_hint', { count: LEAST })} type="password" autoComplete="new-password" value={next} set={setNext} />
      <TextField
        label={t('account:again')}
        hint={other ? <span role="alert">{t('account:again_differs')}</span> : undefined}
        type="password"
        autoComplete="new-password"
        value={again}
        set={setAgain}
      />
    </Act>
  )
}
