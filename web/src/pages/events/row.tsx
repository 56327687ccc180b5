// An event: a line, and behind it everything that is known of it.
import { DownOutlined, RightOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { memo, type ReactNode, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Event } from '../../api/schema'
import { language, locale } from '../../i18n'
import { HistoryOf } from '../../parts/history'
import { count } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { exact } from '../../parts/time'
import { type Change, changes, gist, timeOf, type Value } from './changes'
import { nameOf, placeOf } from './filters'
import { useKind } from './kinds'

const MOST_FIELDS = 60
/** Where the states of what an event is about have their words. */
const STATES: Record<string, 'phase' | 'run_state' | 'instance'> = { rollout: 'phase', run: 'run_state', job: 'run_state', instance: 'instance' }

interface Props {
  event: Event
  hosts: ReadonlyMap<string, string>
  open: boolean
  toggle: (seq: number) => void
}

export const EventRow = memo(function EventRow({ event, hosts, open, toggle }: Props) {
  const { t } = useTranslation()
  const kind = useKind()
  const id = useId()
  const states = STATES[event.kind.split('.')[0] ?? '']
  const named = (state: string): string => (states === undefined ? state : t(`${states}.${state}`, { defaultValue: state }))
  const said = gist(event.before, event.after, language(), named) || event.subject
  const time = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(new Date(event.at))
  return (
    <li className={open ? 'event open' : 'event'}>
      <button type="button" className="event-line" aria-expanded={open} aria-controls={id} onClick={() => toggle(event.seq)}>
        <span className="event-sign" aria-hidden>
          {open ? <DownOutlined /> : <RightOutlined />}
        </span>
        <time dateTime={event.at} title={exact(event.at)}>
          {time}
        </time>
        <span className="event-kind" title={event.kind}>
          {kind(event.kind)}
        </span>
        <span className="event-place">{[event.service, event.env].filter(Boolean).join(' \u00b7 ')}</span>
        <span className="event-gist" title={said}>
          {said}
        </span>
        <span className="event-actor" title={nameOf(event.actor)}>
          <Actor event={event} hosts={hosts} />
        </span>
        <span className="event-seq">{t('events:number', { n: count(event.seq) })}</span>
      </button>
      <div id={id} hidden={!open}>
        {open && <Whole event={event} hosts={hosts} />}
      </div>
    </li>
  )
})

function Actor({ event, hosts }: { event: Event; hosts: ReadonlyMap<string, string> }) {
  const { t } = useTranslation()
  const { actor } = event
  if (actor.type === 'user') return actor.name
  if (actor.type === 'system') return t('events:system', { part: actor.part })
  return t('events:agent', { host: hosts.get(actor.host) ?? actor.host.slice(0, 8) })
}

function Whole({ event, hosts }: { event: Event; hosts: ReadonlyMap<string, string> }) {
  const { t } = useTranslation()
  const [all, setAll] = useState(false)
  const place = placeOf(event)
  const found = changes(event.before, event.after)
  const shown = all ? found : found.slice(0, MOST_FIELDS)
  const subject = <span className="mono">{event.subject}</span>
  return (
    <div className="event-whole">
      <section>
        <h3>{t('events:changes')}</h3>
        {found.length === 0 ? (
          <p className="event-soft">{t('events:no_changes')}</p>
        ) : (
          <div className="event-changes" role="region" tabIndex={0} aria-label={t('events:changes')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('events:change.sort')}</th>
                  <th scope="col">{t('events:change.field')}</th>
                  <th scope="col">{t('events:change.before')}</th>
                  <th scope="col">{t('events:change.after')}</th>
                </tr>
              </thead>
              <tbody>
                {shown.map((change) => (
                  <ChangeRow key={change.path} change={change} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        {shown.length < found.length && (
          <button type="button" className="event-more" onClick={() => setAll(true)}>
            {t('events:more_fields', { count: found.length - shown.length })}
          </button>
        )}
      </section>
      <section>
        <h3>{t('events:envelope')}</h3>
        <dl className="event-envelope">
          <Field name={t('events:field.subject')}>
            {place ? <Link {...place}>{subject}</Link> : subject} <HistoryOf subject={event.subject} />
          </Field>
          <Field name={t('events:field.kind')}>
            <span className="mono">{event.kind}</span> <span className="event-soft">{t('events:field.schema', { version: event.schema })}</span>
          </Field>
          <Field name={t('events:field.actor')}>
            <Actor event={event} hosts={hosts} /> <span className="event-soft mono">{event.actor.type}/{nameOf(event.actor)}</span>
          </Field>
          <Field name={t('events:field.at')}>
            {exact(event.at)} <span className="event-soft mono">{event.at}</span>
          </Field>
          <Field name={t('events:field.service')}>
            {event.service ? (
              <Link to="/services/$service" params={{ service: event.service }}>
                {event.service}
              </Link>
            ) : (
              '\u2013'
            )}
            {event.env && <span className="event-soft"> · {event.env}</span>}
          </Field>
          <Field name={t('events:field.cause')}>
            <span className="mono">{event.cause ?? '\u2013'}</span>
          </Field>
          <Field name={t('events:field.seq')}>
            {count(event.seq)} <span className="event-soft mono">{event.id}</span>
          </Field>
          <Field name={t('events:field.hash')}>
            <span className="mono">{event.hash}</span>
          </Field>
          <Field name={t('events:field.prev')}>
            <span className="mono">{event.prev}</span>
          </Field>
        </dl>
        <details>
          <summary>{t('events:json')}</summary>
          <Copyable label={t('events:json')} text={JSON.stringify(event, null, 2)} />
        </details>
      </section>
    </div>
  )
}

const Field = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const SIGNS: Record<Change['sort'], string> = { added: '+', removed: '\u2212', changed: '~', same: '=' }

function ChangeRow({ change }: { change: Change }) {
  const { t } = useTranslation()
  return (
    <tr className={change.sort}>
      <td className="event-sort">
        <span aria-hidden>{SIGNS[change.sort]}</span> {t(`events:sort.${change.sort}`)}
      </td>
      <th scope="row" className="mono">
        {change.path}
      </th>
      <td>{'before' in change && <Shown path={change.path} value={change.before} />}</td>
      <td>{'after' in change && <Shown path={change.path} value={change.after} />}</td>
    </tr>
  )
}

function Shown({ path, value }: { path: string; value: Value }) {
  const time = timeOf(path, value)
  if (typeof value === 'string') return <span className="event-value">{value}</span>
  if (typeof value === 'object' && value !== null && 'en' in value && 'zh' in value)
    return <span className="event-value">{String(value[language()])}</span>
  return (
    <span className="event-value">
      <span className="mono">{JSON.stringify(value)}</span>
      {time !== undefined && <span className="event-soft"> {exact(time)}</span>}
    </span>
  )
}
