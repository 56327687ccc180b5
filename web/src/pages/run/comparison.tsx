// This job's log beside that of the last run that succeeded: the first line that differs.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Button, Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Job, Run } from '../../api/schema'
import { Nothing } from '../../parts/page'
import { Trouble } from '../../parts/trouble'
import { parse, PLAIN, settled } from './log/ansi'
import { around, firstDifference, type Pair, type Side } from './log/compare'
import { withoutMarks } from './log/folds'
import { Spans } from './log/line'
import { Walk } from './log/walk'
import './comparison.css'

interface Page {
  items: Run[]
  next?: string | null
}

interface Found {
  run: Run
  job: Job
}

/** Pages of runs that are looked through. */
const PAGES = 5
const SHOWN = 2 << 10

/** The last run before this one in which the same job succeeded: of the same branch where there is one. */
async function lastSuccess(run: Run, job: Job): Promise<Found | null> {
  let after: string | undefined
  let elsewhere: Found | null = null
  for (let n = 0; n < PAGES; n++) {
    const params = { path: { service: run.service }, query: { limit: 100, ...(after !== undefined && { after }) } }
    const page: Page = await got(api.GET('/api/v1/services/{service}/runs', { params }))
    for (const one of page.items) {
      const same = one.jobs.find((j) => j.name === job.name && j.state === 'success')
      if (!same || one.number >= run.number) continue
      if (one.branch === run.branch) return { run: one, job: same }
      elsewhere ??= { run: one, job: same }
    }
    if (!page.next) break
    after = page.next
  }
  return elsewhere
}

const walk = (run: string, job: string, signal: AbortSignal): Walk =>
  new Walk(async (offset, limit) => {
    const params = { path: { run, job }, query: { offset, limit } }
    const call = api.GET('/api/v1/runs/{run}/jobs/{job}/log', { params, parseAs: 'arrayBuffer', signal })
    return new Uint8Array(await got(call as Promise<{ data?: ArrayBuffer }>))
  })

interface Compared {
  other: Found
  mine: Walk
  theirs: Walk
  at: number | undefined
  pairs: Pair[]
}

async function compare(run: Run, job: Job, signal: AbortSignal): Promise<Compared | null> {
  const other = await lastSuccess(run, job)
  if (!other) return null
  const [mine, theirs] = [walk(run.id, job.id, signal), walk(other.run.id, other.job.id, signal)]
  const [left, right]: [Side<Walk>, Side<Walk>] = [{ log: mine, commit: run.commit }, { log: theirs, commit: other.run.commit }]
  const at = await firstDifference(left, right)
  return { other, mine, theirs, at, pairs: at === undefined ? [] : around(left, right, at) }
}

export function Comparison({ run, job, show }: { run: Run; job: Job; show: (line: number) => void }) {
  const { t } = useTranslation()
  const found = useQuery({
    queryKey: ['comparison', job.id, job.started_at],
    queryFn: ({ signal }) => compare(run, job, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  })
  if (found.isError) return <Trouble error={found.error} again={() => void found.refetch()} />
  if (found.isPending) return <Skeleton active title={false} paragraph={{ rows: 8 }} />
  if (found.data === null)
    return (
      <div className="sheet">
        <Nothing title={t('run:compare.none')}>{t('run:compare.none_how', { name: job.name })}</Nothing>
      </div>
    )
  const { other, at, pairs, mine, theirs } = found.data
  return (
    <section className="log comparison" aria-label={t('run:compare.go')}>
      <div className="comparison-head">
        <p>
          {at === undefined ? (
            <>
              {t('run:compare.same')} <Other found={other} />
            </>
          ) : (
            t('run:compare.differs', { line: at + 1 })
          )}{' '}
          <span className="run-soft">{t('run:compare.ignored')}</span>
        </p>
        <span className="comparison-go">
          {at !== undefined && at < mine.lines && <Button onClick={() => show(at + 1)}>{t('run:compare.show')}</Button>}
          {at !== undefined && at < theirs.lines && (
            <Link className="comparison-other" to="/runs/$run" params={{ run: other.run.id }} search={{ job: other.job.id, line: at + 1 }}>
              {t('run:compare.show_there')}
            </Link>
          )}
        </span>
      </div>
      {at !== undefined && (
        <div className="comparison-box" tabIndex={0} role="region" aria-label={t('run:compare.sides')}>
          <table role="table">
            <colgroup>
              <col className="comparison-no" />
              <col />
              <col className="comparison-no" />
              <col />
            </colgroup>
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col" colSpan={2}>
                  <span aria-hidden>+ </span>
                  {t('run:compare.this', { number: run.number })}
                </th>
                <th role="columnheader" scope="col" colSpan={2}>
                  <span aria-hidden>{'\u2212 '}</span>
                  <Other found={other} />
                </th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {pairs.map((pair, n) => (
                <tr key={n} role="row" className={[!pair.same && 'differs', (pair.mine === at || pair.theirs === at) && !pair.same && 'first'].filter(Boolean).join(' ') || undefined}>
                  <Cell log={mine} line={pair.mine} side={pair.same ? undefined : 'mine'} />
                  <Cell log={theirs} line={pair.theirs} side={pair.same ? undefined : 'theirs'} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function Other({ found: { run, job } }: { found: Found }) {
  const { t } = useTranslation()
  return (
    <Link to="/runs/$run" params={{ run: run.id }} search={{ job: job.id }}>
      {t('run:compare.other', { number: run.number })}
    </Link>
  )
}

function Cell({ log, line, side }: { log: Walk; line: number | undefined; side: 'mine' | 'theirs' | undefined }) {
  const { t } = useTranslation()
  const sign = side === undefined || line === undefined ? '' : side === 'mine' ? '+' : '\u2212'
  if (line === undefined) return <td role="cell" colSpan={2} className="gone" aria-label={t('run:compare.no_line')} />
  const text = log.line(line)
  return (
    <>
      <td role="cell" className="log-no">
        {line + 1} <span aria-hidden>{sign}</span>
      </td>
      <td role="cell" className={side ? `log-text ${side}` : 'log-text'}>
        <Spans spans={parse(settled(withoutMarks(text.slice(0, SHOWN))), PLAIN).spans} />
        {text.length > SHOWN && '\u2026'}
      </td>
    </>
  )
}
