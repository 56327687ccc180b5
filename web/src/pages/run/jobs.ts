// What there is to know of a run's jobs.
import type { Job, JobCommand, Run, RunState } from '../../api/schema'

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

/** How a command of a job stands. `forgiven`: it ended with a code other than 0, and the script went on. `broken`: it did
 * not end by itself. `waiting`: it was not begun. */
export type Standing = 'done' | 'failed' | 'forgiven' | 'running' | 'broken' | 'waiting'

export function standing(command: JobCommand, next: JobCommand | undefined, job: Pick<Job, 'state'>): Standing {
  if (!command.started_at) return 'waiting'
  if (typeof command.exit_code === 'number') {
    if (command.exit_code === 0) return 'done'
    return command.after || (next?.started_at && !next.after) ? 'forgiven' : 'failed'
  }
  return job.state === 'running' || job.state === 'canceling' ? 'running' : 'broken'
}

/** So many commands are shown at once. */
const AT_ONCE = 12

/** Of a long script the part round the command one looks for: which one failed, runs, or came last. */
export function inSight(commands: readonly JobCommand[], job: Pick<Job, 'state'>): [number, number] {
  if (commands.length <= AT_ONCE) return [0, commands.length]
  const marked = commands.findIndex((c, n) => ['failed', 'running', 'broken'].includes(standing(c, commands[n + 1], job)))
  const from = marked < 0 ? 0 : Math.max(Math.min(marked - AT_ONCE / 2, commands.length - AT_ONCE), 0)
  return [from, from + AT_ONCE]
}

/** The job as it was in an earlier attempt. */
export function asAttempt(job: Job, attempt: number | undefined): Job {
  const found = attempt === undefined ? undefined : job.attempts?.find((a) => a.attempt === attempt)
  if (!found) return job
  const { state, started_at, log_bytes } = found
  return {
    ...job,
    state,
    started_at,
    finished_at: found.finished_at ?? null,
    exit_code: found.exit_code ?? null,
    message: found.message ?? null,
    log_bytes,
    commands: found.commands ?? [],
  }
}
