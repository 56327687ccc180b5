// What is live where, what holds it, and the ways on and back.
import { LinkOutlined, LoadingOutlined, LockOutlined, ThunderboltOutlined } from '@ant-design/icons'
import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Environment, Freeze, Instance, PlaceStatus } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { HealthMark, InstanceMark, ReleaseName, Share, count } from '../../parts/marks'
import { useMay } from '../../parts/may'
import { Nothing } from '../../parts/page'
import { Ticked } from '../../parts/ticked'
import { Until, When } from '../../parts/time'
import { AcknowledgeQueue, Lift, RollOut } from './acts'
import { RollBack } from './back'
import type { Shown } from './index'
import { Waiting } from './waiting'

export function Places({ service, places, freezes, status }: Shown & { status: UseQueryResult<PlaceStatus[]> }) {
  const { t } = useTranslation()
  if (service.environments.length === 0)
    return (
      <section className="sheet">
        <Nothing title={t('service:place.no_env')}>{t('service:place.no_env_how')}</Nothing>
      </section>
    )
  return (
    <Loaded of={status} rows={6}>
      {() => (
        <>
          {freezes.filter((f) => !f.env).map((freeze) => (
            <Frozen key={freeze.id} freeze={freeze} />
          ))}
          <div className="envs">
          {service.environments.map((env) => (
            <Env key={env.name} env={env} places={places} service={service} freezes={freezes} />
          ))}
          </div>
        </>
      )}
    </Loaded>
  )
}

function Env({ env, service, places, freezes }: Shown & { env: Environment }) {
  const { t } = useTranslation()
  const here = places.filter((p) => p.env === env.name)
  const on = freezes.filter((f) => f.env === env.name)
  const under = here.find((p) => p.rollout)?.rollout
  return (
    <section className="sheet env" aria-label={env.name}>
      <div className="sheet-head">
        <h2>
          {env.name}
          <small className="env-branch">{env.branch ? t('service:place.branch', { branch: env.branch }) : t('service:place.no_branch')}</small>
        </h2>
        <div className="env-acts">
          {under && (
            <Link to="/rollouts/$rollout" params={{ rollout: under }} className="mark busy">
              <LoadingOutlined /> {t('service:place.under_way')}
            </Link>
          )}
          {service.environments.length > 1 && (
            <RollOut service={service.name} environments={service.environments} places={places} env={env.name} size="small" />
          )}
          <RollBack service={service.name} env={env.name} places={places} size="small" />
        </div>
      </div>
      <Waiting service={service.name} env={env.name} />
      {env.frozen && (
        <Notice tone="bad" act={<AcknowledgeQueue service={service.name} env={env.name} queue={env.frozen} />}>
          <strong>{t('service:place.queue_closed')}</strong> <When at={env.frozen.since} />
          <div className="notice-why">
            <Ticked text={env.frozen.reason} />
          </div>
          {env.frozen.rollout && (
            <Link to="/rollouts/$rollout" params={{ rollout: env.frozen.rollout }}>
              {t('service:place.which_rollout')}
            </Link>
          )}
        </Notice>
      )}
      {on.map((freeze) => (
        <Frozen key={freeze.id} freeze={freeze} />
      ))}
      {here.length === 0 ? (
        <Nothing title={t('health.empty')}>{t('service:place.empty_how', { env: env.name })}</Nothing>
      ) : (
        here.map((place) => <Site key={place.site} place={place} alone={here.length === 1} />)
      )}
    </section>
  )
}

const Notice = ({ tone, act, children }: { tone: 'bad' | 'busy'; act: ReactNode; children: ReactNode }) => (
  <div className={`notice ${tone}`} role="status">
    <LockOutlined />
    <div className="notice-text">{children}</div>
    {act}
  </div>
)

function Frozen({ freeze }: { freeze: Freeze }) {
  const { t } = useTranslation()
  const reach = freeze.service ? (freeze.env ?? t('service:act.every_env')) : freeze.env ? t('service:place.env_frozen', { env: freeze.env }) : t('service:place.all_frozen')
  return (
    <Notice tone="busy" act={<Lift freeze={freeze} />}>
      <strong>{t('service:place.frozen', { who: freeze.by })}</strong> <When at={freeze.since} /> · {reach}
      <div className="notice-why">{freeze.reason}</div>
      {freeze.until && (
        <small>
          {t('service:place.until')} <Until at={freeze.until} />
        </small>
      )}
    </Notice>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div className="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

function Site({ place, alone }: { place: PlaceStatus; alone: boolean }) {
  const { t } = useTranslation()
  const own = place.instances.filter((i) => i.release.digest === place.release?.digest)
  const ready = own.filter((i) => i.phase === 'ready').length
  const split = place.traffic.length > 1 ? place.traffic : []
  return (
    <div className="site">
      <div className="site-head">
        {!(alone && place.site === 'default') && <h3>{place.site}</h3>}
        <HealthMark health={place.health} />
        {place.reason && <span className="site-reason"><Ticked text={place.reason} /></span>}
      </div>
      <dl className="facts">
        <Fact name={t('service:place.release')}>
          <ReleaseName release={place.release} />
        </Fact>
        {place.since && (
          <Fact name={t('service:place.since')}>
            <When at={place.since} /> {place.changed_by && <small>{t('service:place.by', { who: place.changed_by })}</small>}
          </Fact>
        )}
        {place.traffic.length === 1 && place.traffic[0] && (
          <Fact name={t('service:place.share')}>
            <Share points={place.traffic[0].share} />
          </Fact>
        )}
        <Fact name={t('service:place.instances')}>
          {t('service:place.ready', { ready: count(ready), all: count(own.length) })}
        </Fact>
        <Fact name={t('service:place.warm')}>
          {place.warm ? (
            <>
              <ThunderboltOutlined /> {place.warm.release.label}{' '}
              {place.warm.until && (
                <small>
                  {t('service:place.warm_until')} <Until at={place.warm.until} />
                </small>
              )}
            </>
          ) : (
            <span className="soft">{t('service:place.no_warm')}</span>
          )}
        </Fact>
        {place.routes.length > 0 && (
          <Fact name={t('service:place.routes')}>
            {place.routes.map((route) => (
              <Route key={route} route={route} />
            ))}
          </Fact>
        )}
      </dl>
      {split.map((s) => (
        <div key={s.release.digest} className="site-split">
          <ReleaseName release={s.release} />
          <Share points={s.share} />
          <small>{t('service:place.ready_n', { count: s.ready_instances })}</small>
        </div>
      ))}
      {place.instances.length > 0 && (
        <details className="site-instances" {...(own.some((i) => WRONG.has(i.phase)) && { open: true })}>
          <summary>{t('service:place.all_instances', { count: place.instances.length })}</summary>
          <ul>
            {place.instances.map((i) => (
              <InstanceLine key={i.id} instance={i} place={place} />
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

const WRONG = new Set<Instance['phase']>(['unhealthy', 'backoff', 'failed'])

function InstanceLine({ instance, place }: { instance: Instance; place: PlaceStatus }) {
  const { t } = useTranslation()
  const may = useMay()
  return (
    <li>
      <InstanceMark phase={instance.phase} />
      <span>{instance.release.label}</span>
      <code title={instance.id}>{instance.id.slice(-8)}</code>
      <span className="soft">
        {instance.host}
        {instance.addr && ` ${instance.addr}`}
      </span>
      {instance.since && (
        <span className="soft">
          <When at={instance.since} />
        </span>
      )}
      {may('read_logs', { service: place.service, env: place.env }) && (
        <Link
          to="/services/$service"
          params={{ service: place.service }}
          search={{ tab: 'logs', env: place.env, site: place.site, release: instance.release.label, instance: instance.id }}
          resetScroll={false}
        >
          {t('service:tab.logs')}
        </Link>
      )}
      {instance.restarts > 0 && <span className="soft">{t('service:place.restarts', { count: instance.restarts })}</span>}
      {(instance.message ?? (WRONG.has(instance.phase) ? instance.last_exit : null)) && (
        <span className="instance-said">{instance.message ?? instance.last_exit}</span>
      )}
    </li>
  )
}

/** A link where it names a host; `*` is any. */
function Route({ route }: { route: string }) {
  if (!/^[a-z0-9]/i.test(route)) return <code className="route">{route}</code>
  return (
    <a className="route" href={`https://${route}`} target="_blank" rel="noreferrer">
      <LinkOutlined /> {route}
    </a>
  )
}
