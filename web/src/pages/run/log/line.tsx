import { type CSSProperties, Fragment, memo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { type Colour, parse, readable, settled, type Span, type Style } from './ansi'
import { withoutMarks } from './folds'
import type { ShownLog } from './load'

/** Bytes of a line that are shown at first, and at most. */
export const SHOWN = 4 << 10
export const MOST_SHOWN = 256 << 10

/** A line's text in its colours, with what is searched for marked; `current` of those is where the search stands. */
export const LineText = memo(function LineText({
  log,
  line,
  most = SHOWN,
  pattern,
  current,
}: {
  log: ShownLog
  line: number
  /** So much of the line is there: the one that is being written grows. */
  length: number
  most?: number | undefined
  pattern?: RegExp | undefined
  current?: number | undefined
}) {
  const { spans } = parse(settled(withoutMarks(log.line(line, most))), log.styleAt(line))
  return <Spans spans={spans} pattern={pattern} current={current} />
})

export function Spans({ spans, pattern, current }: { spans: Span[]; pattern?: RegExp | undefined; current?: number | undefined }) {
  const { t } = useTranslation()
  const marks = pattern ? [...spans.map((s) => s.text).join('').matchAll(pattern)] : []
  let at = 0
  return spans.map((span, n) => {
    const from = at
    at += span.text.length
    const { className, style } = look(span.style)
    const pieces = marked(span.text, from, marks, current)
    if (!className && !style && !span.sign) return <Fragment key={n}>{pieces}</Fragment>
    return (
      <span key={n} className={span.sign ? `${className} log-sign` : className} style={style} title={span.sign ? t('run:log.unseen') : undefined}>
        {pieces}
      </span>
    )
  })
}

function marked(text: string, from: number, marks: RegExpExecArray[], current: number | undefined): ReactNode {
  const pieces: ReactNode[] = []
  let at = 0
  marks.forEach((mark, n) => {
    const begin = Math.max(mark.index - from, at)
    const end = Math.min(mark.index + mark[0].length - from, text.length)
    if (end <= begin) return
    if (begin > at) pieces.push(text.slice(at, begin))
    pieces.push(
      <mark key={n} className={n === current ? 'current' : undefined}>
        {text.slice(begin, end)}
      </mark>,
    )
    at = end
  })
  if (pieces.length === 0) return text
  if (at < text.length) pieces.push(text.slice(at))
  return pieces
}

function look(style: Style): { className: string; style: CSSProperties | undefined } {
  const classes: string[] = []
  const own: CSSProperties = {}
  const paint = (colour: Colour | undefined, ground: boolean): void => {
    if (typeof colour === 'number') classes.push(`${ground ? 'b' : 'c'}${colour}`)
    else if (colour !== undefined) own[ground ? 'backgroundColor' : 'color'] = ground ? colour : readable(colour)
  }
  const [fg, bg] = style.inverse ? [style.bg, style.fg] : [style.fg, style.bg]
  if (style.inverse && bg === undefined) classes.push('inverse')
  paint(fg, false)
  paint(bg, true)
  for (const flag of ['bold', 'faint', 'italic', 'underline', 'struck'] as const) if (style[flag]) classes.push(flag)
  return { className: classes.join(' '), style: Object.keys(own).length ? own : undefined }
}
