import { expect, test } from 'vitest'
import type { LogIndex } from '../../../api/schema'
import { BLOCK_BYTES, PagedLog, type Reader } from './paged'

/** As the server would index it. */
function indexOf(text: string, ended = true): LogIndex {
  const bytes = new TextEncoder().encode(text)
  const places: LogIndex['places'] = [{ line: 1, offset: 0 }]
  const marks: LogIndex['marks'] = []
  let line = 1
  let start = 0
  bytes.forEach((byte, at) => {
    if (byte !== 10) return
    const body = new TextDecoder().decode(bytes.subarray(start, at))
    if (body.startsWith('$ ')) marks.push({ line, text: body })
    line++
    start = at + 1
    if (start >= (places.at(-1)?.offset ?? 0) + (64 << 10)) places.push({ line, offset: start })
  })
  return { size: bytes.length, lines: line - (start === bytes.length ? 1 : 0), ended, places, marks, marks_left_out: false }
}

function opened(text: string): { log: PagedLog; asked: number[]; settle: () => Promise<void> } {
  const asked: number[] = []
  const bytes = new TextEncoder().encode(text)
  const reader: Reader = {
    index: async () => indexOf(text),
    bytes: async (offset, limit) => {
      asked.push(offset)
      return bytes.slice(offset, offset + limit)
    },
    search: async (_word, _exact, after) => (after === 0 ? { hits: [{ line: 3, count: 2 }], next: 3 } : { hits: [{ line: 9, count: 1, excerpt: 'x' }], next: null }),
  }
  const log = new PagedLog(reader, () => undefined, (error) => expect.unreachable(String(error)))
  return { log, asked, settle: () => new Promise((resolve) => setTimeout(resolve, 5)) }
}

const numbered = (n: number): string => Array.from({ length: n }, (_, i) => `line ${i}\n`).join('')

test('only the blocks in sight are fetched', async () => {
  const { log, asked, settle } = opened(numbered(40_000))
  await log.refresh()
  expect(log.lines).toBe(40_000)
  expect(log.has(20_000)).toBe(false)
  log.want([20_000, 20_050])
  await settle()
  expect(asked.length).toBeLessThanOrEqual(2)
  expect(log.line(20_000)).toBe('line 20000')
  expect(log.length(20_000)).toBe(10)
  expect(log.has(39_999)).toBe(false)
  log.want([39_990, 50_000])
  await settle()
  expect(log.line(39_999)).toBe('line 39999')
  expect(log.line(40_000)).toBe('')
})

test('of a line of megabytes the beginning is fetched, and its length is known', async () => {
  const long = 'x'.repeat(5 << 20)
  const { log, settle } = opened(`short\n${long}\nbehind\n`)
  await log.refresh()
  log.want([0, 1, 2])
  await settle()
  expect(log.lines).toBe(3)
  expect([log.length(0), log.length(1), log.length(2)]).toEqual([5, long.length, 6])
  expect(log.line(1, 100)).toBe('x'.repeat(100))
  expect(log.line(1).length).toBeLessThanOrEqual(BLOCK_BYTES)
  expect(log.line(2)).toBe('behind')
})

test('a last line without an end, and a character at a cut', async () => {
  const { log, settle } = opened('one\n信风信风')
  await log.refresh()
  log.want([0, 1])
  await settle()
  expect([log.lines, log.length(1), log.line(1), log.line(1, 4)]).toEqual([2, 12, '信风信风', '信'])
})

test('commands are folded by what the server marks, also while the log grows', async () => {
  const { log } = opened('')
  log.take(indexOf('$ make\nout\n', false))
  expect(log.folder.folds.map((f) => [f.head, f.end])).toEqual([[0, undefined]])
  log.take(indexOf('$ make\nout\n$ test\nout\n'))
  expect(log.folder.folds.map((f) => [f.head, f.end])).toEqual([
    [0, 1],
    [2, 3],
  ])
})

test('colours go on from line to line', async () => {
  const { log, settle } = opened('\u001b[31mred\nstill\u001b[0m\nplain\n')
  await log.refresh()
  log.want([0, 1, 2])
  await settle()
  expect([0, 1, 2].map((n) => log.styleAt(n).fg)).toEqual([undefined, 1, undefined])
})

test('hits come page by page', async () => {
  const { log } = opened('')
  const parts: number[] = []
  const hits = await log.search('x', false, new AbortController().signal, (part) => parts.push(part.length))
  expect(hits).toEqual([{ line: 2, nth: 0 }, { line: 2, nth: 1 }, { line: 8, nth: 0, excerpt: 'x' }])
  expect(parts).toEqual([2])
})
