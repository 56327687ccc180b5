// What of a log can be folded: sections as GitLab marks them, and each command of the script. And which lines are left
// to be shown.

export interface Fold {
  kind: 'section' | 'command'
  name: string
  /** The line that stays. */
  head: number
  /** The last line that goes; `undefined` while it is open. */
  end?: number
  /** Folded unless somebody opens it. */
  shut: boolean
  /** How long it took, where its marks say so. */
  seconds?: number
}

interface Open {
  fold: Fold
  began: number
}

const MARK = /section_(start|end):(\d{1,15}):([\w.-]{1,255})(?:\[([^\]\r\n]{0,200})\])?\r?(?:\u001b\[0?K)?/g

/** Finds folds, a line after the other. */
export class Folder {
  readonly folds: Fold[] = []
  /** Lines that are nothing but marks, in order. */
  readonly empty: number[] = []
  /** Where the commands that always come last begin. */
  after: number | undefined
  private open: Open[] = []
  private command: Fold | undefined
  private done = false

  /** `line` as it was written, without its end. */
  take(n: number, line: string): void {
    if (line.includes('section_')) this.marks(n, line)
    if (line.startsWith('$ ')) {
      this.closeCommand(n - 1)
      this.command = { kind: 'command', name: line.slice(2, 200), head: n, shut: false }
      this.folds.push(this.command)
    } else if (OURS.test(line)) this.closeCommand(n - 1)
    if (line === 'Running after_script') this.after ??= n
  }

  /** Nothing comes any more. */
  finish(last: number): void {
    if (this.done) return
    this.done = true
    this.closeCommand(last)
    for (const { fold } of this.open) fold.end = last
    this.open = []
  }

  /** The command that ended the script: it stops at the first that fails. */
  get last(): Fold | undefined {
    return this.folds.findLast((f) => f.kind === 'command' && (this.after === undefined || f.head < this.after))
  }

  private closeCommand(end: number): void {
    if (this.command) this.command.end = end
    this.command = undefined
  }

  private marks(n: number, line: string): void {
    let any = false
    for (const [, what, time, name = '', options] of line.matchAll(MARK)) {
      any = true
      if (what === 'start') {
        const shut = options?.split(',').some((o) => o.trim() === 'collapsed=true') ?? false
        const fold: Fold = { kind: 'section', name, head: n, shut }
        this.folds.push(fold)
        this.open.push({ fold, began: Number(time) })
        continue
      }
      const at = this.open.findLastIndex((o) => o.fold.name === name)
      const found = this.open[at]
      if (!found) continue
      // What was begun within it and never ended, ends with it.
      for (const { fold } of this.open.splice(at)) fold.end = n - (startsToo(line) ? 1 : 0)
      found.fold.seconds = Math.max(Number(time) - found.began, 0)
    }
    if (any && withoutMarks(line).replace(/\u001b\[[\d;]*[mK]/g, '').trim() === '') this.empty.push(n)
  }
}

/** What the agent itself says when the commands are over. */
const OURS = /^(Uploading \d+ files as artifacts, |Job succeeded$|ERROR: Job |Running after_script$)/

const startsToo = (line: string): boolean => line.includes('section_start:')

/** A line without the marks of sections. */
export const withoutMarks = (line: string): string =>
  line.includes('section_') ? line.replace(/(?:\u001b\[0?K)?section_(?:start|end):\d{1,15}:[\w.-]{1,255}(?:\[[^\]\r\n]{0,200}\])?\r?(?:\u001b\[0?K)?/g, '') : line

/** Which lines are shown, as runs: a row is found in them by halving. */
export class Rows {
  readonly count: number
  private readonly starts: number[] = []
  private readonly before: number[] = []

  /** `hidden`: lines from and to, both included, in order of their beginnings. */
  constructor(lines: number, hidden: readonly (readonly [number, number])[]) {
    let at = 0
    let rows = 0
    const run = (from: number, to: number): void => {
      if (to <= from) return
      this.starts.push(from)
      this.before.push(rows)
      rows += to - from
    }
    for (const [from, to] of hidden) {
      run(at, Math.min(from, lines))
      at = Math.max(at, to + 1)
    }
    run(at, lines)
    this.count = rows
  }

  line(row: number): number {
    const n = this.find(this.before, row)
    return n < 0 ? row : (this.starts[n] ?? 0) + row - (this.before[n] ?? 0)
  }

  /** The row of a line, or of the one before it where it is hidden. */
  row(line: number): number {
    const n = this.find(this.starts, line)
    if (n < 0) return 0
    const row = (this.before[n] ?? 0) + line - (this.starts[n] ?? 0)
    return Math.min(row, (this.before[n + 1] ?? this.count) - 1)
  }

  private find(sorted: readonly number[], wanted: number): number {
    let [low, high] = [0, sorted.length - 1]
    while (low <= high) {
      const mid = (low + high) >> 1
      if ((sorted[mid] ?? 0) <= wanted) low = mid + 1
      else high = mid - 1
    }
    return high
  }
}

/** More rows than this a browser cannot scroll through. */
export const MOST_LINES = 100_000
const STEP = MOST_LINES / 4

/** Of a longer log, the first line of the part that is shown, so that `line` is well within it. */
export const windowAt = (line: number, lines: number): number =>
  lines <= MOST_LINES ? 0 : Math.max(Math.min(Math.floor((line - MOST_LINES / 2) / STEP), Math.ceil((lines - MOST_LINES) / STEP)), 0) * STEP

/** The lines that are hidden when these folds are shut, and those outside the part that begins with `first`. */
export function hiddenBy(
  folds: readonly Fold[],
  isShut: (fold: Fold) => boolean,
  empty: readonly number[],
  lines: number,
  first = 0,
): [number, number][] {
  const hidden: [number, number][] = empty.map((n) => [n, n])
  if (first > 0) hidden.push([0, first - 1])
  if (first + MOST_LINES < lines) hidden.push([first + MOST_LINES, lines - 1])
  for (const fold of folds) if (isShut(fold)) hidden.push([fold.head + 1, fold.end ?? lines - 1])
  return hidden.filter(([from, to]) => to >= from).sort((a, b) => a[0] - b[0])
}
