import { type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import type { InputRef } from 'antd'
import { type Hit, MOST_HITS, patternOf, search as find } from './search'
import type { ShownLog } from './load'

export interface Searching {
  word: string
  setWord: (word: string) => void
  exact: boolean
  setExact: (exact: boolean) => void
  hits: Hit[]
  /** There are more than are counted. */
  many: boolean
  /** More may be found yet. */
  busy: boolean
  failed: boolean
  /** Where the search stands among `hits`. */
  index: number
  at: Hit | undefined
  pattern: RegExp | undefined
  step: (by: 1 | -1) => void
  input: RefObject<InputRef | null>
}

const TYPING_MS = 150
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

/** `:1200` is a line's number, not a word. */
export const lineIn = (word: string): number | undefined => (/^:\d{0,9}$/.test(word) ? Number(word.slice(1)) : undefined)

export function useSearch(log: ShownLog, version: number, complete: boolean, show: (hit: Hit) => void): Searching {
  const [typed, setWord] = useState('')
  const word = lineIn(typed) === undefined ? typed : ''
  const [exact, setExact] = useState(false)
  const [hits, setHits] = useState<Hit[]>([])
  const [index, setIndex] = useState(0)
  const [standing, setStanding] = useState<'done' | 'busy' | 'failed'>('done')
  const input = useRef<InputRef>(null)
  const pattern = useMemo(() => (word === '' ? undefined : patternOf(word, exact)), [word, exact])
  const shown = useRef(show)
  shown.current = show
  const asked = useRef('')

  // While the log grows it is searched anew now and then, without moving from where the search stands.
  const round = complete ? -1 : log.paged ? -2 : Math.floor(version / 60)
  useEffect(() => {
    if (word === '') {
      setHits([])
      setStanding('done')
      asked.current = ''
      return
    }
    const over = new AbortController()
    const take = (found: Hit[]): void => {
      if (over.signal.aborted) return
      setHits(found)
      const question = `${exact} ${word}`
      if (asked.current === question || (found.length === 0 && log.paged)) return
      asked.current = question
      setIndex(0)
      if (found[0]) shown.current(found[0])
    }
    const timer = setTimeout(async () => {
      setStanding('busy')
      try {
        take(log.paged ? await log.search(word, exact, over.signal, take) : await find(log, word, exact, over.signal, pause))
        if (!over.signal.aborted) setStanding('done')
      } catch {
        if (!over.signal.aborted) setStanding('failed')
      }
    }, TYPING_MS)
    return () => {
      clearTimeout(timer)
      over.abort()
    }
  }, [log, word, exact, round])

  const step = (by: 1 | -1): void => {
    if (hits.length === 0) return
    const next = (index + by + hits.length) % hits.length
    setIndex(next)
    const hit = hits[next]
    if (hit) shown.current(hit)
  }
  return { word: typed, setWord, exact, setExact, hits, many: hits.length >= MOST_HITS, busy: standing === 'busy', failed: standing === 'failed', index, at: hits[index], pattern, step, input }
}
