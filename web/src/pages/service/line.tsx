// A line of an instance, as text whatever is in it.
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { count } from '../../parts/marks'
import { exact } from '../../parts/time'
import { type Kept, places } from './lines'

const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Without colours; what cannot be seen, or turns text round, has a sign in its place. */
export const plain = (text: string): string => text.replace(ESCAPES, '').replace(UNSEEN, '\ufffd')

/** More of a line is not shown: no screen takes it. */
const LONGEST = 6_000

export const Line = memo(function Line({ line, sought, clock, site }: { line: Kept; sought: string; clock: Intl.DateTimeFormat; site: boolean }) {
  const { t } = useTranslation()
  const text = plain(line.text)
  const shown = text.slice(0, LONGEST)
  const at = new Date(line.at)
  return (
    <div className={`log-line ${line.stream}`}>
      <time dateTime={line.at} title={exact(line.at)}>
        {clock.format(at)}
      </time>
      <span className="log-of" title={`${line.site} ${line.instance}`}>
        {line.label} {line.instance.slice(-4)}
        {site && ` ${line.site}`}
      </span>
      <span className="log-text">
        {line.stream !== 'stdout' && <span className="log-stream">{t(`service:log.stream.${line.stream}`)}</span>}
        <Marked text={shown} sought={sought} />
        {text.length > LONGEST && <em> {t('service:log.longer', { count: text.length - LONGEST, more: count(text.length - LONGEST) })}</em>}
      </span>
    </div>
  )
})

function Marked({ text, sought }: { text: string; sought: string }) {
  const found = places(text, sought)
  if (found.length === 0) return text
  return (
    <>
      {found.map(([from, to], n) => (
        <span key={from}>
          {text.slice(found[n - 1]?.[1] ?? 0, from)}
          <mark>{text.slice(from, to)}</mark>
        </span>
      ))}
      {text.slice(found.at(-1)?.[1] ?? 0)}
    </>
  )
}
