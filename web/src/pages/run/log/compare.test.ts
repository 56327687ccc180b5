import { expect, test } from 'vitest'
import { around, essence, firstDifference, type Side } from './compare'

const MINE = '35131ea43a9a1b2c3d4e5f60718293a4b5c6d7e8'
const THEIRS = 'eb6b79c9f52f3fa7b733a9f8d471b45b9c5e0c72'
const side = (lines: string[], commit: string): Side => ({ log: { lines: lines.length, line: (n) => lines[n] ?? '' }, commit })
const pause = (): Promise<void> => Promise.resolve()
const first = (mine: string[], theirs: string[]): Promise<number | undefined> => firstDifference(side(mine, MINE), side(theirs, THEIRS), pause)

test('what differs every time is no difference', async () => {
  const mine = ['Fetching shop at 35131ea43a', '2026-11-23T01:02:03.123Z start', 'Ran 8 tests in 2.422s', '\u001b[32mOK\u001b[0m', `digest sha256:${'a'.repeat(64)}`, '[01:02:03] done']
  const theirs = ['Fetching shop at eb6b79c9f5', '2026-11-22T21:14:59.001Z start', 'Ran 8 tests in 0.9s', 'OK', `digest sha256:${'b'.repeat(64)}`, '[21:15:04] done']
  expect(await first(mine, theirs)).toBeUndefined()
})

test('the first line that says something else is found', async () => {
  expect(await first(['a', 'sku 1017: 13.49 EUR', 'c'], ['a', 'sku 1017: 12.90 EUR', 'c'])).toBe(1)
  expect(await first(['a', 'b'], ['a'])).toBe(1)
  expect(await first(['a'], ['a', 'b'])).toBe(1)
})

test('numbers that mean something are kept', () => {
  expect(essence('synced 1200 of 1490 orders', MINE)).toBe('synced 1200 of 1490 orders')
  expect(essence('took 12 ms', MINE)).toBe('took <duration>')
})

test('behind it, lines that say the same stand side by side', () => {
  const pairs = around(side(['a', 'new', 'b', 'c'], MINE), side(['a', 'b', 'old', 'c'], THEIRS), 1)
  expect(pairs).toEqual([
    { mine: 0, theirs: 0, same: true },
    { mine: 1, theirs: undefined, same: false },
    { mine: 2, theirs: 1, same: true },
    { mine: undefined, theirs: 2, same: false },
    { mine: 3, theirs: 3, same: true },
  ])
})

test('a log that ends early is shown to its end', () => {
  const pairs = around(side(['a'], MINE), side(['a', 'b'], THEIRS), 1)
  expect(pairs).toEqual([
    { mine: 0, theirs: 0, same: true },
    { mine: undefined, theirs: 1, same: false },
  ])
})
