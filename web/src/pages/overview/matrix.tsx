// Services by environments. Only the rows in sight are in the page, however many there are.
import { useNavigate } from '@tanstack/react-router'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import type { OverviewService } from '../../api/schema'
import { isTyping } from '../../parts/typing'
import { Row } from './row'

interface MatrixProps {
  services: readonly OverviewService[]
  columns: readonly string[]
  byOwner: boolean
  /** How many there are on all pages. */
  matching: number
  more: (() => void) | undefined
}

type Line = { owner: string } | { service: OverviewService }

const ROW_PX = 54
const CARD_PX = 175
const CARD_GAP_PX = 10
/** What stays on top: the page's own head, and the table's. */
const HEAD_PX = 56
const TABLE_HEAD_PX = 40

const narrow = matchMedia('(max-width: 720px)')
const watchNarrow = (told: () => void): (() => void) => {
  narrow.addEventListener('change', told)
  return () => narrow.removeEventListener('change', told)
}

export function Matrix({ services, columns, byOwner, matching, more }: MatrixProps) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const list = useRef<HTMLDivElement>(null)
  const [margin, setMargin] = useState(0)
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const [at, setAt] = useState(-1)
  const cards = useSyncExternalStore(watchNarrow, () => narrow.matches)
  const lines = useMemo<Line[]>(() => {
    if (!byOwner) return services.map((service) => ({ service }))
    return services.flatMap((service, i) =>
      services[i - 1]?.owner === service.owner ? [{ service }] : [{ owner: service.owner }, { service }],
    )
  }, [services, byOwner])
  const rows = useWindowVirtualizer({
    count: lines.length,
    estimateSize: () => (cards ? CARD_PX : ROW_PX),
    gap: cards ? CARD_GAP_PX : 0,
    overscan: cards ? 5 : 10,
    scrollMargin: margin,
    scrollPaddingStart: HEAD_PX + (cards ? CARD_GAP_PX : TABLE_HEAD_PX),
    getItemKey: (i) => {
      const line = lines[i]
      return line === undefined ? i : 'owner' in line ? `owner/${line.owner}` : line.service.name
    },
  })
  useLayoutEffect(() => {
    const look = (): void => setMargin(Math.round((list.current?.getBoundingClientRect().top ?? 0) + scrollY))
    look()
    addEventListener('resize', look)
    return () => removeEventListener('resize', look)
  }, [services, columns, cards])

  const shown = rows.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= lines.length - 20) more?.()
  }, [last, lines.length, more])

  // Keys may come faster than the page is drawn.
  const current = useRef(at)
  const go = (to: number): void => {
    current.current = to
    setAt(to)
    rows.scrollToIndex(to, { align: 'auto' })
    // It is in the page once the virtualizer has seen where one is.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-index='${current.current}']`)?.focus({ preventScroll: true })),
    )
  }
  const step = (by: 1 | -1): void => {
    let to = current.current
    do to += by
    while (lines[to] !== undefined && 'owner' in lines[to]!)
    if (lines[to] !== undefined) go(to)
  }
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (isTyping(event) || event.metaKey || event.ctrlKey || event.altKey) return
      const key = event.key
      const inside = list.current?.contains(document.activeElement) ?? false
      if (key === 'j' || (key === 'ArrowDown' && inside)) step(1)
      else if (key === 'k' || (key === 'ArrowUp' && inside)) step(-1)
      else return
      event.preventDefault()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  })

  const toggle = useCallback(
    (service: string, env: string) =>
      setOpen((old) => {
        const next = new Set(old)
        const key = `${service}/${env}`
        if (!next.delete(key)) next.add(key)
        return next
      }),
    [],
  )
  const before = (shown[0]?.start ?? margin) - margin
  const after = rows.getTotalSize() - ((shown.at(-1)?.end ?? margin) - margin)
  return (
    <div
      role="table"
      aria-label={t('overview:title')}
      aria-rowcount={matching + 1}
      aria-colcount={columns.length + 1}
      className={columns.length > 5 ? 'ov-table ov-wide' : 'ov-table'}
      style={{ '--ov-columns': columns.length } as CSSProperties}
    >
      <div role="row" className="ov-head">
        <div role="columnheader">{t('overview:service')}</div>
        {columns.map((env) => (
          <div role="columnheader" key={env} className="ov-cut" title={env}>
            {env}
          </div>
        ))}
      </div>
      <div role="rowgroup" ref={list} className="ov-rows" style={{ paddingTop: Math.max(before, 0), paddingBottom: Math.max(after, 0) }}>
        {shown.map(({ index, key }) => {
          const line = lines[index]
          if (line === undefined) return null
          if ('owner' in line)
            return (
              <div role="row" key={key} data-index={index} ref={rows.measureElement} className="ov-owner">
                <div role="rowheader">{t('overview:of_owner', { owner: line.owner })}</div>
              </div>
            )
          const { service } = line
          return (
            <div
              role="row"
              key={key}
              data-index={index}
              ref={rows.measureElement}
              aria-rowindex={index + 2}
              tabIndex={index === at || (at < 0 && index === 0) ? 0 : -1}
              className={service.attention.includes('failing') ? 'ov-row ov-failing' : 'ov-row'}
              onFocus={(event) => {
                if (event.target !== event.currentTarget) return
                current.current = index
                setAt(index)
              }}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && event.target === event.currentTarget)
                  void navigate({ to: '/services/$service', params: { service: service.name } })
              }}
            >
              <Row
                service={service}
                columns={columns}
                open={columns.filter((env) => open.has(`${service.name}/${env}`)).join(' ')}
                toggle={toggle}
              />
            </div>
          )
        })}
      </div>
    </div>
  )
}
