import { expect, test } from 'vitest'
import type { LogLine } from '../../api/schema'
import { EMPTY, MOST, held, patternOf } from './lines'

const line = (at: number, text: string, instance = 'a'): LogLine =>
  ({ at: `2026-11-11T00:00:00.${String(at).padStart(6, '0')}Z`, text, instance, site: 's', label: 'v1', stream: 'stdout' }) as LogLine
const texts = (of: { lines: LogLine[] }) => of.lines.map((l) => l.text).join('')

test('lines of several instances stand in the order in which they were written', () => {
  const first = held(EMPTY, [line(1, 'a'), line(4, 'd'), line(2, 'b', 'b')], [])
  expect(texts(first)).toBe('abd')
  expect(texts(held(first, [line(3, 'c', 'b'), line(5, 'e')], []))).toBe('abcde')
})

test('what is told twice after a break is shown once', () => {
  const first = held(EMPTY, [line(1, 'a'), line(2, 'b')], [])
  expect(texts(held(first, [line(2, 'b'), line(2, 'c'), line(3, 'd')], []))).toBe('abcd')
})

test('the oldest are dropped and counted', () => {
  const many = Array.from({ length: MOST }, (_, i) => line(i, 'x'))
  const full = held(EMPTY, many, [])
  const more = held(full, [line(MOST, 'y')], ['gone'])
  expect([more.lines.length, more.dropped, more.notices]).toEqual([MOST, 1, ['gone']])
})

test('a text is found as it is written, without regard to case', () => {
  expect([...'Error (x): error (X)'.matchAll(patternOf('ERROR (x)') ?? /$^/g)].map((m) => m.index)).toEqual([0, 11])
  expect(patternOf('')).toBe(undefined)
})
