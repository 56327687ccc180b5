// A log read from its beginning on, line by line and never whole: two of any length can be compared.
const PIECE_BYTES = 1 << 20
/** Characters of a line that are kept. */
const LONGEST = 4 << 10
/** Lines that stay behind. */
const BEHIND = 32

export type ReadBytes = (offset: number, limit: number) => Promise<Uint8Array>

export class Walk {
  private kept: string[] = []
  private first = 0
  private offset = 0
  private open = ''
  private readonly decoder = new TextDecoder()
  private ended = false

  constructor(private readonly read: ReadBytes) {}

  /** Lines that are known: all of them once the log was read to its end. */
  get lines(): number {
    return this.first + this.kept.length
  }

  line(n: number): string {
    return this.kept[n - this.first] ?? ''
  }

  /** Reads on until line `n` is here, or the end. `false`: there is no such line. */
  async reach(n: number): Promise<boolean> {
    while (this.lines <= n && !this.ended) await this.go()
    return n < this.lines
  }

  /** Lines far before `n` are not needed any more. */
  leave(n: number): void {
    const gone = Math.min(n - BEHIND - this.first, this.kept.length)
    if (gone < 4_096) return
    this.kept.splice(0, gone)
    this.first += gone
  }

  private async go(): Promise<void> {
    const bytes = await this.read(this.offset, PIECE_BYTES)
    this.offset += bytes.length
    this.ended = bytes.length < PIECE_BYTES
    const lines = this.decoder.decode(bytes, { stream: !this.ended }).split('\n')
    lines[0] = this.open + (lines[0] ?? '')
    // Of a line of megabytes only the beginning is carried on.
    this.open = (lines.pop() ?? '').slice(0, LONGEST)
    for (const line of lines) this.kept.push(line.slice(0, LONGEST))
    if (this.ended && this.open !== '') this.kept.push(this.open)
  }
}
