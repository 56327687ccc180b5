// A line of an instance, as text whatever is in it.
import { memo, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { count } from '../../parts/marks'
import { exact } from '../../parts/time'
import { parse, settled } from '../run/log/ansi'
import { Spans } from '../run/log/line'
import type { Kept } from './lines'

/** More of a line is not shown: no screen takes it. */
const LONGEST = 6_000

export const Line = memo(function Line({
  line,
  pattern,
  clock,
  site,
}: {
  line: Kept
  pattern: RegExp | undefined
  clock: Intl.DateTimeFormat
  site: boolean
}) {
  const { t } = useTranslation()
  const text = settled(line.text)
  const { spans } = useMemo(() => parse(text.slice(0, LONGEST)), [text])
  const over = text.length - LONGEST
  return (
    <div className={`tail-line ${line.stream}`}>
      <time dateTime={line.at} title={exact(line.at)}>
        {clock.format(new Date(line.at))}
      </time>
      <span className="tail-of" title={`${line.site} ${line.instance}`}>
        {line.label} {line.instance.slice(-4)}
        {site && ` ${line.site}`}
      </span>
      <span className="tail-text">
        {line.stream !== 'stdout' && <span className="tail-stream">{t(`service:log.stream.${line.stream}`)}</span>}
        <Spans spans={spans} pattern={pattern} />
        {over > 0 && <em> {t('service:log.longer', { count: over, more: count(over) })}</em>}
      </span>
    </div>
  )
})
