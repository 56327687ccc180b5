// How the differences between two releases are put before people.
import type { SpecChange } from '../../api/schema'

export const AREAS = ['env', 'limits', 'secrets', 'strategy', 'rest'] as const
export type Area = (typeof AREAS)[number]

/** The part of the spec that a key belongs to, wherever it stands. */
export function areaOf(key: string): Area {
  const own = key.replace(/^environments\.[^.[]+\./, '')
  const [top = '', next = ''] = own.split(/[.[]/)
  if (top === 'env' || (top === 'run' && next === 'env')) return 'env'
  if (top === 'limits' || top === 'instances' || (top === 'run' && ['limits', 'instances', 'shards'].includes(next))) return 'limits'
  if (top === 'secrets' || (top === 'run' && next === 'secrets')) return 'secrets'
  return top === 'strategy' || top === 'metrics' ? 'strategy' : 'rest'
}

export const areasOf = (changes: SpecChange[]): { area: Area; changes: SpecChange[] }[] =>
  AREAS.map((area) => ({ area, changes: changes.filter((c) => areaOf(c.key) === area) })).filter((a) => a.changes.length > 0)

/** Whether it concerns another environment than this alone. */
export const elsewhere = (key: string, env: string | undefined): boolean => {
  const named = /^environments\.([^.[]+)/.exec(key)?.[1]
  return env !== undefined && named !== undefined && named !== env
}

export type Sort = 'in' | 'out' | 'head' | 'same'

const SORTS: Record<string, Sort> = { '+': 'in', '-': 'out', '@': 'head' }

/** Of a unified text, line by line. */
export const linesOf = (text: string): { sort: Sort; text: string }[] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => ({ sort: SORTS[line.charAt(0)] ?? 'same', text: line }))
