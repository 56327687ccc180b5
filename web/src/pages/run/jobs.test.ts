import { expect, test } from 'vitest'
import type { Job } from '../../api/schema'
import { firstToShow, nextToShow, stagesOf } from './jobs'

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
