// Which events are shown, as the address says it.
import type { Actor, Event } from '../../api/schema'

export const FILTERS = ['service', 'env', 'kind', 'actor', 'subject', 'since', 'until'] as const
export type Filter = (typeof FILTERS)[number]
export type Filters = Partial<Record<Filter, string>>

/** What of an address is a filter; a time that is none is left out. */
export function filtersOf(search: Readonly<Record<string, unknown>>): Filters {
  const filters: Filters = {}
  for (const name of FILTERS) {
    const said = search[name]
    if (typeof said !== 'string' || said.trim() === '') continue
    if ((name === 'since' || name === 'until') && Number.isNaN(Date.parse(said))) continue
    filters[name] = said.trim()
  }
  return filters
}

export const nameOf = (actor: Actor): string => (actor.type === 'user' ? actor.name : actor.type === 'system' ? actor.part : actor.host)

/** Whether an event is one of those that the filters choose, as the server decides it. */
export function fits(event: Event, { service, env, kind, actor, subject, since, until }: Filters): boolean {
  const at = Date.parse(event.at)
  return (
    (service === undefined || event.service === service) &&
    (env === undefined || event.env === env) &&
    (kind === undefined || event.kind.startsWith(kind)) &&
    (actor === undefined || nameOf(event.actor) === actor) &&
    (subject === undefined || event.subject === subject) &&
    (since === undefined || at >= Date.parse(since)) &&
    (until === undefined || at < Date.parse(until))
  )
}

/** Where the same events are to be had as a file. */
export function exportAddress(filters: Filters, format: 'jsonl' | 'csv'): string {
  return `/api/v1/audit/export?${new URLSearchParams({ format, ...filters }).toString()}`
}

export interface EventPage {
  items: Event[]
  next?: string | null
}

/** New events before those that are there; where it is not certain that none lies between, the new ones alone. */
export function headed<P extends { pages: EventPage[]; pageParams: unknown[] }>(old: P, fresh: EventPage): P {
  const newest = old.pages.flatMap((p) => p.items)[0]?.seq
  const reaches = newest !== undefined && (!fresh.next || fresh.items.some((e) => e.seq <= newest))
  if (!reaches) return { ...old, pages: [fresh], pageParams: old.pageParams.slice(0, 1) }
  const items = fresh.items.filter((e) => e.seq > newest)
  return { ...old, pages: old.pages.map((page, n) => (n === 0 ? { ...page, items: [...items, ...page.items] } : page)) }
}

/** Where an event's subject is to be seen; `undefined` where it has no page. */
export type Place =
  | { to: '/services/$service'; params: { service: string } }
  | { to: '/rollouts/$rollout'; params: { rollout: string } }
  | { to: '/runs/$run'; params: { run: string }; search?: { job: string } }
  | { to: '/people' }
  | { to: '/system'; search: { tab: string } }

export function placeOf(event: Event): Place | undefined {
  const [kind = '', id = ''] = event.subject.split('/')
  const run = event.after?.['run']
  if (kind === 'rollout') return { to: '/rollouts/$rollout', params: { rollout: id } }
  if (kind === 'run') return { to: '/runs/$run', params: { run: id } }
  if (kind === 'job' && typeof run === 'string') return { to: '/runs/$run', params: { run }, search: { job: id } }
  if (kind === 'host' || kind === 'freeze' || kind === 'certificate') return { to: '/system', search: { tab: `${kind}s` } }
  if (['user', 'group', 'grant', 'invitation', 'token', 'session'].includes(kind)) return { to: '/people' }
  if (event.service) return { to: '/services/$service', params: { service: event.service } }
  return undefined
}
