import { expect, test } from 'vitest'
import { type Fold, Folder, hiddenBy, MOST_LINES, Rows, windowAt, withoutMarks } from './folds'

const folder = (lines: string[]): Folder => {
  const made = new Folder()
  lines.forEach((line, n) => made.take(n, line))
  made.finish(lines.length - 1)
  return made
}
const begin = (name: string, at: number, options = ''): string => `\u001b[0Ksection_start:${at}:${name}${options}\r\u001b[0K`
const end = (name: string, at: number): string => `\u001b[0Ksection_end:${at}:${name}\r\u001b[0K`
const facts = (folds: readonly Fold[]): unknown[] => folds.map((f) => [f.kind, f.name, f.head, f.end, f.seconds])

test('a section has a head, an end and a length, and may begin shut', () => {
  const { folds, empty } = folder([`${begin('deps', 100, '[collapsed=true]')}Install`, 'one', 'two', end('deps', 163), 'after'])
  expect(folds).toEqual([{ kind: 'section', name: 'deps', head: 0, end: 3, shut: true, seconds: 63 }])
  expect(empty).toEqual([3])
})

test('sections lie in each other, and one that never ends goes with the one round it', () => {
  const { folds } = folder([`${begin('a', 1)}A`, `${begin('b', 2)}B`, 'x', end('a', 9), 'rest'])
  expect(facts(folds)).toEqual([
    ['section', 'a', 0, 3, 8],
    ['section', 'b', 1, 3, undefined],
  ])
})

test('one may end in the line in which the next begins', () => {
  const { folds, empty } = folder([`${begin('a', 1)}A`, 'x', `${end('a', 2)}${begin('b', 2)}B`, 'y', end('b', 5)])
  expect(facts(folds)).toEqual([
    ['section', 'a', 0, 1, 1],
    ['section', 'b', 2, 4, 3],
  ])
  expect(empty).toEqual([4])
})

test('an end without a beginning, and a clock that goes back, are borne', () => {
  expect(folder([end('x', 1), 'y']).folds).toEqual([])
  expect(folder([begin('x', 9), end('x', 3)]).folds[0]?.seconds).toBe(0)
})

test('each command is a fold, and what the agent says at the end is not part of the last', () => {
  const made = folder(['Fetching shop at 1', '$ make', 'cc', '$ make test', 'ok', 'bad', 'ERROR: Job failed: ended with exit code 2'])
  expect(facts(made.folds)).toEqual([
    ['command', 'make', 1, 2, undefined],
    ['command', 'make test', 3, 5, undefined],
  ])
  expect(made.last?.name).toBe('make test')
})

test('the command that ended the script is not one of after_script', () => {
  const made = folder(['$ make', 'broke', 'Running after_script', '$ rm -r tmp', 'gone', 'ERROR: Job failed: x'])
  expect(made.last?.name).toBe('make')
})

test('marks are not shown', () => {
  expect(withoutMarks(`${begin('a', 1, '[collapsed=true]')}Title`)).toBe('Title')
  expect(withoutMarks('section_start is a word')).toBe('section_start is a word')
})

test('rows are the lines that are left', () => {
  const { folds, empty } = folder([`${begin('a', 1)}A`, 'x', `${begin('b', 2)}B`, 'y', end('b', 3), end('a', 4), 'z'])
  const all = new Rows(7, hiddenBy(folds, () => false, empty, 7))
  expect(Array.from({ length: all.count }, (_, n) => all.line(n))).toEqual([0, 1, 2, 3, 6])
  const inner = new Rows(7, hiddenBy(folds, (f) => f.name === 'b', empty, 7))
  expect(Array.from({ length: inner.count }, (_, n) => inner.line(n))).toEqual([0, 1, 2, 6])
  expect([0, 1, 2, 3, 4, 6].map((line) => inner.row(line))).toEqual([0, 1, 2, 2, 2, 3])
  const shut = new Rows(7, hiddenBy(folds, () => true, empty, 7))
  expect(Array.from({ length: shut.count }, (_, n) => shut.line(n))).toEqual([0, 6])
})

test('a million lines are a handful of runs', () => {
  const rows = new Rows(1_000_000, [[10, 499_999]])
  expect(rows.count).toBe(500_010)
  expect([rows.line(9), rows.line(10), rows.row(999_999)]).toEqual([9, 500_000, 500_009])
})

test('of a log that is longer than can be scrolled, a part is shown that has the wanted line within it', () => {
  expect(windowAt(50, 99_999)).toBe(0)
  for (const line of [0, 60_000, 5_000_000, 9_999_999]) {
    const first = windowAt(line, 10_000_000)
    expect(first).toBeLessThanOrEqual(line)
    expect(first + MOST_LINES).toBeGreaterThan(line)
    const rows = new Rows(10_000_000, hiddenBy([], () => false, [], 10_000_000, first))
    expect(rows.line(rows.row(line))).toBe(line)
    expect(rows.count).toBeLessThanOrEqual(MOST_LINES)
  }
})
