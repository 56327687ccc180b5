import { expect, test } from 'vitest'
import { around, essence, firstDifference, type Passing, type Side } from './compare'
import { Walk } from './walk'

const MINE = '35131ea43a9a1b2c3d4e5f60718293a4b5c6d7e8'
const THEIRS = 'eb6b79c9f52f3fa7b733a9f8d471b45b9c5e0c72'
const side = (lines: string[], commit: string): Side => ({ log: { lines: lines.length, line: (n) => lines[n] ?? '' }, commit })
const walk = (text: string): Walk => {
  const bytes = new TextEncoder().encode(text)
  return new Walk(async (offset, limit) => bytes.slice(offset, offset + limit))
}
const passing = (lines: string[], commit: string): Side<Passing> => ({ log: walk(lines.map((l) => `${l}\n`).join('')), commit })
const first = (mine: string[], theirs: string[]): Promise<number | undefined> => firstDifference(passing(mine, MINE), passing(theirs, THEIRS))

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

test('nor are ports, process numbers, temporary names, names of built files and shortened digests', async () => {
  const mine = ['listening on localhost:39121', 'pid 412', 'wrote /tmp/tmp.x81', 'dist/index-BX3k29aQ.js 12 kB', 'Fetching artifacts 9f087a984d47', 'Mon Nov 23 03:27:13 UTC 2026', 'Uploading 2 files as artifacts, 812 bytes']
  const theirs = ['listening on localhost:40003', 'pid 98', 'wrote /tmp/tmp.q07', 'dist/index-Ca81bbZ0.js 12 kB', 'Fetching artifacts 11aa7a984d47', 'Sun Nov  8 11:27:13 UTC 2026', 'Uploading 2 files as artifacts, 815 bytes']
  expect(await first(mine, theirs)).toBeUndefined()
  expect(await first(['order 1234567890'], ['order 1234567899'])).toBe(0)
  expect(await first(['listening on db:5432'], ['listening on db:5433'])).toBe(0)
})

test('logs of any length are compared piece by piece', async () => {
  const long = Array.from({ length: 300_000 }, (_, n) => `line ${n}`)
  const other = [...long]
  other[250_000] = 'something else'
  const [mine, theirs] = [passing(long, MINE), passing(other, THEIRS)]
  expect(await firstDifference(mine, theirs)).toBe(250_000)
  expect(around(mine, theirs, 250_000).slice(3, 6)).toEqual([
    { mine: 249_999, theirs: 249_999, same: true },
    { mine: 250_000, theirs: 250_000, same: false },
    { mine: 250_001, theirs: 250_001, same: true },
  ])
  expect(mine.log.line(249_999)).toBe('line 249999')
  expect(mine.log.line(0)).toBe('')
})

test('a walk cuts long lines and keeps characters whole', async () => {
  const log = walk(`${'信'.repeat(800_000)}\nnext`)
  expect(await log.reach(1)).toBe(true)
  expect([log.line(0).length, log.line(0).slice(0, 2), log.line(1), log.lines]).toEqual([4096, '信信', 'next', 2])
  expect(await log.reach(2)).toBe(false)
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
