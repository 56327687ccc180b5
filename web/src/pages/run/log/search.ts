// Where a word stands in a log: read piece by piece, so that typing goes on meanwhile.
import { isOdd, plain } from './ansi'
import { withoutMarks } from './folds'
import type { LogText } from './text'

export interface Hit {
  line: number
  /** Of several in a line, which. */
  nth: number
  /** What stands round it, where a line is too long to be shown as far as that. */
  excerpt?: string
}

export const MOST_HITS = 10_000
const PIECE_BYTES = 512 << 10
/** Characters of a line that are surely shown. */
const IN_SIGHT = 1_000
const ROUND = 60

export const patternOf = (word: string, exact: boolean): RegExp =>
  new RegExp(word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), exact ? 'gu' : 'giu')

/** Gives way between pieces; ends early when told. */
export async function search(log: LogText, word: string, exact: boolean, signal: AbortSignal, pause: () => Promise<void>): Promise<Hit[]> {
  const hits: Hit[] = []
  const pattern = patternOf(word, exact)
  let line = 0
  while (line < log.lines) {
    let last = line
    for (let bytes = 0; last < log.lines && bytes < PIECE_BYTES; last++) bytes += log.length(last) + 1
    const raw = log.slice(line, last)
    const text = isOdd(raw.replaceAll('\n', '')) || raw.includes('section_') ? raw.split('\n').map(readLine).join('\n') : raw
    let at = line
    let from = 0
    let before = -1
    let nth = 0
    for (const found of text.matchAll(pattern)) {
      for (let end = text.indexOf('\n', from); end >= 0 && end < found.index; end = text.indexOf('\n', from)) {
        at++
        from = end + 1
      }
      nth = at === before ? nth + 1 : 0
      before = at
      const far = found.index - from > IN_SIGHT
      hits.push({ line: at, nth, ...(far && { excerpt: text.slice(found.index - ROUND, found.index + found[0].length + ROUND).split('\n')[0] ?? '' }) })
      if (hits.length >= MOST_HITS) return hits
    }
    line = last
    await pause()
    if (signal.aborted) return hits
  }
  return hits
}

/** A line as it is read. */
export const readLine = (line: string): string => plain(withoutMarks(line))
