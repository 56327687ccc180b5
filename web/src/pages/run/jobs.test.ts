import { expect, test } from 'vitest'
import type { Job, JobCommand } from '../../api/schema'
import { firstToShow, inSight, nextToShow, stagesOf, standing } from './jobs'

const job = (id: string, state: Job['state'], more: Partial<Job> = {}): Job => ({
  id, name: id, stage: 'test', kind: 'script', state, allow_failure: false, log_bytes: 10, ...more,
})

test('what failed is shown first, and what may fail only after what runs', () => {
  expect(firstToShow([job('a', 'success'), job('b', 'failed', { allow_failure: true }), job('c', 'running'), job('d', 'failed')])?.id).toBe('d')
  expect(firstToShow([job('b', 'failed', { allow_failure: true }), job('c', 'running')])?.id).toBe('c')
  expect(firstToShow([job('b', 'failed', { allow_failure: true }), job('c', 'canceled')])?.id).toBe('c')
  expect(firstToShow([job('a', 'success'), job('m', 'manual', { log_bytes: 0 })])?.id).toBe('m')
  expect(firstToShow([])).toBeUndefined()
})

test('what is shown changes only when it succeeded and another runs', () => {
  expect(nextToShow([job('a', 'success'), job('b', 'running')], 'a')?.id).toBe('b')
  expect(nextToShow([job('a', 'canceled'), job('b', 'failed', { allow_failure: true })], 'a')?.id).toBe('a')
  expect(nextToShow([job('a', 'failed'), job('b', 'running')], 'a')?.id).toBe('a')
  expect(nextToShow([job('a', 'success')], 'a')?.id).toBe('a')
})

test('stages are in the order of the pipeline', () => {
  const stages = stagesOf([job('a', 'success'), job('b', 'success', { stage: 'build' }), job('c', 'success')])
  expect(stages.map((s) => [s.name, s.jobs.map((j) => j.id)])).toEqual([['test', ['a', 'c']], ['build', ['b']]])
})

const ran = (exit_code: number | null, after = false): JobCommand => ({ text: 'x', after, started_at: '2026-11-11T00:00:00Z', duration_ms: exit_code === null ? null : 5, exit_code, line: 1 })
const waits: JobCommand = { text: 'x', started_at: null, duration_ms: null, exit_code: null, line: null }

test('a command that ended with an error failed the job only where nothing came after it', () => {
  expect(standing(ran(1), waits, { state: 'failed' })).toBe('failed')
  expect(standing(ran(1), ran(0), { state: 'success' })).toBe('forgiven')
  expect(standing(ran(1), ran(0, true), { state: 'failed' })).toBe('failed')
  expect(standing(ran(1, true), undefined, { state: 'success' })).toBe('forgiven')
  expect(standing(ran(null), waits, { state: 'running' })).toBe('running')
  expect(standing(ran(null), waits, { state: 'failed' })).toBe('broken')
  expect(standing(waits, undefined, { state: 'failed' })).toBe('waiting')
})

test('of a long script the part is shown in which something happened', () => {
  const script = (failed: number): JobCommand[] => Array.from({ length: 40 }, (_, n) => (n < failed ? ran(0) : n === failed ? ran(2) : waits))
  expect(inSight(script(3).slice(0, 12), { state: 'failed' })).toEqual([0, 12])
  expect(inSight(script(20), { state: 'failed' })).toEqual([14, 26])
  expect(inSight(script(39), { state: 'failed' })).toEqual([28, 40])
  expect(inSight(script(40), { state: 'success' })).toEqual([0, 12])
})
