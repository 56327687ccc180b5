import { useQueryClient } from '@tanstack/react-query'
import { Button, Segmented } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Job, Run } from '../../api/schema'
import { Act } from '../../parts/act'
import { useMay } from '../../parts/may'
import { Nothing } from '../../parts/page'
import { StateMark } from '../../parts/state'
import { Took, When } from '../../parts/time'
import { Commands } from './commands'
import { Comparison } from './comparison'
import { useJobName } from './graph'
import { asAttempt, jobIsOver } from './jobs'
import { LogView } from './log/view'

interface Props {
  run: Run
  job: Job
  line: number | undefined
  choose: (line: number | undefined) => void
  /** Another job. */
  go: (job: Job) => void
}

/** The chosen job: how it stands, what can be done with it, and what it wrote. */
export function JobPanel({ run, job: now, line: linked, choose, go }: Props) {
  const { t } = useTranslation()
  const name = useJobName()(now)
  const may = useMay()('run', { service: run.service })
  const [comparing, setComparing] = useState(false)
  // An earlier attempt; what an address names is in the last.
  const [attempt, setAttempt] = useState<number>()
  const [earlierLine, setEarlierLine] = useState<number>()
  const earlier = now.attempts ?? []
  const job = asAttempt(now, attempt)
  const [line, show] = attempt === undefined ? [linked, choose] : [earlierLine, setEarlierLine]
  const said = [
    job.exit_code && !job.message ? t('run:log.exit', { code: job.exit_code }) : undefined,
    job.message ?? undefined,
    job.allow_failure && job.state === 'failed' ? t('run:forgiven_says') : undefined,
  ].filter(Boolean)
  const file = `${run.service}-${run.number}-${job.name.replace(/[^\p{L}\p{N}._-]+/gu, '-')}${attempt === undefined ? '' : `-${attempt}`}.log`
  return (
    <>
      <div className="run-job">
        <div className="run-job-head">
          <h2>{name}</h2>
          <StateMark state={job.state} forgiven={job.allow_failure} />
          {job.started_at && (
            <span className="run-soft">
              <When at={job.started_at} /> · <Took from={job.started_at} to={job.finished_at} />
            </span>
          )}
          {said.length > 0 && <span className={job.state === 'failed' && !job.allow_failure ? 'run-said bad' : 'run-said'}>{said.join(' · ')}</span>}
          <Needs run={run} job={now} go={go} />
        </div>
        <div className="run-job-acts">
          {earlier.length > 0 && (
            <Segmented
              aria-label={t('run:attempt.choose')}
              value={attempt ?? 0}
              onChange={(n) => {
                setAttempt(n === 0 ? undefined : n)
                setEarlierLine(undefined)
                setComparing(false)
              }}
              options={[
                ...earlier.map((one) => ({ value: one.attempt, label: t('run:attempt.nth', { n: one.attempt }) })),
                { value: 0, label: t('run:attempt.last', { n: now.attempt ?? earlier.length + 1 }) },
              ]}
            />
          )}
          {job.log_bytes > 0 && jobIsOver(job) && attempt === undefined && (
            <Button aria-pressed={comparing} className={comparing ? 'log-toggle on' : 'log-toggle'} onClick={() => setComparing(!comparing)}>
              {t(comparing ? 'run:compare.leave' : 'run:compare.go')}
            </Button>
          )}
          <JobActions run={run} job={now} name={name} />
        </div>
      </div>
      <Commands
        job={job}
        show={(at) => {
          setComparing(false)
          show(at)
        }}
      />
      {comparing ? (
        <Comparison
          run={run}
          job={job}
          show={(at) => {
            setComparing(false)
            show(at)
          }}
        />
      ) : job.started_at ? (
        <LogView
          key={`${job.id} ${attempt} ${job.started_at}`}
          run={run.id}
          job={job}
          attempt={attempt}
          name={file}
          line={line}
          choose={show}
          address={(n) => `/runs/${run.id}?job=${job.id}&line=${n}`}
        />
      ) : (
        <div className="sheet">
          <Nothing title={t(`run:none.${job.state}`, { defaultValue: t('run:none.created') })}>{!may && job.state === 'manual' && t('run:may_not')}</Nothing>
        </div>
      )}
    </>
  )
}

/** What the lines of the graph say, in words. */
function Needs({ run, job, go }: { run: Run; job: Job; go: (job: Job) => void }) {
  const { t } = useTranslation()
  if (!job.needs) return null
  if (job.needs.length === 0) return <span className="run-soft">{t('run:needs_nothing')}</span>
  return (
    <span className="run-needs run-soft">
      {t('run:needs')}
      {job.needs.map((name) => {
        const needed = run.jobs.find((j) => j.name === name)
        return (
          <button key={name} type="button" disabled={!needed} onClick={() => needed && go(needed)}>
            {name}
          </button>
        )
      })}
    </span>
  )
}

function JobActions({ run, job, name }: { run: Run; job: Job; name: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const may = useMay()('run', { service: run.service })
  const params = { path: { run: run.id, job: job.id } }
  const told = (now: Run): Run | undefined => client.setQueryData<Run>(['run', run.id], now)
  if (!may) return null
  return (
    <>
      {job.state === 'manual' && (
        <Act
          label={t('run:act.start')}
          primary
          says={t('run:act.start_says', { name })}
          reason="welcome"
          perform={async (reason) => told(await got(api.POST('/api/v1/runs/{run}/jobs/{job}/start', { params, body: { reason } })))}
          done={t('run:act.start_done', { name })}
        />
      )}
      {(job.state === 'running' || job.state === 'pending') && (
        <Act
          label={t('run:act.cancel_job')}
          danger
          says={t('run:act.cancel_job_says', { name })}
          reason="welcome"
          perform={async (reason) => told(await got(api.POST('/api/v1/runs/{run}/jobs/{job}/cancel', { params, body: { reason } })))}
          done={t('run:act.cancel_job_done', { name })}
        />
      )}
      {jobIsOver(job) && (
        <Act
          label={t('run:act.retry')}
          says={t('run:act.retry_says', { name })}
          reason="welcome"
          perform={async (reason) => told(await got(api.POST('/api/v1/runs/{run}/jobs/{job}/retry', { params, body: { reason } })))}
          done={t('run:act.retry_done', { name })}
        />
      )}
    </>
  )
}
