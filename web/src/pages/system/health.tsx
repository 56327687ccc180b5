import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useFreshness } from '../../api/live'
import { versionQuery } from '../../api/queries'
import type { Finding, FindingVerdict, HostProcess, LoopHealth, PlaneHealth, Queue } from '../../api/schema'
import { size } from '../../parts/bytes'
import { Loaded } from '../../parts/loaded'
import { count, Mark, percent, type Tone } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { Ticked } from '../../parts/ticked'
import { span, Took, When } from '../../parts/time'
import { planeQuery } from './queries'

const TONES: Record<FindingVerdict, Tone> = { good: 'good', less: 'warn', bad: 'bad' }

/** Where on this page a finding is seen to. */
const PLACES: Record<string, string> = {
  hosts: 'hosts', backup: 'backups', backup_failed: 'backups', audit_sink: 'audit', event_log: 'audit', certificate: 'certificates', room: 'storage',
  queue_deliveries: 'forges',
}

export function Health() {
  const plane = useQuery(planeQuery)
  return (
    <Loaded of={plane} rows={8}>
      {(health) => (
        <>
          <Findings health={health} />
          <Plane health={health} />
          <Queues queues={health.queues} />
          <Processes processes={health.processes} />
          <Loops loops={health.loops} />
          <HowTo />
        </>
      )}
    </Loaded>
  )
}

function Findings({ health }: { health: PlaneHealth }) {
  const { t } = useTranslation()
  const wrong = health.findings.filter((one) => one.verdict !== 'good')
  const good = health.findings.filter((one) => one.verdict === 'good')
  return (
    <Sheet title={t('system:findings')} extra={<Mark tone={TONES[health.verdict]}>{t(`system:verdict_of.${health.verdict}`)}</Mark>}>
      {wrong.length > 0 && (
        <ul className="findings">
          {wrong.map((one, at) => (
            <li key={`${one.id} ${at}`} className={TONES[one.verdict]}>
              <OneFinding finding={one} />
            </li>
          ))}
        </ul>
      )}
      <details open={wrong.length === 0}>
        <summary>{t('system:findings_good', { count: good.length })}</summary>
        <ul className="findings">
          {good.map((one, at) => (
            <li key={`${one.id} ${at}`}>
              <OneFinding finding={one} />
            </li>
          ))}
        </ul>
      </details>
    </Sheet>
  )
}

function OneFinding({ finding }: { finding: Finding }) {
  const { t } = useTranslation()
  const place = PLACES[finding.id]
  return (
    <>
      <Mark tone={TONES[finding.verdict]}>{t(`system:verdict.${finding.verdict}`)}</Mark>
      <div>
        <div className="finding-found"><Ticked text={finding.found} /></div>
        {finding.fix && <div className="soft"><Ticked text={finding.fix} /></div>}
        {finding.fix && place && (
          <Link to="/system" search={{ tab: place }}>
            {t(`system:tab.${place}`)}
          </Link>
        )}
      </div>
    </>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const ms = (us: number): string => span(Math.max(us / 1_000, 1))

function Plane({ health }: { health: PlaneHealth }) {
  const { t } = useTranslation()
  const version = useQuery(versionQuery)
  const { state, since } = useFreshness()
  const { database, log } = health
  return (
    <Sheet title={t('system:control_plane')}>
      <dl className="host-facts">
        <Fact name={t('system:version')}>
          {health.version}
          {version.data && <span className="soft"> · {t('system:protocols', { api: version.data.api, agent: version.data.agent_protocol })}</span>}
        </Fact>
        <Fact name={t('system:running_for')}>
          <Took from={health.began_at} />
        </Fact>
        <Fact name={t('system:database')}>
          {t(`system:database_kind.${database.kind}`, { defaultValue: database.kind })} · {size(database.bytes)}
        </Fact>
        <Fact name={t('system:database_pace')}>
          {t('system:reading', { time: ms(database.read_us) })}
          {database.writes && <> · {t('system:committing', { time: ms(database.writes.median_us), most: ms(database.writes.slowest_us) })}</>}
        </Fact>
        <Fact name={t('system:event_log')}>
          {t('system:at_event', { seq: count(log.head) })}
          {log.unsealed > 0 && <> · {t('system:unsealed', { count: log.unsealed })}</>}
        </Fact>
        <Fact name={t('system:last_checkpoint')}>
          {log.last_checkpoint ? (
            <>
              {t('system:at_event', { seq: count(log.last_checkpoint) })} · <When at={log.last_checkpoint_at} />
            </>
          ) : (
            t('system:none_yet')
          )}
        </Fact>
        <Fact name={t('system:tab.hosts')}>{t('system:hosts_connected', { connected: count(health.hosts_connected), all: count(health.hosts) })}</Fact>
        <Fact name={t('system:live')}>
          {state === 'fresh' ? <Mark tone="good">{t('system:live_on')}</Mark> : <Mark tone="warn">{t('system:live_off')}</Mark>} <span className="soft"><When at={since} /></span>
        </Fact>
      </dl>
    </Sheet>
  )
}

function Queues({ queues }: { queues: Queue[] }) {
  const { t } = useTranslation()
  return (
    <Sheet title={t('system:queues')}>
      <dl className="host-facts">
        {queues.map((queue) => (
          <Fact key={queue.id} name={t(`system:queue.${queue.id}`, { defaultValue: queue.id })}>
            {queue.waiting === 0 ? (
              <span className="soft">{t('system:nothing_waits')}</span>
            ) : (
              <>
                {t('system:waiting', { count: queue.waiting })}
                {queue.since && <span className="soft"> · <When at={queue.since} /></span>}
              </>
            )}
          </Fact>
        ))}
      </dl>
    </Sheet>
  )
}

/** Of one processor, as per cent. */
export const cpu = (share: number | null | undefined): string => (share === null || share === undefined ? '–' : percent(share * 10_000))

function Processes({ processes }: { processes: HostProcess[] }) {
  const { t } = useTranslation()
  return (
    <Sheet title={t('system:processes')}>
      <Rows
        label={t('system:processes')}
        items={processes}
        id={(one) => `${one.host ?? ''} ${one.pid}`}
        columns={[
          { head: t('system:role'), cell: (one) => <><strong>{t(`system:role_of.${one.role}`)}</strong>{one.host && <div className="soft">{one.host}</div>}</> },
          { head: t('system:process'), cell: (one) => <span className="mono">{one.pid}</span> },
          { head: t('system:memory'), cell: (one) => size(one.memory_bytes) },
          { head: t('system:cpu'), cell: (one) => cpu(one.cpu) },
          { head: t('system:running_for'), cell: (one) => <Took from={one.since} /> },
        ]}
      />
    </Sheet>
  )
}

const loopTone = (one: LoopHealth): Tone => (one.failing_since || one.overdue ? 'bad' : 'good')

function Loops({ loops }: { loops: LoopHealth[] }) {
  const { t } = useTranslation()
  const wrong = loops.filter((one) => loopTone(one) !== 'good').length
  return (
    <Sheet
      title={t('system:loops')}
      extra={wrong === 0 ? <Mark tone="good">{t('system:loops_good', { count: loops.length })}</Mark> : <Mark tone="bad">{t('system:loops_bad', { count: wrong })}</Mark>}
    >
      <details open={wrong > 0}>
        <summary>{t('system:each')}</summary>
      <Rows
        label={t('system:loops')}
        items={[...loops].sort((a, b) => Number(loopTone(a) === 'good') - Number(loopTone(b) === 'good'))}
        id={(one) => one.id}
        columns={[
          { head: t('system:what'), cell: (one) => t(`system:loop.${one.id}`, { defaultValue: one.id }) },
          {
            head: t('system:state'),
            wide: true,
            cell: (one) => (
              <>
                <Mark tone={loopTone(one)}>{t(one.failing_since ? 'system:failing' : one.overdue ? 'system:overdue' : 'system:works')}</Mark>{' '}
                {one.failing_since && <span className="soft"><When at={one.failing_since} /></span>}
                {one.error && <div className="soft mono">{one.error}</div>}
              </>
            ),
          },
          { head: t('system:last_round'), cell: (one) => <When at={one.at} /> },
          { head: t('system:every'), cell: (one) => span(one.every_s * 1_000) },
        ]}
      />
      </details>
    </Sheet>
  )
}

function HowTo() {
  const { t } = useTranslation()
  return (
    <div className="how-to">
      <Sheet title={t('system:doctor')}>
        <p className="soft">{t('system:doctor_says')}</p>
        <Copyable label={t('system:command')} text="tradewind doctor" />
      </Sheet>
      <Sheet title={t('system:upgrade')}>
        <p className="soft">{t('system:upgrade_says')}</p>
        <Copyable label={t('system:command')} text={'sudo install tradewind-new /usr/local/bin/tradewind\nsudo tradewind up'} />
      </Sheet>
    </div>
  )
}
