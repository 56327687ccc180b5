// Taking an environment back.
import { RollbackOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { rolloutQuery } from '../../api/queries'
import type { PlaceStatus, ReleaseRef } from '../../api/schema'
import { Act } from '../../parts/act'
import { useMay } from '../../parts/may'
import { Until } from '../../parts/time'
import { Field, useFollow } from './acts'
import { Change } from './change'
import { previousAt, targetsAt, trackOf } from './history'
import { pastQuery } from './queries'

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
  const { data: past } = useQuery({ ...pastQuery(service, env, places), enabled: may('revert') })
  const [chosen, setChosen] = useState<string>()
  // Where it led as the dialog was opened: when somebody else goes back meanwhile, it must not lead one further.
  const [shown, setShown] = useState<ReleaseRef>()

  const tracks = here.map((place) => ({ place, track: past && trackOf(past.rollouts, place.site, past.whole) }))
  const under = here.find((p) => p.rollout)?.rollout
  const running = under !== null && under !== undefined
  const { data: rollout } = useQuery({ ...rolloutQuery(under ?? ''), enabled: running })
  if (!may('revert')) return null
  const live = here.find((p) => p.release)?.release ?? undefined
  const before = tracks.map(({ place, track }) => previousAt(place, track))
  // One target only where all sites agree on it; otherwise the server chooses for each.
  const agreed = before.every((b) => b?.digest === before[0]?.digest) ? before[0] : undefined
  const usual = running ? live : agreed
  const targets = [
    ...(running && live ? [live] : []),
    ...new Map(tracks.flatMap(({ place, track }) => targetsAt(place, track)).map((r) => [r.digest, r])).values(),
  ]
  const target = to ?? targets.find((r) => r.digest === chosen) ?? shown ?? usual ?? undefined
  const already = !running && target !== undefined && target.digest === live?.digest
  // What is under way is what goes; otherwise what is live.
  const from = running ? rollout?.to : live
  const warm = here.map((p) => p.warm).find((w) => w && w.release.digest === target?.digest)
  const nowhere = !live
    ? t('service:back.nothing_live')
    : rollout?.kind === 'rollback' && running
      ? t('service:back.under_way')
      : !running && !to && before.length > 0 && before.every((b) => b === null)
        ? t('service:back.no_earlier')
        : undefined

  // A finger cannot ask a button why it is off.
  if (named && !to && nowhere) return <span className="thumb-why">{`${env}: ${nowhere}`}</span>
  return (
    <Act
      label={to ? (named ? t('service:back.env_to_this', { env }) : t('service:back.to_this')) : named ? t('service:back.env', { env }) : t('service:back.label')}
      icon={<RollbackOutlined />}
      danger
      wide
      {...(size && { size })}
      refused={nowhere}
      reason="needed"
      ready={!already}
      opened={() => {
        setChosen(undefined)
        setShown(usual ?? undefined)
      }}
      says={
        <>
          <p>
            {already
              ? t('service:back.already', { env, to: target.label })
              : running
              ? t('service:back.takes_over', { env, to: target?.label ?? '–' })
              : target && live
                ? t('service:back.moves', { env, from: live.label, to: target.label })
                : t('service:back.server_chooses', { env })}{' '}
            {target && !running && !already && (warm ? t('service:back.warm') : t('service:back.cold'))}{' '}
            {warm?.until && !running && (
              <span className="act-soft">
                {t('service:place.warm_until')} <Until at={warm.until} />
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
      {!to && targets.length > 1 && (
        <Field label={t('service:back.choose')}>
          <Select
            style={{ width: '100%' }}
            {...(target && { value: target.digest })}
            onChange={setChosen}
            options={targets.map((r) => ({
              value: r.digest,
              label: [
                r.label,
                ...(r.digest === usual?.digest ? [t('service:back.usual')] : []),
                here.some((p) => p.warm?.release.digest === r.digest) ? t('service:stand.warm') : t('service:stand.cold'),
              ].join(' · '),
            }))}
          />
        </Field>
      )}
      {from && target && from.digest !== target.digest && <Change service={service} env={env} from={from} to={target} />}
    </Act>
  )
}
