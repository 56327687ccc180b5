// Follows the lines of a service's instances, through breaks, until told to stop.
import { useEffect, useState } from 'react'
import { Refused } from '../../api/problem'
import type { LogLine, LogUpdate } from '../../api/schema'
import { messages } from '../../api/stream'
import { EMPTY, type Held, held } from './lines'

export interface Wanted {
  service: string
  env: string
  site: string
  release: string
  tail: number
  follow: boolean
}

export type Tailing = 'reading' | 'following' | 'broken' | 'ended'

const GATHER_MS = 150
const PAUSE_MS = 2_000

const addressOf = (w: Wanted): string => {
  const query = new URLSearchParams({ env: w.env, tail: String(w.tail), follow: String(w.follow) })
  if (w.site) query.set('site', w.site)
  if (w.release) query.set('release', w.release)
  return `/api/v1/services/${encodeURIComponent(w.service)}/logs?${query}`
}

/** `again` counts how often it was asked for anew. */
export function useTail(wanted: Wanted, again: number): { held: Held; state: Tailing; error: unknown } {
  const { service, env, site, release, tail, follow } = wanted
  const [all, setAll] = useState<Held>(EMPTY)
  const [state, setState] = useState<Tailing>('reading')
  const [error, setError] = useState<unknown>()

  useEffect(() => {
    const over = new AbortController()
    let lines: LogLine[] = []
    let notices: string[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    let last: string | undefined
    setAll(EMPTY)
    setError(undefined)
    setState('reading')

    const flush = (): void => {
      timer = undefined
      const [come, said] = [lines, notices]
      lines = []
      notices = []
      setAll((before) => held(before, come, said))
    }
    const take = (update: LogUpdate): void => {
      if (update.type === 'line') lines.push(update)
      else notices.push(update.text)
      timer ??= setTimeout(flush, GATHER_MS)
    }
    /** Whether there is more to come. */
    const once = async (): Promise<boolean> => {
      const opened = (): void => {
        setState(follow ? 'following' : 'reading')
        setError(undefined)
      }
      const url = addressOf({ service, env, site, release, tail, follow })
      for await (const message of messages(url, { last, signal: over.signal, opened })) {
        // What comes of several instances is not in order of time: the latest counts.
        if (message.id !== undefined && (last === undefined || BigInt(message.id) > BigInt(last))) last = message.id
        if (message.kind === 'end') return false
        if (message.kind === 'message') take(JSON.parse(message.data) as LogUpdate)
      }
      return follow
    }
    const loop = async (): Promise<void> => {
      while (!over.signal.aborted) {
        try {
          if (!(await once())) return setState('ended')
        } catch (fault) {
          if (over.signal.aborted) return
          if (fault instanceof Refused) {
            setError(fault)
            return setState('ended')
          }
        }
        if (over.signal.aborted) return
        setState('broken')
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    }
    void loop()
    return () => {
      over.abort()
      clearTimeout(timer)
    }
  }, [service, env, site, release, tail, follow, again])

  return { held: all, state, error }
}
