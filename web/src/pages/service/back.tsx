// Taking an environment back.
import { RollbackOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Alert, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { rolloutQuery } from '../../api/queries'
import type { PlaceStatus, Release, ReleaseRef, ReleaseStand, WaysBack } from '../../api/schema'
import { Act } from '../../parts/act'
import { useMay } from '../../parts/may'
import { Until } from '../../parts/time'
import { Field, useFollow } from './acts'
import { Change, useRefused } from './change'
import { waysBackQuery } from './queries'
import { atEnv, goesBackTo } from './ways'

interface Props {
  service: string
  env: string
  places: PlaceStatus[]
  /** Where to; left out: chosen in the dialog, at first as the server would. */
  to?: ReleaseRef
  size?: 'small'
  /** With the environment on the button. */
  named?: boolean
}

export function RollBack({ service, env, places, to, size, named }: Props) {
  const { t } = useTranslation()
  const follow = useFollow()
  const may = useMay()
  const here = places.filter((p) => p.env === env)
  const { data: ways, isPending: looking } = useQuery({ ...waysBackQuery(service, env), enabled: may('revert', { service, env }) })
  const [chosen, setChosen] = useState<string>()
  // Where it led as the dialog was opened: when somebody else goes back meanwhile, it must not lead one further.
  const [shown, setShown] = useState<ReleaseRef>()
  const [open, setOpen] = useState(false)

  const under = here.find((p) => p.rollout)?.rollout
  const running = under !== null && under !== undefined
  const { data: rollout, isPending: following } = useQuery({ ...rolloutQuery(under ?? ''), enabled: running })
  const live = here.find((p) => p.release)?.release ?? undefined
  const usual = ways && goesBackTo(ways)
  const possible = ways?.possible ?? []
  const target = to ?? possible.find((r) => r.digest === chosen) ?? shown ?? usual
  const already = !running && target !== undefined && target.digest === live?.digest
  // What is under way is what goes; otherwise what is live.
  const from = running ? rollout?.to : live
  const stand = possible.find((r) => r.digest === target?.digest)?.stands?.find((s) => s.env === env && s.possible)
  const nowhere = !live
    ? t('service:back.nothing_live')
    : rollout?.kind === 'rollback' && running
      ? t('service:back.under_way')
      : !to && ways && possible.length === 0
        ? (ways.sites.find((s) => s.why)?.why ?? t('service:back.no_earlier'))
        : undefined
  // Until then it may turn out that there is nothing to take back.
  const known = (to !== undefined || !looking) && (!running || !following)

  const asked = { env, kind: 'rollback' as const, ...(target && { release: target.label }) }
  const refused = useRefused(service, asked)

  if (!may('revert', { service, env })) return null
  // A finger cannot ask a button why it is off. A question that is open stays, and says it itself.
  if (named && !to && nowhere && !open) return <span className="thumb-why">{`${env}: ${nowhere}`}</span>
  return (
    <Act
      label={to ? (named ? t('service:back.env_to_this', { env }) : t('service:back.to_this')) : named ? t('service:back.env', { env }) : t('service:back.label')}
      {...(!to && !named && (known || nowhere !== undefined) && { verb: `rollback-${env}`, verbLabel: t('service:back.env', { env }) })}
      icon={<RollbackOutlined />}
      danger
      wide
      {...(size && { size })}
      refused={nowhere}
      reason="needed"
      ready={!already && known && nowhere === undefined && !refused}
      opened={() => {
        setOpen(true)
        setChosen(undefined)
        setShown(usual)
      }}
      closed={() => setOpen(false)}
      says={
        <>
          {nowhere && <Alert type="warning" showIcon title={t('service:back.nowhere')} description={nowhere} />}
          <p>
            {already
              ? t('service:back.already', { env, to: target.label })
              : running
                ? t('service:back.takes_over', { env, to: target?.label ?? '–' })
                : target && live
                  ? t('service:back.moves', { env, from: live.label, to: target.label })
                  : t('service:back.server_chooses', { env })}{' '}
            {stand && !running && !already && t(stand.stand === 'warm' ? 'service:back.warm' : 'service:back.cold')}{' '}
            {stand?.warm_until && !running && (
              <span className="act-soft">
                {t('service:place.warm_until')} <Until at={stand.warm_until} />
              </span>
            )}
          </p>
          <p className="act-soft">{t('service:back.stays')}</p>
        </>
      }
      perform={(reason) =>
        follow(
          got(
            api.POST('/api/v1/services/{service}/rollback', {
              params: { path: { service } },
              body: { env, reason, ...(target && { to: target.label }) },
            }),
          ),
        )
      }
    >
      {!to && ways && (
        <Field label={t('service:back.choose')} hint={t('service:back.kept')}>
          <Choice ways={ways} usual={usual} value={target} onChange={setChosen} />
        </Field>
      )}
      {ways && target && <Sites ways={ways} target={target} named={to !== undefined || chosen !== undefined || usual !== undefined} />}
      {live && !already && <Change service={service} asked={asked} from={from} to={target} />}
    </Act>
  )
}

/** What can be gone back to, and below it what cannot, with the reason. */
function Choice({
  ways,
  usual,
  value,
  onChange,
}: {
  ways: WaysBack
  usual: ReleaseRef | undefined
  value: ReleaseRef | undefined
  onChange: (digest: string) => void
}) {
  const { t } = useTranslation()
  const word = (stands: ReleaseStand[]): string => {
    const stand = stands.find((s) => s.possible)
    return stand ? t(`service:stand.${stand.stand}`) : ''
  }
  const first = (r: Release): string => [r.label, r.title ?? r.commit.slice(0, 8)].join('  ')
  const option = (r: Release) => {
    const stands = atEnv(r, ways.env)
    const why = stands.find((s) => s.why)?.why ?? undefined
    return stands.some((s) => s.possible)
      ? { value: r.digest, label: first(r), more: [...(r.digest === usual?.digest ? [t('service:back.usual')] : []), word(stands)].join(' · ') }
      : { value: r.digest, label: first(r), more: why ?? t('service:back.not_here'), disabled: true }
  }
  return (
    <Select
      style={{ width: '100%' }}
      aria-label={t('service:back.choose')}
      placeholder={t('service:back.each_its_own')}
      showSearch={{ optionFilterProp: 'label' }}
      {...(value && { value: value.digest })}
      onChange={onChange}
      listHeight={320}
      optionRender={({ data }) => (
        <span className="way">
          <span>{data.label}</span>
          <small>{(data as { more?: string }).more}</small>
        </span>
      )}
      options={[
        { label: t('service:back.possible'), options: ways.possible.map(option) },
        ...(ways.others.length > 0 ? [{ label: t('service:back.impossible'), options: ways.others.map(option) }] : []),
      ]}
    />
  )
}

/** Where several sites do not all go the same way. */
function Sites({ ways, target, named }: { ways: WaysBack; target: ReleaseRef; named: boolean }) {
  const { t } = useTranslation()
  if (ways.sites.length < 2) return null
  const release = ways.possible.find((r) => r.digest === target.digest)
  const told = ways.sites.map((way) => {
    const stand = release && atEnv(release, ways.env).find((s) => s.site === way.site)
    const to = named ? (stand?.possible ? target : null) : way.to
    return { site: way.site, live: way.live, to, why: named ? stand?.why : way.why }
  })
  if (told.every((s) => s.to && s.live?.digest === told[0]?.live?.digest && s.to.digest === told[0]?.to?.digest)) return null
  return (
    <ul className="change-list way-sites" aria-label={t('service:back.by_site')}>
      {told.map((s) => (
        <li key={s.site}>
          <strong>{s.site}</strong>{' '}
          {s.to ? (
            <span>
              {s.live?.label ?? '–'} → {s.to.label}
            </span>
          ) : (
            <span className="soft">{t('service:back.site_stays', { why: s.why ?? t('service:back.not_here') })}</span>
          )}
        </li>
      ))}
    </ul>
  )
}
