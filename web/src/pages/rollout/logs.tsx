// What both releases write, side by side, as it comes.
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from 'antd'
import { VerticalAlignBottomOutlined } from '@ant-design/icons'
import type { LogLine, LogUpdate, ReleaseRef, Rollout } from '../../api/schema'
import { messages } from '../../api/stream'
import { locale } from '../../i18n'
import { isLive } from './story'

/** More would make the page slow, and nobody reads it here. */
const KEPT = 1_000
const TAIL = 100
const AGAIN_MS = 2_000
/** Lines come in bursts; the page is told once. */
const GATHER_MS = 100

interface Row {
  n: number
  /** RFC 3339, of the same length always: compares as text. A notice stands where it came. */
  at: string
  line?: LogLine
  notice?: string
}

/** Each instance is read from its tail on, so their lines come one instance after the other. */
function merged(old: Row[], come: Row[]): Row[] {
  const last = old[old.length - 1]?.at ?? ''
  const rows = [...old, ...come]
  if (come.some((row, n) => row.at < (come[n - 1]?.at ?? last))) rows.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.n - b.n))
  return rows.slice(-KEPT)
}

type Stream = { rows: Row[]; state: 'reading' | 'broken' | 'over' }

/** Lines are no events: they come over a stream of their own, which is open only while they are shown. */
function useLines(service: string, env: string, release: string, follow: boolean): Stream {
  const [stream, setStream] = useState<Stream>({ rows: [], state: 'reading' })
  useEffect(() => {
    const over = new AbortController()
    let last: string | undefined
    let n = 0
    let at = ''
    let come: Row[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    let gathering: ReturnType<typeof setTimeout> | undefined
    setStream({ rows: [], state: 'reading' })
    const flush = (): void => {
      clearTimeout(gathering)
      gathering = undefined
      const rows = come
      come = []
      if (rows.length && !over.signal.aborted) setStream((old) => ({ rows: merged(old.rows, rows), state: 'reading' }))
    }
    const read = async (): Promise<void> => {
      const query = new URLSearchParams({ env, release, tail: `${TAIL}`, follow: `${follow}` })
      const url = `/api/v1/services/${encodeURIComponent(service)}/logs?${query}`
      try {
        for await (const message of messages(url, { last, signal: over.signal })) {
          if (message.kind !== 'message') continue
          if (message.id !== undefined) last = message.id
          const update = JSON.parse(message.data) as LogUpdate
          if (update.type === 'line') at = update.at
          come.push({ n: n++, at, ...(update.type === 'line' ? { line: update } : { notice: update.text }) })
          gathering ??= setTimeout(flush, GATHER_MS)
        }
      } finally {
        flush()
      }
    }
    const loop = async (): Promise<void> => {
      try {
        await read()
        if (!follow) return setStream((old) => ({ ...old, state: 'over' }))
      } catch {
        if (over.signal.aborted) return
        setStream((old) => ({ ...old, state: 'broken' }))
      }
      if (!over.signal.aborted) timer = setTimeout(() => void loop(), AGAIN_MS)
    }
    void loop()
    return () => {
      clearTimeout(timer)
      clearTimeout(gathering)
      over.abort()
    }
  }, [service, env, release, follow])
  return stream
}

export function Logs({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const live = isLive(rollout.phase)
  const pane = (release: ReleaseRef, label: string) => (
    <Pane key={release.digest} title={label} service={rollout.service} env={rollout.env} release={release} follow={live} />
  )
  return (
    <div className="logs">
      {pane(rollout.to, t('rollout:logs.canary', { label: rollout.to.label }))}
      {rollout.from && pane(rollout.from, t('rollout:logs.baseline', { label: rollout.from.label }))}
    </div>
  )
}

function Pane({ title, service, env, release, follow }: { title: string; service: string; env: string; release: ReleaseRef; follow: boolean }) {
  const { t } = useTranslation()
  const { rows, state } = useLines(service, env, release.digest, follow)
  const [stuck, setStuck] = useState(true)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (stuck && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [rows, stuck])
  return (
    <section className="log" aria-label={title}>
      <div className="log-head">
        <h3>{title}</h3>
        <span className="quiet">{state === 'broken' ? t('rollout:logs.broken') : follow ? t('rollout:logs.live') : ''}</span>
        {!stuck && (
          <Button size="small" icon={<VerticalAlignBottomOutlined />} onClick={() => setStuck(true)}>
            {follow ? t('rollout:logs.follow') : t('rollout:logs.end')}
          </Button>
        )}
      </div>
      <div
        ref={box}
        className="log-lines mono"
        role="log"
        aria-live="off"
        tabIndex={0}
        onScroll={({ currentTarget: el }) => setStuck(el.scrollHeight - el.scrollTop - el.clientHeight < 24)}
      >
        {rows.map(({ n, line, notice }) =>
          line ? (
            <div key={n} className={line.stream}>
              <time dateTime={line.at}>{new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(new Date(line.at))}</time>
              {line.stream !== 'stdout' && <b>{line.stream}</b>}
              {line.text}
            </div>
          ) : (
            <div key={n} className="notice">
              {notice}
            </div>
          ),
        )}
        {rows.length === 0 && state !== 'reading' && <div className="notice">{t('rollout:logs.none', { label: release.label })}</div>}
        {rows.length === 0 && state === 'reading' && <div className="notice">{t('waiting')}</div>}
      </div>
    </section>
  )
}
