// Whether the log can be believed: the chain, its last signed checkpoint, and where those go.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { AuditReport, AuditSink, AuditStatus, Checkpoint } from '../../api/schema'
import { Act } from '../../parts/act'
import { count, Mark } from '../../parts/marks'
import { EVERYTHING, useMay } from '../../parts/may'
import { When } from '../../parts/time'
import { Trouble } from '../../parts/trouble'
import { exportAddress, type Filters } from './filters'

/** A longer log is read from its first event only when somebody asks. */
const READ_AT_ONCE = 50_000

export const chainQuery = { queryKey: ['audit', 'status'], queryFn: () => got(api.GET('/api/v1/audit/status')) }

export function Chain({ status, filters }: { status: AuditStatus; filters: Filters }) {
  const { t } = useTranslation()
  const may = useMay()
  const client = useQueryClient()
  const end = status.head?.seq ?? 0
  const report = useQuery({
    queryKey: ['audit', 'verify'],
    queryFn: () => got(api.GET('/api/v1/audit/verify')),
    enabled: end - status.pruned <= READ_AT_ONCE,
    staleTime: 10 * 60_000,
    refetchOnWindowFocus: false,
  })
  return (
    <section className="sheet chain" aria-label={t('events:chain.title')}>
      <div className="chain-facts">
        <Fact name={t('events:chain.title')}>
          {report.data ? (
            <Verdict report={report.data} at={report.dataUpdatedAt} />
          ) : (
            <span>{t(report.isFetching ? 'events:chain.checking' : 'events:chain.unchecked', { n: count(end) })}</span>
          )}
        </Fact>
        <Fact name={t('events:chain.checkpoint')}>
          {status.checkpoint ? <LastCheckpoint checkpoint={status.checkpoint} end={end} /> : <Mark tone="still">{t('events:chain.no_checkpoint')}</Mark>}
        </Fact>
        <Fact name={t('events:chain.places')}>
          {status.sinks.length === 0 ? (
            <Mark tone="warn">{t('events:chain.no_places')}</Mark>
          ) : (
            status.sinks.map((sink) => <Sink key={`${sink.name} ${sink.target}`} sink={sink} />)
          )}
        </Fact>
      </div>
      {report.isError && <Trouble error={report.error} again={() => void report.refetch()} />}
      {report.data?.finding && (
        <p className="chain-finding" role="alert">
          <strong>{t('events:chain.finding', { n: count(report.data.finding.seq), problem: t(`events:problem.${report.data.finding.problem}`) })}</strong>{' '}
          {report.data.finding.detail}
          <br />
          {t('events:chain.not_vouched')}
        </p>
      )}
      <div className="chain-acts">
        <Button loading={report.isFetching} onClick={() => void report.refetch()}>
          {t('events:chain.check')}
        </Button>
        {may('system', EVERYTHING) && (
          <Act
            label={t('events:chain.make')}
            verb="checkpoint"
            says={t('events:chain.make_says')}
            perform={async () => {
              await got(api.POST('/api/v1/audit/checkpoints', { body: {} }))
              await client.invalidateQueries({ queryKey: chainQuery.queryKey })
            }}
            done={t('events:chain.made')}
          />
        )}
        <span className="chain-export">
          <span className="event-soft">{t('events:chain.export')}</span>
          <a className="chain-file" href={exportAddress(filters, 'jsonl')} download="events.jsonl">
            JSON Lines
          </a>
          <a className="chain-file" href={exportAddress(filters, 'csv')} download="events.csv">
            CSV
          </a>
        </span>
      </div>
    </section>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <h2>{name}</h2>
    {children}
  </div>
)

function Verdict({ report, at }: { report: AuditReport; at: number }) {
  const { t } = useTranslation()
  return (
    <>
      <Mark tone={report.ok ? 'good' : 'bad'}>
        {report.ok
          ? t('events:chain.holds', { n: count(report.head?.seq ?? report.intact) })
          : report.head
            ? t('events:chain.holds_until', { n: count(report.head.seq) })
            : t('events:chain.holds_not')}
      </Mark>
      <small>
        {t('events:chain.checked')} <When at={at} />
        {(report.checkpoints ?? 0) > 0 && ` \u00b7 ${t('events:chain.agree', { count: report.checkpoints ?? 0, n: count(report.checkpoints ?? 0) })}`}
        {(report.pruned ?? 0) > 0 && ` \u00b7 ${t('events:chain.pruned', { n: count(report.pruned ?? 0) })}`}
      </small>
    </>
  )
}

function LastCheckpoint({ checkpoint, end }: { checkpoint: Checkpoint; end: number }) {
  const { t } = useTranslation()
  const save = (): void => {
    const address = URL.createObjectURL(new Blob([checkpoint.note], { type: 'text/plain' }))
    const link = document.createElement('a')
    link.href = address
    link.download = `checkpoint-${checkpoint.seq}.txt`
    link.click()
    URL.revokeObjectURL(address)
  }
  return (
    <>
      <span>
        {t('events:chain.signed', { n: count(checkpoint.seq) })}{' '}
        <button type="button" className="event-more" onClick={save} title={t('events:chain.keep_says')}>
          {t('events:chain.keep')}
        </button>
      </span>
      <small>
        <When at={checkpoint.at} />
        {end > checkpoint.seq && ` \u00b7 ${t('events:chain.since', { count: end - checkpoint.seq, n: count(end - checkpoint.seq) })}`}
      </small>
    </>
  )
}

function Sink({ sink }: { sink: AuditSink }) {
  const { t } = useTranslation()
  return (
    <div className="chain-sink">
      <Mark tone={sink.failing_since ? 'bad' : sink.delivered > 0 ? 'good' : 'still'}>
        {sink.name}: {sink.delivered > 0 ? t('events:chain.delivered', { n: count(sink.delivered) }) : t('events:chain.not_delivered')}
      </Mark>
      <small title={sink.target}>{sink.target}</small>
      {sink.failing_since && (
        <small className="chain-bad">
          {t('events:chain.failing')} <When at={sink.failing_since} />: {sink.error}
        </small>
      )}
    </div>
  )
}
