// Taking an environment back.
import { RollbackOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { PlaceStatus, ReleaseRef } from '../../api/schema'
import { Act } from '../../parts/act'
import { useMay } from '../../parts/may'
import { When } from '../../parts/time'
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
  if (!may('revert')) return null

  const tracks = here.map((place) => ({ place, track: past && trackOf(past.rollouts, place.site, past.whole) }))
  const running = here.some((p) => p.rollout)
  const live = here.find((p) => p.release)?.release ?? undefined
  const before = tracks.map(({ place, track }) => previousAt(place, track))
  // One target only where all sites agree on it; otherwise the server chooses for each.
  const agreed = before.every((b) => b?.digest === before[0]?.digest) ? before[0] : undefined
  const usual = running ? live : agreed
  const targets = [
    ...(running && live ? [live] : []),
    ...new Map(tracks.flatMap(({ place, track }) => targetsAt(place, track)).map((r) => [r.digest, r])).values(),
  ]
  const target = to ?? targets.find((r) => r.digest === chosen) ?? usual ?? undefined
  const warm = here.map((p) => p.warm).find((w) => w && w.release.digest === target?.digest)
  const nowhere = !live ? t('service:back.nothing_live') : !running && before.length > 0 && before.every((b) => b === null) ? t('service:back.no_earlier') : undefined

  return (
    <Act
      label={to ? t('service:back.to_this') : named ? t('service:back.env', { env }) : t('service:back.label')}
      icon={<RollbackOutlined />}
      danger
      wide
      {...(size && { size })}
      refused={nowhere}
      reason="needed"
      says={
        <>
          <p>
            {running
              ? t('service:back.takes_over', { env, to: target?.label ?? '–' })
              : target && live
                ? t('service:back.moves', { env, from: live.label, to: target.label })
                : t('service:back.server_chooses', { env })}{' '}
            {target && !running && (warm ? t('service:back.warm') : t('service:back.cold'))}{' '}
            {warm?.until && !running && (
              <>
                ({t('service:place.warm_until')} <When at={warm.until} />)
              </>
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
              // What was shown is what is asked for: the second of two people must not go one further back.
              body: { env, reason, ...(target && (!running || chosen || to) && { to: target.label }) },
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
      {live && target && live.digest !== target.digest && <Change service={service} env={env} from={live} to={target} />}
    </Act>
  )
}
