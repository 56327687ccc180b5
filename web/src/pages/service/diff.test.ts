import { expect, test } from 'vitest'
import { areaOf, elsewhere, linesOf } from './diff'

test('a patch is told by line, and what is no change is none', () => {
  const sorts = linesOf("@@ -1,2 +1,2 @@\n same\n-one\n+two\n\\ No newline at end of file\n").map((l) => l.sort)
  expect(sorts).toEqual(['head', 'same', 'out', 'in', 'same'])
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
