import { expect, test } from 'vitest'
import type { Event } from '../../api/schema'
import { type EventPage, exportAddress, filtersOf, fits, headed, placeOf } from './filters'

const event = (seq: number, more: Partial<Event> = {}): Event => ({
  seq, id: `e${seq}`, at: '2026-11-11T00:00:00.000000Z', kind: 'rollout.finished', schema: 1, actor: { type: 'user', name: 'li.wei' },
  subject: 'rollout/r1', cause: null, service: 'shop', env: 'production', before: null, after: null, prev: '', hash: '', ...more,
})

test('only filters are taken from an address, and no time that is none', () => {
  expect(filtersOf({ service: 'shop', kind: ' rollout. ', since: 'yesterday', x: '1', actor: '' })).toEqual({ service: 'shop', kind: 'rollout.' })
})

test('a new event is counted when the server would show it', () => {
  const one = event(1)
  expect(fits(one, {})).toBe(true)
  expect(fits(one, { service: 'shop', env: 'production', kind: 'rollout.', actor: 'li.wei' })).toBe(true)
  for (const other of [{ service: 'x' }, { env: 'x' }, { kind: 'run.' }, { actor: 'wang.fang' }, { since: '2026-11-11T00:00:01Z' }, { until: '2026-11-11T00:00:00Z' }])
    expect(fits(one, other)).toBe(false)
})

test('an export is of the same events', () => {
  expect(exportAddress({ service: 'shop', since: '2026-11-11T00:00:00Z' }, 'csv')).toBe('/api/v1/audit/export?format=csv&service=shop&since=2026-11-11T00%3A00%3A00Z')
})

test('new events come before the old ones, without gap or repetition', () => {
  const page = (seqs: number[], next: string | null = null): EventPage => ({ items: seqs.map((n) => event(n)), next })
  const seqs = (data: { pages: EventPage[] }): number[][] => data.pages.map((p) => p.items.map((e) => e.seq))
  const old = { pages: [page([5, 4], '4'), page([3, 2])], pageParams: [undefined, '4'] }
  expect(seqs(headed(old, page([7, 6, 5], '5')))).toEqual([[7, 6, 5, 4], [3, 2]])
  expect(seqs(headed(old, page([9, 8], '8')))).toEqual([[9, 8]])
  expect(seqs(headed({ pages: [page([])], pageParams: [undefined] }, page([1])))).toEqual([[1]])
})

test('subjects lead to their pages', () => {
  expect(placeOf(event(1))).toEqual({ to: '/rollouts/$rollout', params: { rollout: 'r1' } })
  expect(placeOf(event(1, { subject: 'job/j1', after: { run: 'n1' } as unknown as NonNullable<Event['after']> }))).toEqual({ to: '/runs/$run', params: { run: 'n1' }, search: { job: 'j1' } })
  expect(placeOf(event(1, { subject: 'release/shop/v1' }))).toEqual({ to: '/services/$service', params: { service: 'shop' } })
  expect(placeOf(event(1, { subject: 'audit-key/1', service: null }))).toBeUndefined()
})
