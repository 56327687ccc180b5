import { expect, test } from 'vitest'
import { search } from './search'
import { LogText } from './text'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const pause = (): Promise<void> => Promise.resolve()
const never = new AbortController().signal

function made(text: string, piece = Number.POSITIVE_INFINITY): LogText {
  const log = new LogText()
  const all = bytes(text)
  for (let at = 0; at < all.length; at += piece) log.append(all.subarray(at, at + piece))
  log.finish()
  return log
}

test('however it comes in pieces, the lines are the same', () => {
  const text = 'one\n\u001b[31mtwo \u4fe1\u98ce\n\nfour'
  for (const piece of [1, 2, 3, 7, 100]) {
    const log = made(text, piece)
    expect(Array.from({ length: log.lines }, (_, n) => log.line(n))).toEqual(text.split('\n'))
    expect(log.styleAt(0)).toEqual({})
    expect(log.styleAt(2)).toEqual({ fg: 1 })
    expect(log.styleAt(3)).toEqual({ fg: 1 })
  }
})

test('a line that is being written is there, and grows', () => {
  const log = new LogText()
  log.append(bytes('a\nb'))
  expect([log.lines, log.line(1)]).toEqual([2, 'b'])
  log.append(bytes('c\n'))
  expect([log.lines, log.line(1)]).toEqual([2, 'bc'])
})

test('a long line is cut between characters', () => {
  const log = made(`${'\u98ce'.repeat(10)}\nx`)
  expect(log.line(0, 7)).toBe('\u98ce\u98ce')
  expect(log.length(0)).toBe(30)
})

test('of an end that was read, the part of a line before it is left out', () => {
  const log = new LogText(1000)
  log.append(bytes('f of one\ntwo\nthree\n'))
  expect([log.lines, log.line(0), log.next]).toEqual([2, 'two', 1019])
})

test('a million lines and a line of five megabytes take little time', () => {
  const began = performance.now()
  const many = made(`${'2026-11-11T00:00:00Z order synced\n'.repeat(1_000_000)}`, 256 << 10)
  expect(many.lines).toBe(1_000_000)
  const long = made(`a\n${'x'.repeat(5_000_000)}\nb`, 256 << 10)
  expect([long.lines, long.line(1, 100).length, long.line(2)]).toEqual([3, 100, 'b'])
  // Far more than it takes, far less than what grows with the square of its length.
  expect(performance.now() - began).toBeLessThan(20_000)
}, 30_000)

test('a search reads what is shown, and counts within a line', async () => {
  const log = made('An error\n\u001b[31mAssertion\u001b[0mError: error\n10%\rdone\nnothing')
  const lines = async (word: string, exact = false): Promise<unknown[]> => (await search(log, word, exact, never, pause)).map((h) => [h.line, h.nth])
  expect(await lines('error')).toEqual([[0, 0], [1, 0], [1, 1]])
  expect(await lines('error', true)).toEqual([[0, 0], [1, 0]])
  expect(await lines('AssertionError')).toEqual([[1, 0]])
  expect(await lines('10%')).toEqual([])
  expect(await lines('a.b(')).toEqual([])
})

test('of a long line, what stands round a hit is told', async () => {
  const [hit] = await search(made(`a\n${'x'.repeat(2_000_000)}needle${'y'.repeat(2_000)}\nb`), 'needle', false, never, pause)
  expect(hit).toEqual({ line: 1, nth: 0, excerpt: `${'x'.repeat(60)}needle${'y'.repeat(60)}` })
})

test('a search that is no longer wanted ends', async () => {
  const over = new AbortController()
  over.abort()
  const hits = await search(made('x\n'.repeat(300_000)), 'nowhere', false, over.signal, pause)
  expect(hits).toEqual([])
})
