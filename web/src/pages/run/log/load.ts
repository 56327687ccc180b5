// Fetches a job's log, by its offsets, and goes on while the job runs. A short one is here whole; of a long one only what
// is in sight.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { api, got } from '../../../api/client'
import { isRefused, mayPass } from '../../../api/problem'
import type { Job } from '../../../api/schema'
import { PagedLog, readerOf } from './paged'
import { LogText } from './text'

/** A longer log is not carried whole. */
const WHOLE_BYTES = 5_000_000
/** One that is here and grows is carried up to this. */
const MOST_BYTES = 16_000_000
const QUICKEST_MS = 700
const SLOWEST_MS = 3_000

export type ShownLog = LogText | PagedLog

export interface LoadedLog {
  log: ShownLog
  /** Grows with each change of `log`. */
  version: number
  /** `following`: the job runs, and more may come. */
  state: 'loading' | 'following' | 'complete' | 'broken'
  error: unknown
  again: () => void
}

class Source {
  log: ShownLog
  state: LoadedLog['state'] = 'loading'
  error: unknown
  version = 0
  private watchers = new Set<() => void>()
  private frame = 0

  constructor(run: string, job: string, attempt: number | undefined, bytes: number, paged: boolean) {
    this.log = paged
      ? new PagedLog(
          readerOf(run, job, attempt),
          () => this.changed(),
          (error) => this.become('broken', error),
        )
      : new LogText(0, bytes + 1)
  }

  watch = (w: () => void): (() => void) => {
    this.watchers.add(w)
    return () => this.watchers.delete(w)
  }

  /** Pieces come faster than they can be shown. */
  changed(): void {
    if (this.frame) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      this.version++
      this.watchers.forEach((w) => w())
    })
  }

  become(state: LoadedLog['state'], error?: unknown): void {
    this.state = state
    this.error = error
    this.changed()
  }
}

async function readOn(run: string, job: string, attempt: number | undefined, source: Source, log: LogText, signal: AbortSignal): Promise<number> {
  const query = { ...(log.next > 0 && { offset: log.next }), ...(attempt !== undefined && { attempt }) }
  const params = { path: { run, job }, query }
  const stream = await got(api.GET('/api/v1/runs/{run}/jobs/{job}/log', { params, signal, parseAs: 'stream' }) as Promise<{ data?: ReadableStream<Uint8Array> | null }>)
  const reader = stream?.getReader()
  let bytes = 0
  while (reader) {
    const { value, done } = await reader.read()
    // Who stopped it may have begun anew from here.
    if (done || signal.aborted) break
    bytes += value.length
    log.append(value)
    source.changed()
  }
  return bytes
}

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** `attempt`: an earlier one; the last where it is left out. */
export function useLog(run: string, job: Pick<Job, 'id' | 'started_at' | 'finished_at' | 'log_bytes'>, attempt?: number): LoadedLog {
  const [paged, setPaged] = useState(job.log_bytes > WHOLE_BYTES)
  const [again, setAgain] = useState(0)
  const over = job.finished_at !== null && job.finished_at !== undefined
  const isOver = useRef(over)
  isOver.current = over
  const begun = job.started_at ?? ''
  const bytes = useRef(job.log_bytes)
  bytes.current = job.log_bytes
  const key = `${job.id} ${attempt} ${begun} ${paged} ${again}`
  const kept = useRef<{ key: string; source: Source }>(undefined)
  if (kept.current?.key !== key) kept.current = { key, source: new Source(run, job.id, attempt, bytes.current, paged) }
  const { source } = kept.current

  useEffect(() => {
    const stop = new AbortController()
    const { signal } = stop
    /** Whether the log is whole. */
    const readOnce = async (): Promise<{ grown: boolean; last: boolean }> => {
      // Asked before it is read: what was written when the job was over is there by then.
      const last = isOver.current
      const { log } = source
      if (log.paged) {
        const before = log.size
        const ended = await log.refresh()
        return { grown: log.size > before, last: ended }
      }
      const grown = await readOn(run, job.id, attempt, source, log, signal)
      if (last && !signal.aborted) log.finish()
      else if (log.size > MOST_BYTES) setPaged(true)
      return { grown: grown > 0, last }
    }
    const go = async (): Promise<void> => {
      let pause = QUICKEST_MS
      while (!signal.aborted) {
        let read: { grown: boolean; last: boolean }
        try {
          read = await readOnce()
        } catch (error) {
          if (signal.aborted) return
          source.become('broken', error)
          if (isRefused(error) && !mayPass(error)) return
          await wait(SLOWEST_MS, signal)
          continue
        }
        if (signal.aborted) return
        if (read.last) return source.become('complete')
        source.become('following')
        // Asked for from the byte where it broke off; a stream of one's own for each page that is open is more than
        // browsers have connections for.
        pause = read.grown ? QUICKEST_MS : Math.min(pause * 1.4, SLOWEST_MS)
        await wait(pause, signal)
        while (document.hidden && !signal.aborted) await wait(SLOWEST_MS, signal)
      }
    }
    if (source.state === 'complete' || begun === '') return
    void go()
    return () => stop.abort()
  }, [run, job.id, attempt, begun, source])

  const version = useSyncExternalStore(
    source.watch,
    useCallback(() => source.version, [source]),
  )
  return {
    log: source.log,
    version,
    state: source.state,
    error: source.error,
    again: () => setAgain(again + 1),
  }
}
