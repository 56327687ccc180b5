// Where a job's log first differs from the same job's log of a run that succeeded, but for what differs every time.
import { readLine } from './search'

export interface Lines {
  readonly lines: number
  line(n: number, most?: number): string
}

export interface Side {
  log: Lines
  commit: string
}

export interface Pair {
  /** Line numbers; `undefined` where the other has a line more. */
  mine: number | undefined
  theirs: number | undefined
  same: boolean
}

const LONGEST = 4 << 10
const CONTEXT_BEFORE = 4
const CONTEXT_BEHIND = 24

/** What differs from run to run by itself: times, how long things took, digests and identifiers. */
const VARIES: [RegExp, string][] = [
  [/\b\d{4}[-/]\d{2}[-/]\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?(?:Z| ?[+-]\d{2}:?\d{2})?/g, '<time>'],
  [/\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b(?:sha256:)?[0-9a-f]{40,64}\b/gi, '<digest>'],
  [/\b\d+(?:\.\d+)? ?(?:ns|\u00b5s|us|ms|s|sec|secs|seconds|min|minutes)\b/g, '<duration>'],
  [/\b1[5-9]\d{8}(?:\.\d+|\d{3})?\b/g, '<time>'],
]

/** A line without what differs every time. */
export function essence(line: string, commit: string): string {
  let text = readLine(line).trimEnd()
  for (const length of [40, 12, 10, 8, 7]) text = text.replaceAll(commit.slice(0, length), '<commit>')
  // Nothing of it is without a digit.
  if (/\d/.test(text)) for (const [pattern, name] of VARIES) text = text.replace(pattern, name)
  return text
}

const read = (side: Side, n: number): string => essence(side.log.line(n, LONGEST), side.commit)

/** The first line that differs; `undefined` where none does. */
export async function firstDifference(mine: Side, theirs: Side, pause: () => Promise<void>): Promise<number | undefined> {
  const both = Math.min(mine.log.lines, theirs.log.lines)
  for (let n = 0; n < both; n++) {
    if (n % 4_000 === 3_999) await pause()
    if (mine.log.line(n, LONGEST) !== theirs.log.line(n, LONGEST) && read(mine, n) !== read(theirs, n)) return n
  }
  return mine.log.lines === theirs.log.lines ? undefined : both
}

/** The lines round the first difference, those that say the same side by side. */
export function around(mine: Side, theirs: Side, at: number): Pair[] {
  const pairs: Pair[] = []
  for (let n = Math.max(at - CONTEXT_BEFORE, 0); n < at; n++) pairs.push({ mine: n, theirs: n, same: true })
  const [a, b] = [mine, theirs].map((side) => {
    const count = Math.min(side.log.lines - at, CONTEXT_BEHIND)
    return Array.from({ length: Math.max(count, 0) }, (_, n) => read(side, at + n))
  }) as [string[], string[]]
  return pairs.concat(aligned(a, b, at))
}

/** By the longest common subsequence. */
function aligned(a: string[], b: string[], at: number): Pair[] {
  const longest = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  const cell = (i: number, j: number): number => longest[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = longest[i]
      if (row) row[j] = a[i] === b[j] ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1))
    }
  const pairs: Pair[] = []
  let [i, j] = [0, 0]
  const [left, right]: [number[], number[]] = [[], []]
  const flush = (): void => {
    for (let n = 0; n < Math.max(left.length, right.length); n++) pairs.push({ mine: left[n], theirs: right[n], same: false })
    left.length = right.length = 0
  }
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      flush()
      pairs.push({ mine: at + i++, theirs: at + j++, same: true })
    } else if (j >= b.length || (i < a.length && cell(i + 1, j) >= cell(i, j + 1))) left.push(at + i++)
    else right.push(at + j++)
  }
  flush()
  return pairs
}
