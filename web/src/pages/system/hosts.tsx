import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { Host, Instance, Machine, PlaceStatus } from '../../api/schema'
import { Act } from '../../parts/act'
import { size } from '../../parts/bytes'
import { HistoryOf } from '../../parts/history'
import { Loaded } from '../../parts/loaded'
import { count, InstanceMark, Mark, ReleaseName } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, Took, When } from '../../parts/time'
import { cpu } from './health'
import { everywhereQuery, hostsQuery } from './queries'

interface Running {
  place: PlaceStatus
  instance: Instance
}

const on = (host: Host, places: PlaceStatus[]): Running[] =>
  places.flatMap((place) => place.instances.filter((instance) => instance.host === host.name).map((instance) => ({ place, instance })))

export function Hosts({ may }: { may: boolean }) {
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
            <OneHost key={host.id} host={host} may={may}>
              <Loaded of={places}>{(all) => <Instances host={host} running={on(host, all)} />}</Loaded>
            </OneHost>
          ))
        )
      }
    </Loaded>
  )
}

function OneHost({ host, may, children }: { host: Host; may: boolean; children: ReactNode }) {
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
      {host.machine && <Vitals machine={host.machine} />}
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
        <div>
          <dt>{t('system:last_heard')}</dt>
          <dd>
            <When at={host.connected ? (host.machine?.at ?? host.last_seen_at) : host.last_seen_at} />
          </dd>
        </div>
      </dl>
      {children}
      <div className="sheet-do host-do">
        <HistoryOf subject={`host/${host.name}`} />
        {may && !host.connected && <Remove host={host} />}
      </div>
    </Sheet>
  )
}

/** Little is left: a build may run out of it. */
const scarce = (free: number, all: number): boolean => free < Math.min(all * 0.1, 2 ** 31)

function Vitals({ machine }: { machine: Machine }) {
  const { t } = useTranslation()
  const own = machine.processes.filter((one) => one.role !== 'instance')
  const left = (free: number, all: number) => (
    <Mark tone={scarce(free, all) ? 'warn' : 'good'}>{t('system:free_of', { free: size(free), all: size(all) })}</Mark>
  )
  return (
    <dl className="host-facts">
      <div>
        <dt>{t('system:version')}</dt>
        <dd>
          {machine.version} <div className="soft">{machine.system}</div>
        </dd>
      </div>
      <div>
        <dt>{t('system:load')}</dt>
        <dd>
          <Mark tone={machine.load[1]! > machine.cpus * 2 ? 'warn' : 'good'}>{machine.load.map((n) => n.toFixed(2)).join(' ')}</Mark>
          <div className="soft">{t('system:cpus', { count: machine.cpus })}</div>
        </dd>
      </div>
      <div>
        <dt>{t('system:memory')}</dt>
        <dd>{left(machine.memory_free_bytes, machine.memory_bytes)}</dd>
      </div>
      <div>
        <dt>{t('system:disk')}</dt>
        <dd>{left(machine.disk_free_bytes, machine.disk_bytes)}</dd>
      </div>
      <div>
        <dt>{t('system:up_for')}</dt>
        <dd>
          <Took from={machine.booted_at} />
        </dd>
      </div>
      {own.map((one) => (
        <div key={one.pid}>
          <dt>{t(`system:role_of.${one.role}`)}</dt>
          <dd>
            {size(one.memory_bytes)} · {cpu(one.cpu)}
            <div className="soft mono">{one.pid}</div>
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Remove({ host }: { host: Host }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  return (
    <Act
      label={t('system:host_remove')}
      danger
      reason="needed"
      says={t('system:host_remove_says', { host: host.name })}
      perform={async (reason) => {
        await api.DELETE('/api/v1/hosts/{host}', { params: { path: { host: host.name }, query: { reason } } })
        await client.invalidateQueries({ queryKey: ['hosts'] })
      }}
      done={t('system:host_removed', { host: host.name })}
    />
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
        {
          head: t('system:process'),
          cell: ({ instance }) => {
            const use = host.machine?.processes.find((one) => one.instance === instance.id)
            return (
              <>
                <span className="mono">{instance.pid ? `${instance.pid}` : '–'}</span>
                {use && <div className="soft">{size(use.memory_bytes)} · {cpu(use.cpu)}</div>}
              </>
            )
          },
        },
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
