import { expect, test } from 'vitest'
import type { Release } from '../../api/schema'
import { areaOf, between, elsewhere } from './diff'

const release = (label: string) => ({ label, digest: label }) as Release
const known = ['v5', 'v4', 'v3', 'v2', 'v1'].map(release)

test('forwards, what came after; backwards, what is undone', () => {
  const labels = (from: string, to: string) => {
    const { back, items, whole } = between(known, release(from), release(to))
    return [back, items.map((r) => r.label).join(), whole]
  }
  expect(labels('v2', 'v4')).toEqual([false, 'v4,v3', true])
  expect(labels('v4', 'v2')).toEqual([true, 'v4,v3', true])
  expect(labels('v4', 'v7')).toEqual([false, 'v5', false])
})

test('a key has its area also where an environment overrides it', () => {
  expect(areaOf('run.env.LOG_LEVEL')).toBe('env')
  expect(areaOf('environments.production.env.LOG_LEVEL')).toBe('env')
  expect(areaOf('run.limits.memory')).toBe('limits')
  expect(areaOf('environments.production.instances')).toBe('limits')
  expect(areaOf('run.secrets[0].name')).toBe('secrets')
  expect(areaOf('strategy.steps[1]')).toBe('strategy')
  expect(areaOf('schedule.cron')).toBe('rest')
})

test('what another environment overrides is elsewhere', () => {
  expect(elsewhere('environments.staging.env.A', 'production')).toBe(true)
  expect(elsewhere('environments.production.env.A', 'production')).toBe(false)
  expect(elsewhere('run.env.A', 'production')).toBe(false)
})
