import { expect, test } from 'vitest'
import type { Release, Rollout } from '../../api/schema'
import { isBad, outcomeOf, toOffer } from './outcome'

const ref = (label: string) => ({ label, digest: `sha256:${label}` })
const rollout = (to: string, more: Partial<Rollout> = {}): Rollout =>
  ({ id: to, env: 'production', kind: 'normal', phase: 'completed', from: ref('v0'), to: ref(to), ...more }) as Rollout
const fate = (rollouts: Rollout[], label: string, env = 'production') => outcomeOf(rollouts, ref(label).digest, env)?.fate

test('the last rollout tells what came of a release, each environment for itself', () => {
  const all = [rollout('v2', { phase: 'failed' }), rollout('v2', { env: 'staging' }), rollout('v2')]
  expect([fate(all, 'v2'), fate(all, 'v2', 'staging'), fate(all, 'v1')]).toEqual(['back', 'completed', undefined])
})

test('what a person went back from was taken back, though its rollout completed', () => {
  const away = rollout('v1', { kind: 'rollback', from: ref('v2') })
  expect(fate([away, rollout('v2'), rollout('v1')], 'v2')).toBe('back')
  expect(fate([away, rollout('v2'), rollout('v1')], 'v1')).toBe('completed')
  expect(fate([{ ...away, phase: 'running' }, rollout('v2')], 'v2')).toBe('returning')
  expect(fate([{ ...away, phase: 'failed' }, rollout('v2')], 'v2')).toBe('completed')
  expect(fate([rollout('v2'), away], 'v2')).toBe('completed')
})

test('who goes back leaves what came between as well, and nothing older', () => {
  const all = [rollout('v2', { kind: 'rollback', from: ref('v4') }), rollout('v4'), rollout('v3'), rollout('v2'), rollout('v1')]
  expect(['v4', 'v3', 'v2', 'v1'].map((label) => fate(all, label))).toEqual(['back', 'back', 'completed', 'completed'])
})

test('a drill, a first release and what never began are no failure of what was there', () => {
  expect(fate([rollout('v2', { kind: 'drill', phase: 'failed' }), rollout('v2')], 'v2')).toBe('completed')
  expect(fate([rollout('v1', { phase: 'failed', from: null })], 'v1')).toBe('failed')
  const early = outcomeOf([rollout('v1', { phase: 'aborted', started_at: null })], 'sha256:v1', 'production')
  expect([early?.fate, isBad(early)]).toEqual(['aborted', false])
})

test('offered is the newest that did not go wrong there', () => {
  const releases = ['v3', 'v2', 'v1'].map(ref) as Release[]
  const failed = [rollout('v3', { phase: 'failed' })]
  expect(toOffer(releases, failed, 'production')?.label).toBe('v2')
  expect(toOffer(releases, failed, 'staging')?.label).toBe('v3')
  expect(toOffer(releases.slice(0, 1), failed, 'production')?.label).toBe('v3')
  expect(toOffer([], failed, 'production')).toBeUndefined()
})
