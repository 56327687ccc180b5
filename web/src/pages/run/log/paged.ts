// A log too long to be carried whole: where its lines are comes from the server, and of the lines themselves only those in
// sight. What was in sight long ago is let go.
import { api, got } from '../../../api/client'
import type { LogIndex, LogMark, LogPlace } from '../../../api/schema'
import { PLAIN, type Style, styleBehind } from './ansi'
import { Folder } from './folds'
import { type Hit, MOST_HITS } from './search'

/** Bytes of a block that are fetched: more only where one line is longer, and so much of a line is never shown. */
export const BLOCK_BYTES = 320 << 10
/** Bytes of blocks that are kept. */
const KEPT_BYTES = 24 << 20
/** Blocks fetched at once. */
const AT_ONCE = 4
const PAGE = 1_000
const NEWLINE = 0x0a
const ESC = 0x1b

const decoder = new TextDecoder()

interface Block {
  bytes: Uint8Array
  /** Where its lines begin, in `bytes`. */
  starts: number[]
  /** Of each line where it changes. */
  styles: { line: number; style: Style }[]
  /** Ordered by use. */
  used: number
  /** The log has grown since. */
  stale?: boolean
}

export interface Reader {
  index: (after: number) => Promise<LogIndex>
  bytes: (offset: number, limit: number) => Promise<Uint8Array>
  search: (word: string, exact: boolean, after: number) => Promise<{ hits: { line: number; count: number; excerpt?: string | null }[]; next?: number | null }>
}

/** Reads by the API. */
export function readerOf(run: string, job: string, attempt: number | undefined): Reader {
  const path = { run, job }
  const of = attempt === undefined ? {} : { attempt }
  return {
    index: (after) => got(api.GET('/api/v1/runs/{run}/jobs/{job}/log/index', { params: { path, query: { after, ...of } } })),
    bytes: async (offset, limit) => {
      const call = api.GET('/api/v1/runs/{run}/jobs/{job}/log', { params: { path, query: { offset, limit, ...of } }, parseAs: 'arrayBuffer' })
      return new Uint8Array(await got(call as Promise<{ data?: ArrayBuffer }>))
    },
    search: (search, exact, after) =>
      got(api.GET('/api/v1/runs/{run}/jobs/{job}/log/search', { params: { path, query: { search, case: exact, after, limit: PAGE, ...of } } })),
  }
}

export class PagedLog {
  readonly paged = true
  /** Bytes of the whole log. */
  size = 0
  lines = 0
  folder = new Folder()
  private places: LogPlace[] = []
  private marks: LogMark[] = []
  private ended = false
  private blocks = new Map<number, Block>()
  private clock = 0
  private wanted: number[] = []
  private underway = new Set<number>()

  constructor(
    private readonly reader: Reader,
    /** Something came. */
    private readonly came: () => void,
    /** Something could not be fetched. */
    private readonly failed: (error: unknown) => void,
  ) {}

  get next(): number {
    return this.size
  }

  /** How far the log goes now. Whether it grows no more. */
  async refresh(): Promise<boolean> {
    const index = await this.reader.index(this.places.at(-1)?.line ?? 0)
    this.take(index)
    return index.ended
  }

  take(index: LogIndex): void {
    const last = this.places.length - 1
    const grew = index.size > this.size
    for (const place of index.places) if (place.line > (this.places.at(-1)?.line ?? 0)) this.places.push(place)
    for (const mark of index.marks)
      if (mark.line > (this.marks.at(-1)?.line ?? 0)) {
        this.marks.push(mark)
        this.folder.take(mark.line - 1, mark.text)
      }
    this.size = index.size
    this.lines = index.lines
    // What was the end has grown; until it is here anew, what is there is shown.
    const end = this.blocks.get(last)
    if (grew && end) end.stale = true
    if (index.ended && !this.ended) {
      this.ended = true
      this.folder.finish(this.lines - 1)
    }
    this.came()
  }

  has(line: number): boolean {
    return this.blocks.has(this.blockOf(line))
  }

  /** Lines that are in sight: what is not here of them is fetched. */
  want(lines: readonly number[]): void {
    this.wanted = []
    for (const n of new Set(lines.filter((line) => line < this.lines).map((line) => this.blockOf(line)))) {
      const block = this.blocks.get(n)
      if (block) block.used = ++this.clock
      if ((!block || block.stale) && !this.underway.has(n)) this.wanted.push(n)
    }
    this.go()
  }

  /** How many bytes a line is long, without its end. */
  length(line: number): number {
    const found = this.find(line)
    return found ? found.length : 0
  }

  /** A line, or its first bytes, never half a character; empty where it is not here yet. */
  line(line: number, most = Number.POSITIVE_INFINITY): string {
    const found = this.find(line)
    if (!found) return ''
    const { block, start, length } = found
    let to = Math.min(start + Math.min(length, most), block.bytes.length)
    if (to < block.bytes.length) while (to > start && ((block.bytes[to] ?? 0) & 0xc0) === 0x80) to--
    return decoder.decode(block.bytes.subarray(start, to))
  }

  styleAt(line: number): Style {
    const found = this.find(line)
    if (!found) return PLAIN
    const { block, at } = found
    return block.styles.findLast((s) => s.line <= at)?.style ?? PLAIN
  }

  async search(word: string, exact: boolean, signal: AbortSignal, part: (hits: Hit[]) => void): Promise<Hit[]> {
    const hits: Hit[] = []
    let after: number | null | undefined = 0
    while (typeof after === 'number' && hits.length < MOST_HITS && !signal.aborted) {
      const page: Awaited<ReturnType<Reader['search']>> = await this.reader.search(word, exact, after)
      for (const { line, count, excerpt } of page.hits)
        for (let nth = 0; nth < count && hits.length < MOST_HITS; nth++)
          hits.push({ line: line - 1, nth, ...(nth === 0 && excerpt != null && { excerpt }) })
      after = page.next
      if (after != null && !signal.aborted) part([...hits])
    }
    return hits
  }

  private blockOf(line: number): number {
    let [low, high] = [0, this.places.length - 1]
    while (low <= high) {
      const mid = (low + high) >> 1
      if ((this.places[mid]?.line ?? 0) - 1 <= line) low = mid + 1
      else high = mid - 1
    }
    return Math.max(high, 0)
  }

  private end(n: number): number {
    return this.places[n + 1]?.offset ?? this.size
  }

  private find(line: number): { block: Block; at: number; start: number; length: number } | undefined {
    const n = this.blockOf(line)
    const [place, block] = [this.places[n], this.blocks.get(n)]
    const at = line - ((place?.line ?? 1) - 1)
    const start = block?.starts[at]
    if (!place || !block || start === undefined) return undefined
    const following = block.starts[at + 1]
    if (following !== undefined) return { block, at, start, length: following - 1 - start }
    // The last of its block: it ends where the next block begins, or where the log does.
    const whole = this.end(n) - place.offset
    const closed = n + 1 < this.places.length || block.bytes[whole - 1] === NEWLINE
    return { block, at, start, length: Math.max(whole - start - (closed ? 1 : 0), 0) }
  }

  private go(): void {
    while (this.underway.size < AT_ONCE) {
      const n = this.wanted.shift()
      if (n === undefined) return
      void this.fetch(n)
    }
  }

  private async fetch(n: number): Promise<void> {
    const place = this.places[n]
    if (!place) return
    this.underway.add(n)
    try {
      const limit = Math.min(this.end(n) - place.offset, BLOCK_BYTES)
      const bytes = await this.reader.bytes(place.offset, limit)
      // While it came, the end of the log may have become something else.
      if (limit === Math.min(this.end(n) - place.offset, BLOCK_BYTES)) this.keep(n, bytes, place.style ?? '')
    } catch (error) {
      this.failed(error)
    } finally {
      this.underway.delete(n)
      this.came()
      this.go()
    }
  }

  private keep(n: number, bytes: Uint8Array, style: string): void {
    const starts = [0]
    const styles = style === '' ? [] : [{ line: 0, style: styleBehind(`\u001b[${style}m`, PLAIN) }]
    for (let at = 0; ; ) {
      const end = bytes.indexOf(NEWLINE, at)
      const body = bytes.subarray(at, end < 0 ? bytes.length : end)
      if (body.includes(ESC)) {
        const before = styles.at(-1)?.style ?? PLAIN
        const after = styleBehind(decoder.decode(body), before)
        if (after !== before) styles.push({ line: starts.length, style: after })
      }
      if (end < 0) break
      at = end + 1
      if (at < bytes.length) starts.push(at)
      else break
    }
    this.blocks.set(n, { bytes, starts, styles, used: ++this.clock })
    let kept = 0
    for (const [id, block] of [...this.blocks].sort((a, b) => b[1].used - a[1].used)) {
      kept += block.bytes.length
      if (kept > KEPT_BYTES && id !== n) this.blocks.delete(id)
    }
  }
}
