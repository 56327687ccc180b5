// The lines of a service's instances, as they are kept while one reads them.
import type { LogLine } from '../../api/schema'

export interface Kept extends LogLine {
  /** Counts as they came. */
  key: number
}

export interface Held {
  lines: Kept[]
  /** How many came at all. */
  came: number
  /** Dropped from the front. */
  dropped: number
  notices: string[]
}

export const MOST = 50_000
const NOTICES = 5
export const EMPTY: Held = { lines: [], came: 0, dropped: 0, notices: [] }

/** Each instance's lines come in order, those of several do not; they are put in the order in which they were written. */
export function held(before: Held, lines: LogLine[], notices: string[]): Held {
  let { came } = before
  // After a break what has the time of the last line is told once more.
  const seen = new Set<string>()
  const edge = before.lines.at(-1)?.at
  if (edge !== undefined)
    for (let i = before.lines.length - 1; i >= 0 && (before.lines[i]?.at ?? '') >= edge; i--) {
      const old = before.lines[i]
      if (old) seen.add(identity(old))
    }
  const fresh = lines.filter((l) => !seen.has(identity(l))).map((l): Kept => ({ ...l, key: came++ }))
  const all = before.lines.concat(fresh)
  const sorted = fresh.some((l, i) => l.at < ((i === 0 ? before.lines.at(-1)?.at : fresh[i - 1]?.at) ?? ''))
  if (sorted) all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.key - b.key))
  const over = Math.max(all.length - MOST, 0)
  return {
    lines: over > 0 ? all.slice(over) : all,
    came,
    dropped: before.dropped + over,
    notices: notices.length === 0 ? before.notices : [...new Set([...before.notices, ...notices])].slice(-NOTICES),
  }
}

const identity = (l: LogLine): string => `${l.instance} ${l.at} ${l.text}`

/** Finds a text as it is written, without regard to case. */
export const patternOf = (said: string): RegExp | undefined =>
  said === '' ? undefined : new RegExp(said.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu')
