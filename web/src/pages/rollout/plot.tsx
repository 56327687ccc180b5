// A series over time: drawn by uPlot in the theme's colours, as wide as its place, with its values as a table for who cannot see it.
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useDark } from '../../app/look'

export interface Line {
  label: string
  /** The name of a CSS variable. */
  colour: string
  dash?: number[]
  fill?: boolean
  /** Each value holds from its own moment on (`after`), or from the one before up to it. */
  stepped?: 'after' | 'before'
  width?: number
}

export interface Rule {
  at: number
  label: string
  colour: string
  dash?: number[]
}

interface PlotProps {
  /** Said in place of the picture. */
  summary: string
  lines: Line[]
  /** Seconds, and the values of each line. */
  t: number[]
  values: (number | null)[][]
  format: (value: number) => string
  height?: number
  log?: boolean
  range: [number, number]
  until: number
  /** Upright, at a second. */
  marks?: Rule[]
  /** Level, at a value. */
  limits?: Rule[]
  extra?: ReactNode
  /** Under the picture, in words. */
  below?: ReactNode
}

const TABLE_ROWS = 20
const FONT = 'system-ui, sans-serif'

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** What the ticks of time may be apart. */
const APART = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400]

/** `0:42`, `1:03:20`, `0:00.4`: the same in every language. */
export function clock(seconds: number, tenths = false): string {
  if (tenths) return `0:${Math.max(0, seconds).toFixed(1).padStart(4, '0')}`
  const s = Math.max(0, Math.round(seconds))
  const two = (n: number): string => String(n).padStart(2, '0')
  const [h, m] = [Math.floor(s / 3_600), Math.floor((s % 3_600) / 60)]
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}

const powers = ([low, high]: [number, number]): number[] => {
  const first = Math.ceil(Math.log10(low) - 1e-9)
  const last = Math.floor(Math.log10(high) + 1e-9)
  const every = Math.ceil((last - first + 1) / 8)
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, n) => 10 ** (first + n * every))
}

function rules(marks: Rule[], limits: Rule[]): (u: uPlot) => void {
  return (u) => {
    const { ctx } = u
    const { left, top, width, height } = u.bbox
    const ratio = devicePixelRatio
    ctx.save()
    ctx.font = `${11 * ratio}px ${FONT}`
    ctx.lineWidth = ratio
    const stroke = (rule: Rule, x0: number, y0: number, x1: number, y1: number): void => {
      ctx.strokeStyle = ctx.fillStyle = css(rule.colour)
      ctx.setLineDash((rule.dash ?? [4, 4]).map((d) => d * ratio))
      ctx.beginPath()
      ctx.moveTo(x0, y0)
      ctx.lineTo(x1, y1)
      ctx.stroke()
    }
    for (const limit of limits) {
      const y = u.valToPos(limit.at, 'y', true)
      if (y < top || y > top + height) continue
      stroke(limit, left, y, left + width, y)
      ctx.textAlign = 'left'
      ctx.textBaseline = 'bottom'
      ctx.fillText(limit.label, left + 6 * ratio, y - 2 * ratio)
    }
    let free = -Infinity
    for (const mark of marks) {
      const x = u.valToPos(mark.at, 'x', true)
      if (x < left - 1 || x > left + width + 1) continue
      stroke(mark, x, top, x, top + height)
      const wide = ctx.measureText(mark.label).width
      const turned = x + wide + 8 * ratio > left + width
      const begins = turned ? x - wide - 4 * ratio : x + 4 * ratio
      if (begins < free) continue
      ctx.textAlign = 'left'
      ctx.textBaseline = 'alphabetic'
      ctx.fillText(mark.label, begins, top + height - 5 * ratio)
      free = begins + wide + 4 * ratio
    }
    ctx.restore()
  }
}

export function Plot(props: PlotProps) {
  const { summary, lines, t, values, format, height = 220, log = false, extra, below } = props
  const dark = useDark()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const now = useRef(props)
  now.current = props
  const [at, setAt] = useState<number>()
  const shape = JSON.stringify(lines)

  useEffect(() => {
    const box = place.current
    if (!box) return
    const axis = { stroke: css('--ink-faint'), font: `11px ${FONT}`, grid: { stroke: css('--line'), width: 1 }, ticks: { show: false } }
    const make = (): uPlot =>
      new uPlot(
        {
          width: Math.max(box.clientWidth, 120),
          height,
          legend: { show: false },
          cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
          padding: [12, 24, 0, 0],
          scales: {
            x: { time: false, range: () => [0, Math.max(now.current.until, 0.2)] },
            y: { distr: log ? 3 : 1, range: () => now.current.range },
          },
          axes: [
            { ...axis, incrs: APART, values: (_, ticks, _axis, _space, apart) => ticks.map((s) => clock(s, apart < 1)), size: 28 },
            {
              ...axis,
              size: 52,
              values: (_, ticks) => ticks.map((v) => (Number.isFinite(v) ? format(v) : '')),
              ...(log ? { splits: () => powers(now.current.range), filter: (_: uPlot, ticks: number[]) => ticks } : {}),
            },
          ],
          series: [
            {},
            ...lines.map((line) => ({
              label: line.label,
              stroke: css(line.colour),
              width: line.width ?? 2,
              points: { show: false },
              ...(line.dash ? { dash: line.dash } : {}),
              ...(line.fill ? { fill: `${css(line.colour)}33` } : {}),
              ...(line.stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: line.stepped === 'after' ? 1 : -1 }) } : {}),
            })),
          ],
          hooks: {
            draw: [(u) => rules(now.current.marks ?? [], now.current.limits ?? [])(u)],
            setCursor: [(u) => setAt(u.cursor.idx ?? undefined)],
          },
        },
        [now.current.t, ...now.current.values],
        box,
      )
    plot.current = make()
    const size = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(box.clientWidth, 120), height }))
    size.observe(box)
    return () => {
      size.disconnect()
      plot.current?.destroy()
      plot.current = undefined
    }
    // What is drawn changes by `setData`; a new plot is made for other lines or colours only.
  }, [dark, shape, height, log])

  useEffect(() => {
    plot.current?.setData([t, ...values])
  })

  const seen = at !== undefined && at < t.length ? at : t.length - 1
  const rows = useMemo(() => {
    const every = Math.max(1, Math.ceil(t.length / TABLE_ROWS))
    return t.map((_, n) => n).filter((n) => n % every === 0 || n === t.length - 1)
  }, [t])
  const shown = (line: number, n: number): string => {
    const value = values[line]?.[n]
    return value === null || value === undefined ? '–' : format(value)
  }

  return (
    <figure className="plot">
      <figcaption className="plot-legend">
        {lines.map((line, n) => (
          <span key={line.label}>
            <i className={line.dash ? ((line.dash[0] ?? 0) < 4 ? 'dotted' : 'dashed') : ''} style={{ borderColor: `var(${line.colour})` }} aria-hidden="true" />
            {line.label} <strong>{shown(n, seen)}</strong>
          </span>
        ))}
        {at !== undefined && t[at] !== undefined && <span className="plot-at">{clock(t[at])}</span>}
        {extra}
      </figcaption>
      <div ref={place} style={{ height }} role="img" aria-label={summary} />
      {below}
      <div className="visually-hidden">
        <table>
          <caption>{summary}</caption>
          <thead>
            <tr>
              <th scope="col">t</th>
              {lines.map((line) => (
                <th key={line.label} scope="col">
                  {line.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((n) => (
              <tr key={n}>
                <th scope="row">{clock(t[n] ?? 0)}</th>
                {lines.map((line, l) => (
                  <td key={line.label}>{shown(l, n)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  )
}
