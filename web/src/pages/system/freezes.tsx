import { PauseCircleOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Input, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { freezesQuery } from '../../api/queries'
import type { Freeze } from '../../api/schema'
import { Act } from '../../parts/act'
import { Field } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, span, useNow, When } from '../../parts/time'
import { liftVerb, useUnfreeze } from '../../parts/unfreeze'
import { WhereFields } from '../../parts/where'
import { type Where, whereShort, whereWords } from '../../parts/where-words'

const HOUR_S = 3_600
const LENGTHS = [1, 4, 12, 24, 72] as const

export function Freezes({ may }: { may: boolean }) {
  const { t } = useTranslation()
  const freezes = useQuery(freezesQuery)
  return (
    <Sheet
      title={t('system:freezes')}
      extra={
        <div className="sheet-do">
          <Link to="/events" search={{ kind: 'freeze.' }}>
            {t('system:earlier')}
          </Link>
          {may && <SetFreeze />}
        </div>
      }
    >
      <p className="soft">{t('system:freezes_says')}</p>
      <Loaded of={freezes}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing title={t('system:no_freezes')}>{may ? t('system:no_freezes_yet') : t('system:no_freezes_who')}</Nothing>
          ) : (
            <Rows
              label={t('system:freezes')}
              items={items}
              id={(one) => one.id}
              columns={[
                { head: t('system:covers'), cell: (one) => <strong>{one.service || one.env ? whereShort(t, one) : t('system:everything')}</strong> },
                { head: t('system:why'), wide: true, cell: (one) => one.reason },
                { head: t('system:by'), cell: (one) => one.by },
                { head: t('system:since'), cell: (one) => <When at={one.since} /> },
                { head: t('system:until'), cell: (one) => <Until at={one.until} /> },
                { head: t('system:do'), acts: true, cell: (one) => may && <Lift freeze={one} /> },
              ]}
            />
          )
        }
      </Loaded>
    </Sheet>
  )
}

function Until({ at }: { at: string | null | undefined }) {
  const { t } = useTranslation()
  const now = useNow()
  if (!at) return <>{t('system:until_lifted')}</>
  const left = Date.parse(at) - now
  return (
    <>
      {exact(at)}
      {left > 0 && <div className="soft">{t('system:in', { span: span(left) })}</div>}
    </>
  )
}

function Lift({ freeze }: { freeze: Freeze }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const anew = (): Promise<void> => client.invalidateQueries({ queryKey: ['freezes'] })
  const { service = null, env = null, until = null } = freeze
  return (
    <Act
      label={t('system:lift')}
      {...liftVerb(t, freeze)}
      size="small"
      reason="needed"
      says={t('system:lift_says', { where: whereWords(t, freeze), by: freeze.by, reason: freeze.reason })}
      perform={async (reason) => {
        await api.POST('/api/v1/freezes/{freeze}/lift', { params: { path: { freeze: freeze.id } }, body: { reason } })
        await anew()
      }}
      done={t('system:lifted')}
      undo={async () => {
        await api.POST('/api/v1/freezes', { body: { reason: freeze.reason, service, env, until, all: !service && !env } })
        await anew()
      }}
    />
  )
}

function SetFreeze() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const unfreeze = useUnfreeze()
  const [where, setWhere] = useState<Where>({})
  const [length, setLength] = useState<number | 'open' | 'at'>('open')
  const [end, setEnd] = useState('')
  const all = !where.service && !where.env
  const until = length === 'at' && end ? new Date(end) : undefined
  return (
    <Act
      label={t('system:freeze')}
      verb="freeze"
      icon={<PauseCircleOutlined />}
      primary
      reason="needed"
      ready={length !== 'at' || until !== undefined}
      says={t('system:freeze_says', { where: whereWords(t, where) })}
      undo={unfreeze}
      perform={async (reason) => {
        const { service = null, env = null } = where
        const freeze = await got(
          api.POST('/api/v1/freezes', {
            body: { reason, service, env, all, ...(typeof length === 'number' && { for_s: length * HOUR_S }), ...(until && { until: until.toISOString() }) },
          }),
        )
        await client.invalidateQueries({ queryKey: ['freezes'] })
        return freeze
      }}
      done={t('system:frozen')}
    >
      <WhereFields value={where} set={setWhere} sites={false} />
      {all && <p className="allows">{t('system:freeze_all')}</p>}
      <div className="fields">
        <Field label={t('system:ends')}>
          {(id) => (
            <Select
              id={id}
              value={length}
              style={{ width: '100%' }}
              options={[
                { value: 'open' as const, label: t('system:until_lifted') },
                ...LENGTHS.map((hours) => ({ value: hours as number, label: t('system:after', { count: hours }) })),
                { value: 'at' as const, label: t('system:at_a_time') },
              ]}
              onChange={setLength}
            />
          )}
        </Field>
        {length === 'at' && (
          <Field label={t('system:until')} hint={t('system:local_time')}>
            {(id) => <Input id={id} type="datetime-local" value={end} onChange={(event) => setEnd(event.target.value)} />}
          </Field>
        )}
      </div>
    </Act>
  )
}
