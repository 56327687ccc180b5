// What is chosen to be shown. It is all in the address, so that a link shows the same.
import type { Attention, Health, ServiceKind } from '../../api/schema'

export type Sort = 'name' | 'attention' | 'changed' | 'owner'

export interface Search {
  q?: string
  env?: string
  health?: Health
  attention?: Attention
  kind?: ServiceKind
  owner?: string
  sort?: Sort
}

export const HEALTHS = ['down', 'degraded', 'unknown', 'healthy', 'empty'] as const satisfies Health[]
export const ATTENTIONS = ['failing', 'degraded', 'unknown', 'under_way', 'frozen'] as const satisfies Attention[]
export const KINDS = ['web', 'worker', 'cron'] as const satisfies ServiceKind[]
export const SORTS = ['name', 'attention', 'changed', 'owner'] as const satisfies Sort[]

const one = <T extends string>(of: readonly T[], value: unknown): T | undefined => of.find((known) => known === value)

/** What an address says, as far as it is understood. */
export function readSearch(said: Record<string, unknown>): Search {
  // An address that only holds digits is read as a number.
  const text = (key: string): string | undefined => {
    const value = said[key]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  }
  const sort = one(SORTS, said['sort'])
  return pruned({
    q: text('q'),
    env: text('env'),
    health: one(HEALTHS, said['health']),
    attention: one(ATTENTIONS, said['attention']),
    kind: one(KINDS, said['kind']),
    owner: text('owner'),
    sort: sort === 'name' ? undefined : sort,
  })
}

type Loose = { [K in keyof Search]: Search[K] | undefined }

/** Without what is not chosen. */
export const pruned = (search: Loose): Search =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== '')) as Search

export const isFiltered = ({ sort: _, ...filters }: Search): boolean => Object.keys(filters).length > 0

const STAGES = [/^(dev|develop|development|local)/, /^(test|testing|qa|ci)/, /^(uat|sandbox|preview)/, /^(stag|stage|staging|pre)/, /^(canary|beta)/, /^(prod|live)/]

/** As releases travel: development first, production last, what is not known in between. */
export function inOrder(environments: readonly string[]): string[] {
  const rank = (name: string): number => {
    const known = STAGES.findIndex((stage) => stage.test(name))
    return known < 0 ? 3.5 : known
  }
  return [...environments].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
}
