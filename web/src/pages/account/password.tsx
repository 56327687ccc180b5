import { useQuery, useQueryClient } from '@tanstack/react-query'
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
  const { data: me } = useQuery(meQuery)
  // Who came by a link may have none yet.
  const isFirst = me?.has_password === false
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
      label={t(isFirst ? 'account:choose_password' : 'account:change_password')}
      verb="password"
      says={t('account:change_password_says')}
      onPutOff={forget}
      ready={(isFirst || current !== '') && [...next].length >= LEAST && next === again}
      perform={async () => {
        await api.POST('/api/v1/me/password', { body: { current, new: next } })
        forget()
        await client.invalidateQueries({ queryKey: meQuery.queryKey })
        await client.invalidateQueries({ queryKey: ['people', 'sessions'] })
      }}
      done={t(isFirst ? 'account:password_chosen' : 'account:password_changed')}
    >
      {!isFirst && <TextField label={t('account:current_password')} type="password" autoComplete="current-password" value={current} set={setCurrent} autoFocus />}
      <TextField
        label={t('account:new_password')}
        hint={t('account:new_password_hint', { count: LEAST })}
        type="password"
        autoComplete="new-password"
        value={next}
        set={setNext}
        autoFocus={isFirst}
      />
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
