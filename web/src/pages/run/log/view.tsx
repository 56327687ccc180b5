// A job's log: only the lines in sight are in the page.
import { CaretDownFilled, CaretRightFilled, VerticalAlignBottomOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, type MouseEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job } from '../../../api/schema'
import { size } from '../../../parts/bytes'
import { count } from '../../../parts/marks'
import { span } from '../../../parts/time'
import { Trouble } from '../../../parts/trouble'
import { PLAIN } from './ansi'
import { Bar } from './bar'
import { type Fold, hiddenBy, MOST_LINES, Rows, windowAt } from './folds'
import { LineText, MOST_SHOWN, SHOWN, Spans } from './line'
import { useLog } from './load'
import { useSearch } from './search-state'
import './log.css'

const ROW = 20
const WRAP_KEPT = 'tradewind.log.wrap'
/** A host tells of a command within that time. */
const TOLD_MS = 800
/** So near the end one is at the end. */
const NEAR = 40

interface Props {
  run: string
  job: Job
  /** An earlier one; the last where it is left out. */
  attempt?: number | undefined
  name: string
  /** Counted from 1. */
  line: number | undefined
  choose: (line: number | undefined) => void
  address: (line: number) => string
}

export function LogView({ run, job, attempt, name, line, choose, address }: Props) {
  const { t } = useTranslation()
  const loaded = useLog(run, job, attempt)
  const { log, version, state } = loaded
  const box = useRef<HTMLDivElement>(null)
  const [wrap, setWrap] = useState(() => localStorage.getItem(WRAP_KEPT) !== 'no')
  const [toggled, setToggled] = useState<ReadonlyMap<number, boolean>>(new Map())
  const [more, setMore] = useState<ReadonlyMap<number, number>>(new Map())
  const [tail, setTail] = useState(line === undefined && (state !== 'complete' || job.state !== 'success'))
  const [tall, setTall] = useState(false)
  const [seen, setSeen] = useState(0)
  const [wanted, setWanted] = useState<{ line: number }>()
  const [chosenFirst, setFirst] = useState(0)
  // At the end, the part that is shown goes on with the log.
  const first = tail ? windowAt(log.lines, log.lines) : Math.min(chosenFirst, log.lines)

  const { folds, empty, last } = log.folder
  const broke = job.state === 'failed' && job.exit_code !== 0 ? last : undefined
  const isShut = (fold: Fold): boolean =>
    toggled.get(fold.head) ?? (fold.shut || (state === 'complete' && broke !== undefined && fold.kind === 'command' && fold !== broke))
  const rows = useMemo(() => new Rows(log.lines, hiddenBy(folds, isShut, empty, log.lines, first)), [log, version, toggled, state, broke, first])
  const heads = useMemo(() => new Map(folds.map((f) => [f.head, f])), [folds, version])

  // No event tells of a command: that the log names one more does.
  const client = useQueryClient()
  const named = state === 'following' ? folds.filter((f) => f.kind === 'command').length : 0
  useEffect(() => {
    if (named === 0) return
    const timer = setTimeout(() => void client.invalidateQueries({ queryKey: ['run', run], exact: true }), TOLD_MS)
    return () => clearTimeout(timer)
  }, [named, client, run])

  const virtual = useVirtualizer({
    count: rows.count,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 20,
    getItemKey: (row) => rows.line(row),
  })

  const reveal = (at: number): void => {
    const around = folds.filter((f) => f.head < at && at <= (f.end ?? log.lines) && isShut(f))
    if (around.length) setToggled(new Map([...toggled, ...around.map((f) => [f.head, false] as const)]))
    if (at < first || at >= first + MOST_LINES || tail) setFirst(at >= first && at < first + MOST_LINES ? first : windowAt(at, log.lines))
    setTail(false)
    setWanted({ line: at })
  }
  const search = useSearch(log, version, state === 'complete', (hit) => reveal(hit.line))

  useLayoutEffect(() => {
    if (tail && rows.count > 0) virtual.scrollToIndex(rows.count - 1, { align: 'end' })
  }, [tail, rows.count, virtual])
  useLayoutEffect(() => {
    if (wanted) virtual.scrollToIndex(rows.row(wanted.line), { align: 'center' })
    // Once for what was wanted, when the rows are there.
  }, [wanted])
  useEffect(() => virtual.measure(), [wrap, virtual])
  const total = virtual.getTotalSize()
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    // As high as what is left of the window, so that the end is in sight at once.
    element.style.setProperty('--log-top', `${Math.round(element.getBoundingClientRect().top + scrollY)}px`)
  }, [tall])
  const shownLine = useRef<number>(undefined)
  useEffect(() => {
    if (line === undefined || shownLine.current === line || log.lines < line) return
    shownLine.current = line
    reveal(line - 1)
  })

  const leaveTail = (): void => {
    setSeen(log.lines)
    setFirst(first)
    setTail(false)
  }
  const scrolled = (): void => {
    const element = box.current
    if (!element || state === 'complete') return
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR
    if (tail && !atEnd) leaveTail()
    else if (!tail && atEnd && first + MOST_LINES >= log.lines) setTail(true)
  }
  const pick = (event: MouseEvent, n: number): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    shownLine.current = n + 1
    choose(line === n + 1 ? undefined : n + 1)
  }
  const items = virtual.getVirtualItems()
  const missed = log.lines - seen
  useEffect(() => {
    if (log.paged) log.want(items.map((item) => rows.line(item.index)))
  })

  return (
    <section
      className={tall ? 'log tall' : 'log'}
      aria-label={t('run:log.of', { job: job.name })}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && search.word === '') setTall(false)
      }}
    >
      <Bar
        run={run}
        job={job}
        attempt={attempt}
        name={name}
        loaded={loaded}
        search={search}
        wrap={wrap}
        setWrap={(on) => {
          localStorage.setItem(WRAP_KEPT, on ? 'yes' : 'no')
          setWrap(on)
        }}
        jump={(at) => {
          if (at >= log.lines - 1 && state !== 'complete') setTail(true)
          else if (log.lines > 0) reveal(Math.min(Math.max(at, 0), log.lines - 1))
        }}
        tall={tall}
        setTall={setTall}
      />
      {state === 'broken' && <Trouble error={loaded.error} again={loaded.again} />}
      {search.at?.excerpt !== undefined && search.pattern && (
        <div className="log-note">
          <span>{t('run:log.further', { line: count(search.at.line + 1) })}</span>
          <code>
            <Spans spans={[{ text: search.at.excerpt, style: PLAIN }]} pattern={search.pattern} current={0} />
          </code>
        </div>
      )}
      {(first > 0 || first + MOST_LINES < log.lines) && (
        <div className="log-note">
          <span>{t('run:log.part', { from: count(first + 1), to: count(Math.min(first + MOST_LINES, log.lines)), of: count(log.lines) })}</span>
          {first > 0 && (
            <button type="button" onClick={() => reveal(first - 1)}>
              {t('run:log.earlier')}
            </button>
          )}
          {first + MOST_LINES < log.lines && (
            <button type="button" onClick={() => reveal(first + MOST_LINES)}>
              {t('run:log.later')}
            </button>
          )}
        </div>
      )}
      <div
        ref={box}
        className={wrap ? 'log-box wrap' : 'log-box'}
        style={{ '--log-content': `${rows.count === 0 ? 80 : total}px` } as CSSProperties}
        tabIndex={0}
        role="region"
        aria-label={t('run:log.lines')}
        onScroll={scrolled}
        onWheel={(event) => {
          if (event.deltaY < 0 && tail && state !== 'complete') leaveTail()
        }}
        onKeyDown={(event) => {
          if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f') {
            event.preventDefault()
            search.input.current?.focus()
          }
        }}
      >
        {rows.count === 0 && <p className="log-empty">{t(state === 'complete' ? 'run:log.empty' : 'run:log.waiting')}</p>}
        <div style={{ height: total, position: 'relative' }}>
          <div className="log-rows" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
            {items.map((item) => {
              const n = rows.line(item.index)
              const fold = heads.get(n)
              const foldable = fold && (fold.end ?? log.lines) > fold.head
              const length = log.length(n)
              const most = more.get(n) ?? SHOWN
              const here = search.at?.line === n ? search.at.nth : undefined
              const classes = ['log-row', fold && `head ${fold.kind}`, n + 1 === line && 'linked'].filter(Boolean).join(' ')
              return (
                <div key={item.key} data-index={item.index} ref={wrap ? virtual.measureElement : undefined} className={classes}>
                  <a className="log-no" href={address(n + 1)} onClick={(event) => pick(event, n)} aria-label={t('run:log.line', { line: n + 1 })}>
                    {n + 1}
                  </a>
                  {foldable ? (
                    <button
                      type="button"
                      className="log-fold"
                      aria-expanded={!isShut(fold)}
                      aria-label={t(isShut(fold) ? 'run:log.open' : 'run:log.fold', { name: fold.name })}
                      onClick={() => {
                        leaveTail()
                        setToggled(new Map(toggled).set(fold.head, !isShut(fold)))
                      }}
                    >
                      {isShut(fold) ? <CaretRightFilled /> : <CaretDownFilled />}
                    </button>
                  ) : (
                    <span className="log-fold" />
                  )}
                  <div className="log-text">
                    {log.has(n) ? (
                      <LineText log={log} line={n} length={length} most={most} pattern={search.pattern} current={here} />
                    ) : (
                      <span className="log-coming" aria-label={t('waiting')} />
                    )}
                    {length > most && (
                      <LongLine left={length - most} more={most < MOST_SHOWN ? () => setMore(new Map(more).set(n, Math.min(most * 8, MOST_SHOWN))) : undefined} />
                    )}
                    {fold && foldable && isShut(fold) && (
                      <span className="log-aside">{t('run:log.hidden', { count: (fold.end ?? log.lines - 1) - fold.head })}</span>
                    )}
                    {fold?.seconds !== undefined && <span className="log-aside">{span(fold.seconds * 1000)}</span>}
                    {fold && fold === broke && (
                      <span className="log-aside bad">
                        {job.exit_code === null || job.exit_code === undefined ? t('run:log.broke') : t('run:log.exit', { code: job.exit_code })}
                      </span>
                    )}
                  </div>
                </div>
              )
            })}
          </div>
        </div>
      </div>
      {state !== 'complete' && !tail && rows.count > 0 && (
        <button type="button" className="log-end" onClick={() => setTail(true)}>
          <VerticalAlignBottomOutlined />
          {missed > 0 && seen > 0 ? t('run:log.to_end_new', { count: missed, n: count(missed) }) : t('run:log.to_end')}
        </button>
      )}
    </section>
  )
}

function LongLine({ left, more }: { left: number; more: (() => void) | undefined }) {
  const { t } = useTranslation()
  return (
    <span className="log-aside">
      {t('run:log.cut', { size: size(left) })}{' '}
      {more ? (
        <button type="button" className="log-more" onClick={more}>
          {t('more')}
        </button>
      ) : (
        t('run:log.cut_download')
      )}
    </span>
  )
}
