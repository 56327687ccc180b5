// One stream of events feeds all that is shown: an event names what it is about, and what was read of that is read anew.
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import type { Event } from './schema'

/** `fresh`: what is shown is what is. `stale`: the stream broke and is being taken up again. `out`: signed out. */
export type Freshness = { state: 'fresh' | 'stale' | 'out'; since: number }

/** The server says something every 10 s. */
const SILENCE_MS = 25_000
const LONGEST_PAUSE_MS = 15_000
/** Events come in bursts; caches are told once. */
const GATHER_MS = 200

let freshness: Freshness = { state: 'fresh', since: Date.now() }
const watchers = new Set<() => void>()
const listeners = new Set<(event: Event) => void>()

const become = (state: Freshness['state']): void => {
  if (state === freshness.state) return
  freshness = { state, since: Date.now() }
  watchers.forEach((w) => w())
}

export const useFreshness = (): Freshness =>
  useSyncExternalStore(
    (watch) => {
      watchers.add(watch)
      return () => watchers.delete(watch)
    },
    () => freshness,
  )

/** Called with each event as it comes; returns how to stop. */
export function onEvent(listen: (event: Event) => void): () => void {
  listeners.add(listen)
  return () => listeners.delete(listen)
}

const AREAS: Record<string, string> = {
  user: 'people', group: 'people', grant: 'people', invitation: 'people', token: 'people', session: 'people', role: 'people', access: 'people',
  policy: 'policies', freeze: 'freezes', host: 'hosts', certificate: 'certificates', admin: 'system', audit: 'audit', forge: 'service',
}

/** The keys of what an event is about, as `queries.ts` names them. */
export function keysOf(event: Event): QueryKey[] {
  const keys: QueryKey[] = [['events']]
  const [kind = '', id = ''] = event.subject.split('/')
  if (kind === 'rollout' || kind === 'run') keys.push([kind, id])
  if (event.service) keys.push(['service', event.service], ['overview'])
  const area = AREAS[event.kind.split('.')[0] ?? '']
  if (area) keys.push([area])
  if (area === 'freezes' || area === 'hosts') keys.push(['overview'])
  return keys
}

/** What a stream of server-sent events says, piece by piece (WHATWG HTML, 9.2.6). */
export class Parser {
  private rest = ''
  private id: string | undefined
  private kind = ''
  private data: string[] = [];

  *feed(text: string): Generator<{ id: string | undefined; kind: string; data: string }> {
    const lines = (this.rest + text).split(/\r\n|\n|\r/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (this.data.length) yield { id: this.id, kind: this.kind || 'message', data: this.data.join('\n') }
        this.kind = ''
        this.data = []
        continue
      }
      const colon = line.indexOf(':')
      if (colon === 0) continue
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'data') this.data.push(value)
      else if (field === 'event') this.kind = value
      else if (field === 'id') this.id = value
    }
  }
}

/** Follows until it is told to stop. */
export function follow(client: QueryClient): () => void {
  const over = new AbortController()
  const touched = new Map<string, QueryKey>()
  let last: string | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const flush = (): void => {
    timer = undefined
    for (const key of touched.values()) void client.invalidateQueries({ queryKey: key })
    touched.clear()
  }
  const take = (event: Event): void => {
    for (const key of keysOf(event)) touched.set(JSON.stringify(key), key)
    timer ??= setTimeout(flush, GATHER_MS)
    listeners.forEach((listen) => listen(event))
  }

  const once = async (): Promise<void> => {
    const attempt = new AbortController()
    const stop = (): void => attempt.abort()
    over.signal.addEventListener('abort', stop)
    let silence: ReturnType<typeof setTimeout> | undefined
    const heard = (): void => {
      clearTimeout(silence)
      silence = setTimeout(stop, SILENCE_MS)
    }
    try {
      heard()
      const answer = await fetch('/api/v1/events/stream', {
        headers: { Accept: 'text/event-stream', ...(last === undefined ? {} : { 'Last-Event-ID': last }) },
        signal: attempt.signal,
      })
      if (answer.status === 401 || answer.status === 403) {
        become('out')
        void client.invalidateQueries({ queryKey: ['me'] })
        return
      }
      if (!answer.ok || !answer.body) throw new Error(`${answer.status}`)
      // Without a place to resume from, anything may have happened meanwhile.
      if (freshness.state !== 'fresh' && last === undefined) void client.invalidateQueries()
      become('fresh')
      const parser = new Parser()
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { value, done } = await reader.read()
        if (done) return
        heard()
        for (const message of parser.feed(value)) {
          if (message.kind !== 'message') continue
          if (message.id !== undefined) last = message.id
          take(JSON.parse(message.data) as Event)
        }
      }
    } finally {
      clearTimeout(silence)
      over.signal.removeEventListener('abort', stop)
      stop()
    }
  }

  const loop = async (): Promise<void> => {
    let pause = 500
    while (!over.signal.aborted) {
      const began = Date.now()
      await once().catch(() => {})
      if (over.signal.aborted) return
      if (freshness.state === 'fresh') become('stale')
      if (Date.now() - began > 5_000) pause = 500
      await new Promise((resolve) => setTimeout(resolve, pause))
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    }
  }
  void loop()
  return () => {
    over.abort()
    clearTimeout(timer)
  }
}
