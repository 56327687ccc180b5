// A log as bytes and where its lines begin: a hundred megabytes are two arrays, and a line is made into text when it is
// shown.
import { PLAIN, type Style, styleBehind } from './ansi'
import { Folder } from './folds'

/** Of a longer line so much is read for its colours and marks. */
const LOOKED_AT = 16 << 10
const ESC = 0x1b
const NEWLINE = 0x0a
const DOLLAR = 0x24
/** Letters that the agent's own lines begin with. */
const OURS = new Set(['U', 'J', 'E', 'R'].map((c) => c.charCodeAt(0)))

const decoder = new TextDecoder()

export class LogText {
  readonly paged = false
  /** Bytes before the first that is here; more than 0 where only the end was read. */
  readonly from: number
  /** Bytes that are here. */
  size = 0
  readonly folder = new Folder()
  private bytes: Uint8Array<ArrayBuffer>
  private starts = new Uint32Array(1024)
  /** Lines whose end was seen. */
  private ended = 0
  private cutFirst: boolean
  private styles: { line: number; style: Style }[] = []

  constructor(from = 0, expected = 0) {
    this.from = from
    this.cutFirst = from > 0
    this.bytes = new Uint8Array(Math.max(expected, 64 << 10))
  }

  /** Where the next byte stands in the whole log. */
  get next(): number {
    return this.from + this.size
  }

  /** With the one that has begun and not ended. */
  get lines(): number {
    return this.ended + (this.size > (this.starts[this.ended] ?? 0) ? 1 : 0)
  }

  append(piece: Uint8Array): void {
    const needed = this.size + piece.length
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2))
      larger.set(this.bytes.subarray(0, this.size))
      this.bytes = larger
    }
    this.bytes.set(piece, this.size)
    let at = this.size
    this.size = needed
    for (;;) {
      const end = this.bytes.subarray(0, this.size).indexOf(NEWLINE, at)
      if (end < 0) return
      this.endLine(end)
      at = end + 1
    }
  }

  /** Nothing comes any more. */
  finish(): void {
    if (this.lines > this.ended) this.look(this.ended, this.size)
    this.folder.finish(this.lines - 1)
  }

  has(line: number): boolean {
    return line < this.lines
  }

  /** How many bytes a line is long, without its end. */
  length(line: number): number {
    return this.end(line) - (this.starts[line] ?? 0)
  }

  /** A line, or its first bytes, never half a character. */
  line(line: number, most = Number.POSITIVE_INFINITY): string {
    const start = this.starts[line] ?? 0
    return this.read(start, Math.min(this.end(line), start + most))
  }

  /** Lines `first` to before `last` as one text, as they were written. */
  slice(first: number, last: number): string {
    if (last <= first) return ''
    return this.read(this.starts[first] ?? 0, this.end(last - 1))
  }

  /** All bytes that are here. */
  whole(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.size)
  }

  /** The style that a line begins with. */
  styleAt(line: number): Style {
    let [low, high] = [0, this.styles.length - 1]
    while (low <= high) {
      const mid = (low + high) >> 1
      if ((this.styles[mid]?.line ?? 0) <= line) low = mid + 1
      else high = mid - 1
    }
    return this.styles[high]?.style ?? PLAIN
  }

  private end(line: number): number {
    return line < this.ended ? (this.starts[line + 1] ?? 0) - 1 : this.size
  }

  private read(start: number, end: number): string {
    let to = end
    // Not in the middle of a character.
    if (to < this.size) while (to > start && ((this.bytes[to] ?? 0) & 0xc0) === 0x80) to--
    return decoder.decode(this.bytes.subarray(start, to))
  }

  private endLine(end: number): void {
    if (this.cutFirst) {
      // The first line of an end that was read is a part of one.
      this.cutFirst = false
      this.starts[0] = end + 1
      return
    }
    this.look(this.ended, end)
    if (this.ended + 2 > this.starts.length) {
      const larger = new Uint32Array(this.starts.length * 2)
      larger.set(this.starts)
      this.starts = larger
    }
    this.ended++
    this.starts[this.ended] = end + 1
  }

  /** What a line does to those behind it. */
  private look(line: number, end: number): void {
    const start = this.starts[line] ?? 0
    const first = this.bytes[start] ?? 0
    const body = this.bytes.subarray(start, Math.min(end, start + LOOKED_AT))
    const escapes = body.includes(ESC)
    if (!escapes && first !== DOLLAR && !OURS.has(first) && first !== 0x73) return
    const text = decoder.decode(body)
    this.folder.take(line, text)
    if (!escapes) return
    const before = this.styles.at(-1)?.style ?? PLAIN
    const style = styleBehind(text, before)
    if (style !== before) this.styles.push({ line: line + 1, style })
  }
}
