import { useTranslation } from 'react-i18next'
import type { Event, Rollout, TimelineEntry } from '../../api/schema'
import { locale } from '../../i18n'
import { PhaseMark } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { Ticked } from '../../parts/ticked'
import { exact, span } from '../../parts/time'
import '../events/events.css'
import { EventRow } from '../events/row'
import { useHosts, useOpen } from '../events/rows'

const clockTime = (at: string): string => new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(new Date(at))

const BAD = new Set(['rollout.returning', 'rollout.abort_requested'])
const GOOD = new Set(['rollout.verified', 'rollout.promoted', 'rollout.wave_finished'])
const tone = (entry: TimelineEntry, rollout: Rollout): string =>
  BAD.has(entry.kind) ? 'bad' : GOOD.has(entry.kind) ? 'good' : entry.kind === 'rollout.finished' ? (rollout.phase === 'completed' ? 'good' : 'bad') : ''

/** The end says again why it went back, which was told before. */
const ending = (entry: TimelineEntry, { reason, phase }: Rollout): boolean =>
  entry.kind === 'rollout.finished' && phase !== 'completed' && reason != null && entry.text.endsWith(reason)

/** What happened, each with how long after the one before. */
export function Timeline({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  if (rollout.timeline.length === 0) return <Nothing title={t('rollout:timeline.none')} />
  return (
    <ol className="timeline">
      {rollout.timeline.map((entry, n) => {
        const before = rollout.timeline[n - 1]
        const gap = before ? Date.parse(entry.at) - Date.parse(before.at) : 0
        return (
          <li key={`${entry.at}${entry.kind}${n}`} className={tone(entry, rollout)}>
            <time dateTime={entry.at} title={exact(entry.at)}>
              {clockTime(entry.at)}
            </time>
            <span className="timeline-gap">{gap >= 1 ? `+${span(gap)}` : ''}</span>
            <span className="timeline-text">{ending(entry, rollout) ? <PhaseMark phase={rollout.phase} /> : <Ticked text={entry.text} />}</span>
          </li>
        )
      })}
    </ol>
  )
}

/** The sealed facts behind the timeline, as the event log tells them. */
export function Facts({ events }: { events: Event[] }) {
  const { t } = useTranslation()
  const hosts = useHosts()
  const [open, toggle] = useOpen()
  if (events.length === 0) return <Nothing title={t('rollout:events.none')}>{t('rollout:events.none_why')}</Nothing>
  return (
    <ol className="events-list">
      {events.map((event) => (
        <EventRow key={event.id} event={event} hosts={hosts} open={open.has(event.seq)} toggle={toggle} />
      ))}
    </ol>
  )
}
