import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Host, Instance, PlaceStatus } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { count, InstanceMark, Mark, ReleaseName } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, When } from '../../parts/time'
import { everywhereQuery, hostsQuery } from './queries'

interface Running {
  place: PlaceStatus
  instance: Instance
}

const on = (host: Host, places: PlaceStatus[]): Running[] =>
  places.flatMap((place) => place.instances.filter((instance) => instance.host === host.name).map((instance) => ({ place, instance })))

export function Hosts() {
  const { t } = useTranslation()
  const hosts = useQuery(hostsQuery)
  const places = useQuery(everywhereQuery)
  return (
    <Loaded of={hosts}>
      {(items) =>
        items.length === 0 ? (
          <Sheet>
            <Nothing title={t('system:no_hosts')}>
              {t('system:no_hosts_yet')}
              <Copyable label={t('system:command')} text="tradewind up --detach" />
            </Nothing>
          </Sheet>
        ) : (
          items.map((host) => (
            <OneHost key={host.id} host={host}>
              <Loaded of={places}>{(all) => <Instances host={host} running={on(host, all)} />}</Loaded>
            </OneHost>
          ))
        )
      }
    </Loaded>
  )
}

function OneHost({ host, children }: { host: Host; children: ReactNode }) {
  const { t } = useTranslation()
  return (
    <Sheet
      title={host.name}
      extra={
        host.connected ? (
          <Mark tone="good">{t('system:connected')}</Mark>
        ) : (
          <Mark tone="bad">
            {t('system:away')} {host.last_seen_at && <When at={host.last_seen_at} />}
          </Mark>
        )
      }
    >
      {!host.connected && <p className="soft">{t('system:away_says')}</p>}
      <dl className="host-facts">
        <div>
          <dt>{t('system:instances')}</dt>
          <dd>{count(host.instances)}</dd>
        </div>
        <div>
          <dt>{t('system:edge')}</dt>
          <dd className="mono">{host.edge.length ? host.edge.join(', ') : t('system:no_edge')}</dd>
        </div>
        <div>
          <dt>{t('system:enrolled')}</dt>
          <dd>{exact(host.enrolled_at)}</dd>
        </div>
      </dl>
      {children}
    </Sheet>
  )
}

function Instances({ host, running }: { host: Host; running: Running[] }) {
  const { t } = useTranslation()
  if (running.length === 0) return <Nothing title={t('system:host_empty')}>{t('system:host_empty_yet')}</Nothing>
  return (
    <Rows
      label={t('system:instances_on', { host: host.name })}
      items={running}
      id={({ instance }) => instance.id}
      columns={[
        {
          head: t('system:service'),
          cell: ({ place }) => (
            <>
              <Link to="/services/$service" params={{ service: place.service }}>
                {place.service}
              </Link>
              <div className="soft">
                {place.env} / {place.site}
              </div>
            </>
          ),
        },
        { head: t('system:release'), cell: ({ instance }) => <ReleaseName release={instance.release} /> },
        {
          head: t('system:state'),
          wide: true,
          cell: ({ instance }) => (
            <>
              <InstanceMark phase={instance.phase} /> <span className="soft"><When at={instance.since} /></span>
              {instance.message && <div className="soft">{instance.message}</div>}
            </>
          ),
        },
        { head: t('system:process'), cell: ({ instance }) => <span className="mono">{instance.pid ? `${instance.pid}` : '–'}</span> },
        { head: t('system:address'), cell: ({ instance }) => <span className="mono">{instance.addr ?? '–'}</span> },
        {
          head: t('system:restarts'),
          cell: ({ instance }) => (
            <>
              {count(instance.restarts)}
              {instance.last_exit && <div className="soft">{t('system:last_exit', { exit: instance.last_exit })}</div>}
            </>
          ),
        },
      ]}
    />
  )
}
