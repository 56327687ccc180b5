// What there is to know of a run's jobs.
import type { Job, Run, RunState } from '../../api/schema'

export interface Stage {
  name: string
  jobs: Job[]
}

/** In the order of the pipeline. */
export function stagesOf(jobs: readonly Job[]): Stage[] {
  const stages: Stage[] = []
  for (const job of jobs) {
    const last = stages.find((s) => s.name === job.stage)
    if (last) last.jobs.push(job)
    else stages.push({ name: job.stage, jobs: [job] })
  }
  return stages
}

/** What somebody who opens a run looks for: what failed, else what runs or waits, else what came last. */
export function firstToShow(jobs: readonly Job[]): Job | undefined {
  const by = (wanted: (job: Job) => boolean): Job | undefined => jobs.find(wanted)
  return (
    by((j) => j.state === 'failed' && !j.allow_failure) ??
    by((j) => j.state === 'running' || j.state === 'canceling') ??
    by((j) => j.state === 'canceled' && j.log_bytes > 0) ??
    by((j) => j.state === 'failed') ??
    by((j) => j.state === 'manual') ??
    by((j) => j.log_bytes > 0) ??
    jobs[0]
  )
}

/** Stays with the job that is shown, and goes on to the next when that has succeeded and the run goes on. */
export function nextToShow(jobs: readonly Job[], shown: string | undefined): Job | undefined {
  const now = jobs.find((j) => j.id === shown)
  if (!now) return firstToShow(jobs)
  const goesOn = jobs.find((j) => j.state === 'running')
  return now.state === 'success' && goesOn ? goesOn : now
}

const ENDED: readonly RunState[] = ['success', 'success_with_warnings', 'failed', 'canceled', 'skipped']

export const isOver = (run: Run): boolean => ENDED.includes(run.state)

export const jobIsOver = (job: Job): boolean => ['success', 'failed', 'canceled'].includes(job.state)

/** Jobs that a repeat of the run would run again. */
export const repeatable = (run: Run): Job[] => run.jobs.filter((j) => j.state === 'failed' || j.state === 'canceled')
