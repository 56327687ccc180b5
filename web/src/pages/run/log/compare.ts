// Where a job's log first differs from the same job's log of a run that succeeded, but for what differs every time.
import { readLine } from './search'

export interface Lines {
  readonly lines: number
  line(n: number, most?: number): string
}

export interface Side<L extends Lines = Lines> {
  log: L
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
  [/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:[A-Z][a-z]{2} {1,2}\d{1,2}|\d{1,2} [A-Z][a-z]{2} \d{4})(?: \d{2}:\d{2}:\d{2}(?: [A-Z]{2,5})?(?: \d{4})?)?/g, '<time>'],
  [/\b\d{4}[-/]\d{2}[-/]\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?(?:Z| ?[+-]\d{2}:?\d{2})?/g, '<time>'],
  [/\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b(?:sha256:)?[0-9a-f]{40,64}\b/gi, '<digest>'],
  // A shortened digest: letters and digits in it, or it may be a number that matters.
  [/\b(?=[0-9a-f]*[a-f])(?=[a-f]*\d)[0-9a-f]{10,39}\b/g, '<digest>'],
  // Names of built files: `index-BX3k29aQ.js`.
  [/([-.])(?=[\w-]*\d)[\w-]{8,12}(\.(?:js|mjs|css|map|woff2?)\b)/g, '$1<digest>$2'],
  [/\b\d+(?:\.\d+)? ?(?:ns|\u00b5s|us|ms|s|sec|secs|seconds|min|minutes)\b/g, '<duration>'],
  [/\b1[5-9]\d{8}(?:\.\d+|\d{3})?\b/g, '<time>'],
  [/\b(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d{4,5}\b/g, '$1:<port>'],
  [/\b(pid|process)([ =:]{1,2})\d+\b/gi, '$1$2<pid>'],
  [/\/tmp\/[\w.-]*\d[\w.-]*/g, '/tmp/<name>'],
  [/^(Uploading \d+ files as artifacts), \d+ bytes/, '$1'],
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

/** A log that is read as one goes through it. */
export interface Passing extends Lines {
  reach(n: number): Promise<boolean>
  leave(n: number): void
}

/** The first line that differs, with those round it here on both sides; `undefined` where none does. */
export async function firstDifference(mine: Side<Passing>, theirs: Side<Passing>): Promise<number | undefined> {
  for (let n = 0; ; n++) {
    const [a, b] = [n < mine.log.lines || (await mine.log.reach(n)), n < theirs.log.lines || (await theirs.log.reach(n))]
    if (!a && !b) return undefined
    if (!a || !b || (mine.log.line(n, LONGEST) !== theirs.log.line(n, LONGEST) && read(mine, n) !== read(theirs, n))) {
      await Promise.all([mine.log.reach(n + CONTEXT_BEHIND), theirs.log.reach(n + CONTEXT_BEHIND)])
      return n
    }
    mine.log.leave(n)
    theirs.log.leave(n)
  }
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
