// Fetches a job's log, by its offsets, and goes on while the job runs.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { api, got } from '../../../api/client'
import { isRefused, mayPass } from '../../../api/problem'
import type { Job } from '../../../api/schema'
import { LogText } from './text'

/** A longer log is shown from its end first. */
const WHOLE_BYTES = 4 << 20
const END_BYTES = 1 << 20
const QUICKEST_MS = 700
const SLOWEST_MS = 3_000

export interface LoadedLog {
  log: LogText
  /** Grows with each change of `log`. */
  version: number
  /** `following`: the job runs, and more may come. */
  state: 'loading' | 'following' | 'complete' | 'broken'
  error: unknown
  /** Read what was left out before the end. */
  readWhole: () => void
  again: () => void
}

class Source {
  log: LogText
  state: LoadedLog['state'] = 'loading'
  error: unknown
  version = 0
  private watchers = new Set<() => void>()
  private frame = 0

  constructor(from: number, expected: number) {
    this.log = new LogText(from, expected)
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

async function readOn(run: string, job: string, source: Source, signal: AbortSignal): Promise<number> {
  const offset = source.log.next
  const params = { path: { run, job }, query: offset > 0 ? { offset } : {} }
  const stream = await got(api.GET('/api/v1/runs/{run}/jobs/{job}/log', { params, signal, parseAs: 'stream' }) as Promise<{ data?: ReadableStream<Uint8Array> | null }>)
  const reader = stream?.getReader()
  let bytes = 0
  while (reader) {
    const { value, done } = await reader.read()
    // Who stopped it may have begun anew from here.
    if (done || signal.aborted) break
    bytes += value.length
    source.log.append(value)
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

/** `fromStart`: a line is wanted by its number, so all before it has to be here. */
export function useLog(run: string, job: Job, fromStart: boolean): LoadedLog {
  const [whole, setWhole] = useState(false)
  const [attempt, setAttempt] = useState(0)
  const over = job.finished_at !== null && job.finished_at !== undefined
  const isOver = useRef(over)
  isOver.current = over
  const begun = job.started_at ?? ''
  const bytes = useRef(job.log_bytes)
  bytes.current = job.log_bytes
  const make = (): Source => {
    const from = whole || fromStart || bytes.current <= WHOLE_BYTES ? 0 : bytes.current - END_BYTES
    return new Source(from, bytes.current - from + 1)
  }
  const key = `${job.id} ${begun} ${whole || fromStart} ${attempt}`
  const kept = useRef<{ key: string; source: Source }>(undefined)
  if (kept.current?.key !== key) kept.current = { key, source: make() }
  const { source } = kept.current

  useEffect(() => {
    const stop = new AbortController()
    const { signal } = stop
    const go = async (): Promise<void> => {
      let pause = QUICKEST_MS
      while (!signal.aborted) {
        // Asked before it is read: what was written when the job was over is there by then.
        const last = isOver.current
        let grown = 0
        try {
          grown = await readOn(run, job.id, source, signal)
        } catch (error) {
          if (signal.aborted) return
          source.become('broken', error)
          if (isRefused(error) && !mayPass(error)) return
          await wait(SLOWEST_MS, signal)
          continue
        }
        if (signal.aborted) return
        if (last) {
          source.log.finish()
          return source.become('complete')
        }
        source.become('following')
        // The stream of a run tells every job's log from its first byte; asking for what is new is far less.
        pause = grown > 0 ? QUICKEST_MS : Math.min(pause * 1.4, SLOWEST_MS)
        await wait(pause, signal)
        while (document.hidden && !signal.aborted) await wait(SLOWEST_MS, signal)
      }
    }
    if (source.state === 'complete' || begun === '') return
    void go()
    return () => stop.abort()
  }, [run, job.id, begun, source])

  const version = useSyncExternalStore(
    source.watch,
    useCallback(() => source.version, [source]),
  )
  return {
    log: source.log,
    version,
    state: source.state,
    error: source.error,
    readWhole: () => setWhole(true),
    again: () => setAttempt(attempt + 1),
  }
}
