// Releases: what they are, where they are live, and whether one can go back to them.
import { RollbackOutlined, ThunderboltOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Release, ReleaseStand } from '../../api/schema'
import { Mark, ReleaseName, type Tone } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { Until, When } from '../../parts/time'
import { RollOut } from './acts'
import { RollBack } from './back'
import { Came, useRollouts } from './came'
import type { Shown } from './index'
import { Listed } from './listed'
import { outcomeOf } from './outcome'
import { releasesQuery } from './queries'

type Stand = ReleaseStand['stand']

const TONE: Record<Stand, Tone> = { live: 'good', warm: 'good', cold: 'busy', left: 'still', never: 'still', unreadable: 'warn' }

const ICON: Partial<Record<Stand, ReactNode>> = {
  warm: <ThunderboltOutlined />,
  cold: <RollbackOutlined />,
}

export function Releases({ service, places }: Shown) {
  const { t } = useTranslation()
  const releases = useInfiniteQuery(releasesQuery(service.name))
  const rollouts = useRollouts(service.name)
  const envs = [...new Set(places.map((p) => p.env))]
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
                  {service.environments.map(({ name }) => {
                    const outcome = outcomeOf(rollouts, release.digest, name)
                    return outcome && outcome.fate !== 'completed' && <Came key={name} outcome={outcome} />
                  })}
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
            { head: t('service:release.stand'), cell: (release) => <Stands release={release} envs={envs} /> },
            {
              head: t('service:acts'),
              acts: true,
              cell: (release) => (
                <>
                  {release.live_in.length < service.environments.length && (
                    <RollOut service={service.name} environments={service.environments} places={places} release={release} size="small" />
                  )}
                  {envs
                    .filter((env) => release.stands?.some((s) => s.env === env && s.possible))
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
function Stands({ release, envs }: { release: Release; envs: string[] }) {
  const { t } = useTranslation()
  const all = release.stands ?? []
  const named = [...envs, ...new Set(all.map((s) => s.env).filter((env) => !envs.includes(env)))]
  const shown = named.flatMap((env) => {
    const here = all.filter((s) => s.env === env)
    const [first] = here
    const agree = here.every((s) => s.stand === first?.stand && s.possible === first.possible)
    return first && agree ? [{ stand: first, name: env }] : here.map((s) => ({ stand: s, name: `${env} ${s.site}` }))
  })
  if (shown.length === 0) return <span className="soft">–</span>
  return (
    <ul className="stands">
      {shown.map(({ name, stand }) => (
        <li key={name} title={stand.why ?? t(`service:stand.why.${stand.stand}`, { env: stand.env })}>
          {shown.length > 1 && <span className="stand-of">{name}</span>}
          <Mark tone={TONE[stand.stand]} icon={ICON[stand.stand]}>
            {t(`service:stand.${stand.stand}`)}
          </Mark>
          {stand.stand === 'warm' && stand.warm_until && (
            <small className="stand-until">
              {t('service:place.warm_until')} <Until at={stand.warm_until} />
            </small>
          )}
        </li>
      ))}
    </ul>
  )
}
