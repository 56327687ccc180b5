import { useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Job, Run } from '../../api/schema'
import { Act } from '../../parts/act'
import { useMay } from '../../parts/may'
import { Nothing } from '../../parts/page'
import { Took, When } from '../../parts/time'
import { Comparison } from './comparison'
import { useJobName } from './graph'
import { jobIsOver } from './jobs'
import { LogView } from './log/view'
import { StateMark } from './marks'

interface Props {
  run: Run
  job: Job
  line: number | undefined
  choose: (line: number | undefined) => void
}

/** The chosen job: how it stands, what can be done with it, and what it wrote. */
export function JobPanel({ run, job, line, choose }: Props) {
  const { t } = useTranslation()
  const name = useJobName()(job)
  const may = useMay()('run')
  const [comparing, setComparing] = useState(false)
  const said = [
    job.exit_code && !job.message ? t('run:log.exit', { code: job.exit_code }) : undefined,
    job.message ?? undefined,
    job.allow_failure && job.state === 'failed' ? t('run:forgiven_says') : undefined,
  ].filter(Boolean)
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
        </div>
        <div className="run-job-acts">
          {job.log_bytes > 0 && jobIsOver(job) && (
            <Button aria-pressed={comparing} className={comparing ? 'log-toggle on' : 'log-toggle'} onClick={() => setComparing(!comparing)}>
              {t(comparing ? 'run:compare.leave' : 'run:compare.go')}
            </Button>
          )}
          <JobActions run={run} job={job} name={name} />
        </div>
      </div>
      {comparing ? (
        <Comparison
          run={run}
          job={job}
          show={(at) => {
            setComparing(false)
            choose(at)
          }}
        />
      ) : job.started_at ? (
        <LogView
          key={`${job.id} ${job.started_at}`}
          run={run.id}
          job={job}
          name={`${run.service}-${run.number}-${job.name.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.log`}
          line={line}
          choose={choose}
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

function JobActions({ run, job, name }: { run: Run; job: Job; name: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const may = useMay()('run')
  const params = { path: { run: run.id, job: job.id } }
  const told = (now: Run): Run | undefined => client.setQueryData<Run>(['run', run.id], now)
  if (!may) return null
  if (job.state === 'manual')
    return (
      <Act
        label={t('run:act.start')}
        primary
        says={t('run:act.start_says', { name })}
        reason="welcome"
        perform={async (reason) => told(await got(api.POST('/api/v1/runs/{run}/jobs/{job}/start', { params, body: { reason } })))}
        done={t('run:act.start_done', { name })}
      />
    )
  if (!jobIsOver(job)) return null
  return (
    <Act
      label={t('run:act.retry')}
      says={t('run:act.retry_says', { name })}
      reason="welcome"
      perform={async (reason) => told(await got(api.POST('/api/v1/runs/{run}/jobs/{job}/retry', { params, body: { reason } })))}
      done={t('run:act.retry_done', { name })}
    />
  )
}
