// One stream of events feeds all that is shown: an event names what it is about, and what was read of that is read anew.
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { isRefused } from './problem'
import type { Event } from './schema'
import { messages } from './stream'

/** `fresh`: what is shown is what is. `stale`: the stream broke and is being taken up again. `out`: signed out. */
export type Freshness = { state: 'fresh' | 'stale' | 'out'; since: number }

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
  policy: 'policies', freeze: 'freezes', host: 'hosts', certificate: 'certificates', admin: 'system', storage: 'system', audit: 'audit', forge: 'service',
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
    const opened = (): void => {
      // Without a place to resume from, anything may have happened meanwhile.
      if (freshness.state !== 'fresh' && last === undefined) void client.invalidateQueries()
      become('fresh')
    }
    try {
      for await (const message of messages('/api/v1/events/stream', { last, signal: over.signal, opened })) {
        if (message.kind !== 'message') continue
        if (message.id !== undefined) last = message.id
        take(JSON.parse(message.data) as Event)
      }
    } catch (error) {
      if (!isRefused(error, 401) && !isRefused(error, 403)) throw error
      become('out')
      void client.invalidateQueries({ queryKey: ['me'] })
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
