// What can be done with a service: roll out, roll back, promote, freeze, and lift what holds it.
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Input, Segmented, Select } from 'antd'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { ClosedQueue, Environment, Freeze, PlaceStatus, ReleaseRef, Rollout } from '../../api/schema'
import { Act } from '../../parts/act'
import { useMay } from '../../parts/may'
import { liftVerb, useUnfreeze } from '../../parts/unfreeze'
import { Came, useRollouts } from './came'
import { Change, useRefused } from './change'
import { outcomeOf, toOffer } from './outcome'
import { releasesQuery, waitingQuery } from './queries'

/** To the rollout that has begun, once it is known. */
export function useFollow(): (rollout: Promise<Rollout>) => Promise<void> {
  const navigate = useNavigate()
  return async (rollout) => {
    const { id } = await rollout
    await navigate({ to: '/rollouts/$rollout', params: { rollout: id } })
  }
}

/** `group`: there are several controls in it. */
export function Field({ label, hint, group, children }: { label: string; hint?: ReactNode; group?: boolean; children: ReactNode }) {
  const within = (
    <>
      <strong>{label}</strong>
      {children}
      {hint && <small>{hint}</small>}
    </>
  )
  return group ? (
    <div className="act-field" role="group" aria-label={label}>
      {within}
    </div>
  ) : (
    <label className="act-field">{within}</label>
  )
}

/** What is live in an environment; where its sites differ, that of the first. */
export const liveIn = (places: PlaceStatus[], env: string): ReleaseRef | undefined =>
  places.find((p) => p.env === env && p.release)?.release ?? undefined

/** Releases as choices, newest first; more are fetched as one scrolls down. */
export function ReleaseSelect({
  service,
  value,
  onChange,
  onClear,
  placeholder,
}: {
  service: string
  value: string | undefined
  onChange: (label: string) => void
  onClear?: () => void
  placeholder?: string
}) {
  const { t } = useTranslation()
  const releases = useInfiniteQuery(releasesQuery(service))
  const all = releases.data?.pages.flatMap((p) => p.items) ?? []
  return (
    <Select
      showSearch={{ optionFilterProp: 'label' }}
      style={{ width: '100%' }}
      loading={releases.isFetching}
      {...(value !== undefined && { value })}
      placeholder={placeholder ?? t('service:act.release')}
      aria-label={t('service:act.release')}
      {...(onClear && { allowClear: true, onClear })}
      onChange={(label: string | undefined) => {
        if (label !== undefined) onChange(label)
      }}
      onPopupScroll={({ currentTarget: list }) => {
        const near = list.scrollTop + list.clientHeight > list.scrollHeight - 80
        if (near && releases.hasNextPage && !releases.isFetching) void releases.fetchNextPage()
      }}
      options={all.map((r) => ({ value: r.label, label: `${r.label}  ${r.title ?? r.commit.slice(0, 8)}` }))}
    />
  )
}

interface Whole {
  service: string
  environments: Environment[]
  places: PlaceStatus[]
}

export function RollOut({ service, environments: all, places, release, env, size }: Whole & { release?: ReleaseRef; env?: string; size?: 'small' }) {
  const { t } = useTranslation()
  const follow = useFollow()
  const may = useMay()
  const environments = all.filter((one) => may('deploy', { service, env: one.name }))
  const { data: newest } = useInfiniteQuery(releasesQuery(service))
  const [chosen, setChosen] = useState<string>()
  const rollouts = useRollouts(service)
  const [picked, setPicked] = useState<string>()
  const [hotfix, setHotfix] = useState(false)
  const [ticket, setTicket] = useState('')
  const built = newest?.pages.flatMap((p) => p.items) ?? []
  const going = (of: ReleaseRef | undefined, there: string): boolean => of !== undefined && outcomeOf(rollouts, of.digest, there)?.fate === 'going'
  const free = environments.find((one) => !release || (!going(release, one.name) && liveIn(places, one.name)?.digest !== release.digest))
  const target = env ?? picked ?? free?.name ?? environments[0]?.name ?? ''
  const to = release ?? (chosen === undefined ? toOffer(built, rollouts, target) : built.find((r) => r.label === chosen))
  const live = liveIn(places, target)
  const again = live !== undefined && live.digest === to?.digest
  const came = to && outcomeOf(rollouts, to.digest, target)
  const underWay = going(to, target) ? t('service:act.under_way', { release: to?.label, env: target }) : undefined
  const asked = { env: target, ...(to && { release: to.label }), ...(hotfix && { kind: 'hotfix' as const }) }
  const refused = useRefused(service, asked)
  if (environments.length === 0 || (env !== undefined && !may('deploy', { service, env }))) return null
  return (
    <Act
      label={release ? t('service:roll_out_this') : t('service:roll_out')}
      {...(!release && !env && { verb: 'rollout' })}
      primary={!release && !env}
      wide
      {...(size && { size })}
      refused={release && !free ? underWay : undefined}
      reason="welcome"
      ready={to !== undefined && target !== '' && !again && !underWay && !refused}
      says={
        to === undefined
          ? t('service:act.no_release')
          : (underWay ??
            (again
              ? t('service:act.again', { release: to.label, env: target })
              : live
                ? t('service:act.moves', { env: target, from: live.label, to: to.label })
                : t('service:act.first', { env: target, to: to.label })))
      }
      perform={(note) =>
        follow(
          got(
            api.POST('/api/v1/services/{service}/rollouts', {
              params: { path: { service } },
              body: {
                env: target,
                release: to?.label ?? '',
                kind: hotfix ? 'hotfix' : 'normal',
                ...(note && { note }),
                ...(ticket.trim() && { ticket: ticket.trim() }),
              },
            }),
          ),
        )
      }
    >
      {!release && (
        <Field label={t('service:act.release')}>
          <ReleaseSelect service={service} value={to?.label} onChange={setChosen} />
        </Field>
      )}
      {env === undefined && environments.length > 1 && (
        <Field group label={t('service:act.env')}>
          <Envs environments={environments} value={target} onChange={setPicked} />
        </Field>
      )}
      {came && (
        <p>
          <Came outcome={came} />
        </p>
      )}
      {to && target !== '' && !again && !underWay && <Change service={service} asked={asked} from={live} to={to} />}
      <div className="act-pair">
        <Field group label={t('service:act.kind')} hint={t('service:act.hotfix_hint')}>
          <Segmented
            value={hotfix ? 'hotfix' : 'normal'}
            onChange={(kind) => setHotfix(kind === 'hotfix')}
            options={[
              { value: 'normal', label: t('kind.normal') },
              { value: 'hotfix', label: t('kind.hotfix') },
            ]}
          />
        </Field>
        <Field label={t('service:act.ticket')}>
          <Input value={ticket} maxLength={100} onChange={(e) => setTicket(e.target.value)} />
        </Field>
      </div>
    </Act>
  )
}

export function Envs({ environments, value, onChange }: { environments: { name: string }[]; value: string; onChange: (env: string) => void }) {
  const names = environments.map((e) => e.name)
  if (names.length > 4)
    return <Select style={{ width: '100%' }} value={value} onChange={onChange} options={names.map((n) => ({ value: n, label: n }))} />
  return <Segmented value={value} onChange={onChange} options={names} />
}

export function Promote({ service, environments, places }: Whole) {
  const { t } = useTranslation()
  const follow = useFollow()
  const may = useMay()
  const sources = environments.filter((e) => liveIn(places, e.name))
  const [chosen, setChosen] = useState<string>()
  const [picked, setPicked] = useState<string>()
  const [ticket, setTicket] = useState('')
  // As one usually goes: from where something is live to where it is not yet.
  const natural = sources.find((e) => {
    const next = environments[environments.indexOf(e) + 1]
    return next && liveIn(places, next.name)?.digest !== liveIn(places, e.name)?.digest
  })
  const from = chosen ?? natural?.name ?? sources[0]?.name ?? ''
  const after = environments.findIndex((e) => e.name === from) + 1
  const others = environments.filter((e) => e.name !== from)
  const to = others.find((e) => e.name === picked)?.name ?? environments[after]?.name ?? others[0]?.name ?? ''
  const [source, target] = [liveIn(places, from), liveIn(places, to)]
  const asked = { env: to, from }
  const refused = useRefused(service, asked)
  if (environments.length < 2 || !environments.some((e) => may('deploy', { service, env: e.name }))) return null
  return (
    <Act
      label={t('service:promote')}
      verb="promote"
      wide
      refused={sources.length === 0 ? t('service:act.nothing_live') : undefined}
      reason="welcome"
      ready={!refused}
      says={t('service:act.promotes', { release: source?.label ?? '–', from, to })}
      perform={(note) =>
        follow(
          got(
            api.POST('/api/v1/services/{service}/promote', {
              params: { path: { service } },
              body: { from, to, ...(note && { note }), ...(ticket.trim() && { ticket: ticket.trim() }) },
            }),
          ),
        )
      }
    >
      <div className="act-pair">
        <Field group label={t('service:act.from')}>
          <Envs environments={sources} value={from} onChange={setChosen} />
        </Field>
        <Field group label={t('service:act.to')}>
          <Envs environments={others} value={to} onChange={setPicked} />
        </Field>
      </div>
      {source && source.digest !== target?.digest && <Change service={service} asked={asked} from={target} to={source} />}
      <Field label={t('service:act.ticket')}>
        <Input value={ticket} maxLength={100} onChange={(e) => setTicket(e.target.value)} />
      </Field>
    </Act>
  )
}

const HOURS = [1, 4, 12, 24, 72, 168]

export function FreezeService({ service, environments }: { service: string; environments: Environment[] }) {
  const { t } = useTranslation()
  const may = useMay()
  const client = useQueryClient()
  const unfreeze = useUnfreeze()
  const [picked, setEnv] = useState<string>()
  const [hours, setHours] = useState(0)
  const open = environments.filter((e) => may('freeze', { service, env: e.name }))
  const whole = may('freeze', { service, env: '*' })
  if (!whole && open.length === 0) return null
  const env = picked ?? (whole ? '' : (open[0]?.name ?? ''))
  return (
    <Act
      label={t('service:freeze')}
      verb="freeze"
      reason="needed"
      done={t('service:frozen_now')}
      says={env ? t('service:act.freezes_env', { service, env }) : t('service:act.freezes', { service })}
      undo={unfreeze}
      perform={async (reason) => {
        const freeze = await got(
          api.POST('/api/v1/freezes', {
            body: { service, reason, ...(env && { env }), ...(hours > 0 && { for_s: hours * 3_600 }) },
          }),
        )
        await client.invalidateQueries({ queryKey: ['freezes'] })
        return freeze
      }}
    >
      <Field label={t('service:act.env')}>
        <Select
          style={{ width: '100%' }}
          value={env}
          onChange={setEnv}
          options={[...(whole ? [{ value: '', label: t('service:act.every_env') }] : []), ...open.map((e) => ({ value: e.name, label: e.name }))]}
        />
      </Field>
      <Field label={t('service:act.until')}>
        <Select
          style={{ width: '100%' }}
          value={hours}
          onChange={setHours}
          options={[
            { value: 0, label: t('service:act.until_lifted') },
            ...HOURS.map((h) => ({ value: h, label: h < 24 ? t('service:act.hours', { count: h }) : t('service:act.days', { count: h / 24 }) })),
          ]}
        />
      </Field>
    </Act>
  )
}

export function Lift({ freeze }: { freeze: Freeze }) {
  const { t } = useTranslation()
  const may = useMay()
  const client = useQueryClient()
  if (!may('freeze', { service: freeze.service ?? '*', env: freeze.env ?? '*' })) return null
  const reach = freeze.service ? '' : freeze.env ? t('service:act.lifts_env', { env: freeze.env }) : t('service:act.lifts_all')
  return (
    <Act
      label={t('service:lift')}
      {...liftVerb(t, freeze)}
      size="small"
      reason="needed"
      done={t('service:lifted')}
      says={`${t('service:act.lifts', { who: freeze.by, why: freeze.reason })} ${reach}`}
      perform={async (reason) => {
        await got(api.POST('/api/v1/freezes/{freeze}/lift', { params: { path: { freeze: freeze.id } }, body: { reason } }))
        await client.invalidateQueries({ queryKey: ['freezes'] })
      }}
    />
  )
}

export function AcknowledgeQueue({ service, env, queue }: { service: string; env: string; queue: ClosedQueue }) {
  const { t } = useTranslation()
  const may = useMay()
  const client = useQueryClient()
  const waiting = useQuery(waitingQuery(service, env))
  if (!may('deploy', { service, env })) return null
  const held = waiting.data ?? []
  return (
    <Act
      label={t('service:acknowledge')}
      size="small"
      reason="needed"
      done={t('service:acknowledged')}
      says={
        <>
          <p>{t('service:act.acknowledges', { env })}</p>
          <p className="act-quote">{queue.reason}</p>
          <p>
            {held.length > 0
              ? t('service:act.goes_on', { count: held.length, releases: held.map((r) => r.to.label).join(', ') })
              : t('service:act.none_waits')}
          </p>
        </>
      }
      perform={async (note) => {
        await got(api.POST('/api/v1/services/{service}/acknowledge', { params: { path: { service } }, body: { env, note } }))
        await client.invalidateQueries({ queryKey: ['service', service] })
      }}
    />
  )
}
