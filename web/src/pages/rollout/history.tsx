import { useTranslation } from 'react-i18next'
import type { Event, Rollout, TimelineEntry } from '../../api/schema'
import { locale } from '../../i18n'
import { PhaseMark } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { exact, span } from '../../parts/time'

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
            <span className="timeline-text">{ending(entry, rollout) ? <PhaseMark phase={rollout.phase} /> : entry.text}</span>
          </li>
        )
      })}
    </ol>
  )
}

const actor = (event: Event): string => {
  const who = event.actor
  return who.type === 'user' ? who.name : who.type === 'system' ? who.part : who.host
}

/** The sealed facts behind the timeline, as the event log keeps them. */
export function Facts({ events }: { events: Event[] }) {
  const { t } = useTranslation()
  if (events.length === 0) return <Nothing title={t('rollout:events.none')}>{t('rollout:events.none_why')}</Nothing>
  return (
    <table className="rows events">
      <thead>
        <tr>
          <th scope="col">{t('rollout:events.seq')}</th>
          <th scope="col">{t('rollout:events.at')}</th>
          <th scope="col">{t('rollout:events.kind')}</th>
          <th scope="col">{t('rollout:events.actor')}</th>
          <th scope="col">{t('rollout:events.after')}</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={event.id}>
            <th scope="row" className="number mono">
              {event.seq}
            </th>
            <td data-label={t('rollout:events.at')} title={exact(event.at)}>
              {clockTime(event.at)}
            </td>
            <td className="mono">{event.kind}</td>
            <td data-label={t('rollout:events.actor')}>{actor(event)}</td>
            <td>
              <code className="fact">{event.after ? JSON.stringify(event.after) : '–'}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
