import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { freezesQuery, placesQuery, serviceQuery } from '../../api/queries'
import type { Freeze, PlaceStatus, Service } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { useMay } from '../../parts/may'
import { Page } from '../../parts/page'
import { FreezeService, Promote, RollOut } from './acts'
import { ThumbBar } from './bar'
import { Logs } from './logs'
import { Places } from './places'
import { distinct } from './queries'
import { Releases } from './releases'
import { Rollouts } from './rollouts'
import { Runs } from './runs'
import { Secrets } from './secrets'
import { Settings } from './settings'
import { SpecTab } from './spec'
import './service.css'

export interface Shown {
  service: Service
  places: PlaceStatus[]
  freezes: Freeze[]
}

const TABS: Record<string, (shown: Shown) => ReactNode> = {
  releases: (shown) => <Releases {...shown} />,
  rollouts: (shown) => <Rollouts {...shown} />,
  runs: (shown) => <Runs {...shown} />,
  logs: (shown) => <Logs {...shown} />,
  spec: (shown) => <SpecTab {...shown} />,
  secrets: (shown) => <Secrets {...shown} />,
  settings: (shown) => <Settings {...shown} />,
}

export function ServicePage() {
  const { service: name } = useParams({ from: '/inside/services/$service' })
  const service = useQuery(serviceQuery(name))
  if (service.data) return <OfService key={name} service={service.data} />
  return (
    <Page title={name}>
      <Loaded of={service} rows={8}>
        {() => null}
      </Loaded>
    </Page>
  )
}

/** As the spec names environments and sites, which is the order in which a rollout reaches them. */
function inOrder({ environments }: Service, places: PlaceStatus[]): PlaceStatus[] {
  const rank = (p: PlaceStatus): number => {
    const env = environments.findIndex((e) => e.name === p.env)
    const site = environments[env]?.sites.indexOf(p.site) ?? -1
    return (env < 0 ? 1_000 : env) * 1_000 + (site < 0 ? 999 : site)
  }
  return [...places].sort((a, b) => rank(a) - rank(b))
}

function OfService({ service }: { service: Service }) {
  const { t } = useTranslation()
  const may = useMay()
  const { tab } = useSearch({ from: '/inside/services/$service' })
  const status = useQuery(placesQuery(service.name))
  const { data: set } = useQuery(freezesQuery)
  const freezes = useMemo(() => {
    const listed = set?.items.filter((f) => !f.service || f.service === service.name)
    return distinct(listed ?? service.environments.flatMap((e) => e.freezes ?? []))
  }, [set, service])
  const places = useMemo(() => inOrder(service, status.data ?? []), [service, status.data])
  const shown: Shown = { service, places, freezes }
  const whole = { service: service.name, environments: service.environments, places }
  const chosen = tab !== undefined && Object.hasOwn(TABS, tab) ? tab : 'releases'
  const names = Object.keys(TABS).filter((key) => key !== 'logs' || may('read_logs', { service: service.name }))
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a phone they scroll, and the chosen one may be out of sight.
    const [nav, on] = [box.current, box.current?.querySelector<HTMLElement>('.on')]
    if (nav && on) nav.scrollTo({ left: on.offsetLeft - (nav.clientWidth - on.offsetWidth) / 2 })
  }, [chosen])
  return (
    <div className="service">
      <Page
        title={service.name}
        above={
          <>
            <Link to="/">{t('nav.overview')}</Link> / {service.kind ? t(`service_kind.${service.kind}`) : t('service:no_kind')}
          </>
        }
        actions={
          <>
            <FreezeService service={service.name} environments={service.environments} />
            <Promote {...whole} />
            <RollOut {...whole} />
          </>
        }
      >
        <Places {...shown} status={status} />
        <nav className="tabs" aria-label={t('service:tabs')} ref={box}>
          {names.map((key) => (
            <Link
              key={key}
              to="/services/$service"
              params={{ service: service.name }}
              search={{ tab: key }}
              replace
              resetScroll={false}
              className={key === chosen ? 'tab on' : 'tab'}
              aria-current={key === chosen ? 'page' : undefined}
            >
              {t(`service:tab.${key}`)}
            </Link>
          ))}
        </nav>
        <section aria-label={t(`service:tab.${chosen}`)}>{TABS[chosen]?.(shown)}</section>
      </Page>
      <ThumbBar {...shown} />
    </div>
  )
}
