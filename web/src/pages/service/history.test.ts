import { expect, test } from 'vitest'
import type { PlaceStatus, Rollout } from '../../api/schema'
import { previousAt, standOf, targetsAt, trackOf } from './history'

const release = (label: string) => ({ label, digest: `sha256:${label}` })
const rollout = (label: string, kind: Rollout['kind'] = 'normal', phase: Rollout['phase'] = 'completed') =>
  ({ kind, phase, sites: [{ site: 'default', to: release(label) }] }) as unknown as Rollout
const place = (label: string, warm?: string) =>
  ({ site: 'default', release: release(label), warm: warm ? { release: release(warm) } : null }) as unknown as PlaceStatus
const track = (oldestFirst: Rollout[], whole = true) => trackOf([...oldestFirst].reverse(), 'default', whole)

test('going back twice goes further back, and never to what was left', () => {
  const t = track([rollout('v1'), rollout('v2'), rollout('v3'), rollout('v2', 'rollback')])
  expect(previousAt(place('v2'), t)).toEqual(release('v1'))
  expect(standOf(release('v3'), place('v2'), t)).toBe('left')
  expect(targetsAt(place('v2'), t)).toEqual([release('v1')])
})

test('what failed or was aborted never completed', () => {
  const t = track([rollout('v1'), rollout('v2', 'normal', 'failed'), rollout('v3', 'normal', 'aborted')])
  expect(standOf(release('v2'), place('v1'), t)).toBe('never')
  expect(previousAt(place('v1'), t)).toBe(null)
})

test('a release rolled out again is the newest', () => {
  const t = track([rollout('v1'), rollout('v2'), rollout('v1')])
  expect(previousAt(place('v1', 'v2'), t)).toEqual(release('v2'))
  expect(standOf(release('v2'), place('v1', 'v2'), t)).toBe('warm')
})

test('what lies before the first known rollout is unknown, not never', () => {
  const t = track([rollout('v8'), rollout('v9'), rollout('v2', 'rollback')], false)
  expect(standOf(release('v3'), place('v2'), t)).toBe('unknown')
  expect(standOf(release('v9'), place('v2'), t)).toBe('left')
  expect(previousAt(place('v2'), t)).toBe(undefined)
})

test('where the server says otherwise, nothing is claimed', () => {
  const t = track([rollout('v1'), rollout('v2')])
  expect(previousAt(place('v1'), t)).toBe(undefined)
  expect(standOf(release('v2'), place('v1'), t)).toBe('unknown')
})
