// Releases: what they are, where they are live, and whether one can go back to them.
import { QuestionCircleOutlined, RollbackOutlined, ThunderboltOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { PlaceStatus, Release } from '../../api/schema'
import { Mark, ReleaseName, type Tone } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { When } from '../../parts/time'
import { RollOut } from './acts'
import { RollBack } from './back'
import { type Stand, type Track, standOf, trackOf } from './history'
import type { Shown } from './index'
import { Listed } from './listed'
import { pastQuery, releasesQuery } from './queries'

const TONE: Record<Stand, Tone> = { live: 'good', warm: 'good', cold: 'busy', left: 'still', never: 'still', unknown: 'still' }

const ICON: Partial<Record<Stand, ReactNode>> = {
  warm: <ThunderboltOutlined />,
  cold: <RollbackOutlined />,
  unknown: <QuestionCircleOutlined />,
}

const RETURNABLE = new Set<Stand>(['warm', 'cold'])

interface At {
  place: PlaceStatus
  track: Track | undefined
}

export function Releases({ service, places, freezes }: Shown) {
  const { t } = useTranslation()
  const releases = useInfiniteQuery(releasesQuery(service.name))
  const envs = service.environments.map((e) => e.name).filter((name) => places.some((p) => p.env === name))
  const pasts = useQueries({ queries: envs.map((env) => pastQuery(service.name, env, places)) })
  const at: At[] = places.map((place) => {
    const past = pasts[envs.indexOf(place.env)]?.data
    return { place, track: past && trackOf(past.rollouts, place.site, past.whole) }
  })
  return (
    <Listed of={releases} empty={<Nothing title={t('service:release.none')}>{t('service:release.none_how')}</Nothing>}>
      {(items) => (
        <Rows
          label={t('service:tab.releases')}
          items={items}
          id={(release) => release.digest}
          columns={[
            {
              head: t('service:release.release'),
              cell: (release) => (
                <Link to="/services/$service" params={{ service: service.name }} search={{ tab: 'spec', release: release.label }} resetScroll={false}>
                  <ReleaseName release={release} />
                </Link>
              ),
            },
            {
              head: t('service:release.commit'),
              wide: true,
              cell: (release) => (
                <>
                  <span className="list-title">{release.title ?? '–'}</span>
                  <span className="soft">
                    <code title={release.commit}>{release.commit.slice(0, 8)}</code> · {release.created_by}
                  </span>
                </>
              ),
            },
            {
              head: t('service:release.built'),
              cell: (release) => (
                <>
                  <When at={release.created_at} />{' '}
                  {release.run && (
                    <Link to="/runs/$run" params={{ run: release.run }} className="list-run">
                      {t('service:release.run')}
                    </Link>
                  )}
                </>
              ),
            },
            { head: t('service:release.stand'), cell: (release) => <Stands release={release} at={at} /> },
            {
              head: t('service:acts'),
              acts: true,
              cell: (release) => (
                <>
                  {release.live_in.length < service.environments.length && (
                    <RollOut service={service.name} environments={service.environments} places={places} freezes={freezes} release={release} size="small" />
                  )}
                  {envs
                    .filter((env) => at.some((a) => a.place.env === env && RETURNABLE.has(standOf(release, a.place, a.track))))
                    .map((env) => (
                      <RollBack key={env} service={service.name} env={env} places={places} to={release} size="small" named={envs.length > 1} />
                    ))}
                </>
              ),
            },
          ]}
        />
      )}
    </Listed>
  )
}

/** One mark an environment where its sites agree, otherwise one a site. */
function Stands({ release, at }: { release: Release; at: At[] }) {
  const { t } = useTranslation()
  const stands = at.map(({ place, track }) => ({ env: place.env, site: place.site, stand: standOf(release, place, track) }))
  const envs = [...new Set(stands.map((s) => s.env))]
  const shown = envs.flatMap((env) => {
    const here = stands.filter((s) => s.env === env)
    const [first] = here
    return first && here.every((s) => s.stand === first.stand) ? [{ ...first, name: env }] : here.map((s) => ({ ...s, name: `${env} ${s.site}` }))
  })
  if (shown.length === 0) return <span className="soft">–</span>
  return (
    <ul className="stands">
      {shown.map(({ name, stand }) => (
        <li key={name} title={t(`service:stand.why.${stand}`, { env: name })}>
          {shown.length > 1 && <span className="stand-of">{name}</span>}
          <Mark tone={TONE[stand]} icon={ICON[stand]}>
            {t(`service:stand.${stand}`)}
          </Mark>
        </li>
      ))}
    </ul>
  )
}
