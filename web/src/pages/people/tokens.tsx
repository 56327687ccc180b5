import { KeyOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Radio, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { meQuery } from '../../api/queries'
import type { NewToken, Scope, Token } from '../../api/schema'
import { Act } from '../../parts/act'
import { Field, TextField } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Mark } from '../../parts/marks'
import { Copyable, ShownOnce } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, useNow, When } from '../../parts/time'
import { useMay } from '../../parts/may'
import { WhereFields } from '../../parts/where'
import { type Where, whereShort, whereWords } from '../../parts/where-words'
import { tokensQuery, usersQuery } from './queries'
import './people.css'

const DAY_S = 86_400
const LIVES = [7, 30, 90, 365] as const
/** So long before its end a token is marked. */
const SOON_MS = 14 * DAY_S * 1000

/** One's own, or everybody's for who keeps access. */
export function Tokens({ own = false }: { own?: boolean }) {
  const { t } = useTranslation()
  const may = useMay()
  const tokens = useQuery(tokensQuery)
  const { data: me } = useQuery(meQuery)
  const mine = me?.user?.handle
  return (
    <Sheet title={own ? t('people:own_tokens') : t('people:tokens')} extra={<div className="sheet-do"><NewOne own={own} mine={mine} keeps={may('access')} /></div>}>
      <p className="soft">{t('people:tokens_says')}</p>
      <Loaded of={tokens}>
        {(all) => {
          const items = own ? all.filter((token) => token.owner === mine) : all
          if (items.length === 0) return <Nothing title={t('people:no_tokens')}>{t('people:no_tokens_yet')}</Nothing>
          return (
            <Rows
              label={t('people:tokens')}
              items={items}
              id={(token) => token.id}
              columns={[
                { head: t('people:token_name'), wide: true, cell: (token) => <><strong>{token.name}</strong><div className="soft">{t('people:token_made')} <When at={token.created_at} /></div></> },
                ...(own ? [] : [{ head: t('people:whose'), cell: (token: Token) => token.owner ?? <span className="soft">{t('people:machine_owner')}</span> }]),
                { head: t('people:scope'), cell: (token) => <>{token.scopes.map((scope) => t(`people:scope_name.${scope}`)).join(', ')}<div className="soft">{whereShort(t, token)}</div></> },
                { head: t('people:last_use'), cell: (token) => (token.last_used_at ? <When at={token.last_used_at} /> : <span className="soft">{t('people:never_used')}</span>) },
                { head: t('people:ends'), cell: (token) => <Ends at={token.expires_at} /> },
                { head: t('people:do'), acts: true, cell: (token) => <Revoke token={token} /> },
              ]}
            />
          )
        }}
      </Loaded>
    </Sheet>
  )
}

function Ends({ at }: { at: string | null | undefined }) {
  const { t } = useTranslation()
  const now = useNow()
  if (!at) return <Mark tone="warn">{t('people:no_end')}</Mark>
  return Date.parse(at) - now < SOON_MS ? <Mark tone="warn">{exact(at)}</Mark> : <>{exact(at)}</>
}

function Revoke({ token }: { token: Token }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  return (
    <Act
      label={t('people:revoke')}
      quiet size="small"
      danger
      reason="welcome"
      says={t('people:revoke_says', { name: token.name })}
      perform={async (reason) => {
        await api.DELETE('/api/v1/tokens/{token}', { params: { path: { token: token.id }, query: reason ? { reason } : {} } })
        await client.invalidateQueries({ queryKey: tokensQuery.queryKey })
      }}
      done={t('people:revoked', { name: token.name })}
    />
  )
}

function NewOne({ own, mine, keeps }: { own: boolean; mine: string | undefined; keeps: boolean }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { data: users = [] } = useQuery({ ...usersQuery, enabled: keeps && !own })
  const machines = users.filter((user) => user.kind === 'service' && !user.disabled_at)
  const [name, setName] = useState('')
  const [owner, setOwner] = useState('')
  const [scope, setScope] = useState<Scope>('deploy')
  const [days, setDays] = useState<number>(90)
  const [where, setWhere] = useState<Where>({})
  const [made, setMade] = useState<NewToken>()
  return (
    <>
      <Act
        label={t('people:new_token')}
        verb="token"
        icon={<KeyOutlined />}
        primary={!own}
        ready={name.trim() !== ''}
        says={t('people:new_token_says')}
        perform={async () => {
          const { service = null, env = null, site = null } = where
          const body = { name: name.trim(), scopes: [scope], expires_in_s: days * DAY_S, owner: owner || null, service, env, site }
          setMade(await got(api.POST('/api/v1/tokens', { body })))
          setName('')
          await client.invalidateQueries({ queryKey: tokensQuery.queryKey })
        }}
      >
        <TextField label={t('people:token_name')} hint={t('people:token_name_hint')} value={name} set={setName} autoFocus />
        <div className="fields">
          {keeps && !own && (
            <Field label={t('people:whose')} hint={machines.length === 0 ? t('people:no_machines') : undefined}>
              {(id) => (
                <Select
                  id={id}
                  value={owner}
                  style={{ width: '100%' }}
                  options={[{ value: '', label: t('people:mine', { who: mine ?? '' }) }, ...machines.map((m) => ({ value: m.handle, label: m.handle }))]}
                  onChange={setOwner}
                />
              )}
            </Field>
          )}
          <Field label={t('people:lives')}>
            {(id) => (
              <Select
                id={id}
                value={days}
                style={{ width: '100%' }}
                options={LIVES.map((n) => ({ value: n as number, label: t('people:days', { count: n }) }))}
                onChange={setDays}
              />
            )}
          </Field>
        </div>
        <div className="field">
          <span className="label">{t('people:scope')}</span>
          <Radio.Group
            value={scope}
            onChange={(event) => setScope(event.target.value as Scope)}
            options={(['read', 'deploy', 'admin'] as const).map((value) => ({ value, label: t(`people:scope_name.${value}`) }))}
          />
          <small>{t(`people:scope_says.${scope}`)}</small>
        </div>
        <WhereFields value={where} set={setWhere} />
        <p className="allows">{t('people:token_reach', { where: whereWords(t, where) })}</p>
      </Act>
      <ShownOnce title={t('people:token_there', { name: made?.name ?? '' })} open={made !== undefined} close={() => setMade(undefined)}>
        {made && (
          <>
            <p>{t('people:token_shown_once')}</p>
            <Copyable label={t('people:secret')} text={made.token} />
          </>
        )}
      </ShownOnce>
    </>
  )
}
