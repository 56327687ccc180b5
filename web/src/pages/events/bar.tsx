import { CloseOutlined, FilterOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { AutoComplete, Button, Select } from 'antd'
import { type ReactNode, useEffect, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { servicesQuery } from '../../api/queries'
import type { Filters } from './filters'
import { NOUNS } from './kinds'

const HOUR_MS = 3_600_000
const SPANS = [
  ['1h', HOUR_MS],
  ['24h', 24 * HOUR_MS],
  ['7d', 7 * 24 * HOUR_MS],
  ['30d', 30 * 24 * HOUR_MS],
] as const
const TYPING_MS = 400

interface Props {
  filters: Filters
  change: (filters: Filters) => void
  /** Who did something among what is shown. */
  actors: string[]
  /** What it was done to. */
  subjects: string[]
}

export function FilterBar({ filters, change, actors, subjects }: Props) {
  const { t } = useTranslation()
  const { data: services = [] } = useQuery(servicesQuery)
  const envs = [...new Set(services.filter((s) => !filters.service || s.name === filters.service).flatMap((s) => s.environments.map((e) => e.name)))]
  const set = (name: keyof Filters, value: string | undefined): void => {
    const { [name]: _, ...rest } = filters
    change(value ? { ...rest, [name]: value } : rest)
  }
  const options = (names: string[]): { value: string; label: string }[] => names.map((value) => ({ value, label: value }))
  const chosen = Object.keys(filters).length
  // On a narrow screen they make room for the events.
  const [shown, setShown] = useState(false)
  return (
    <form
      className={shown ? 'events-bar shown' : 'events-bar'}
      role="search"
      aria-label={t('events:filter.title')}
      onSubmit={(event) => event.preventDefault()}
    >
      <Button className="events-show" icon={<FilterOutlined />} aria-expanded={shown} onClick={() => setShown(!shown)}>
        {chosen > 0 ? t('events:filter.some', { count: chosen }) : t('events:filter.title')}
      </Button>
      <Field label={t('events:filter.service')}>
        {(id) => (
          <Select
            id={id}
            allowClear
            showSearch
            placeholder={t('events:filter.any')}
            value={filters.service ?? null}
            options={options(services.map((s) => s.name))}
            onChange={(value: string | undefined) => set('service', value)}
          />
        )}
      </Field>
      <Field label={t('events:filter.env')}>
        {(id) => (
          <Select
            id={id}
            allowClear
            showSearch
            placeholder={t('events:filter.any')}
            value={filters.env ?? null}
            options={options(envs)}
            onChange={(value: string | undefined) => set('env', value)}
          />
        )}
      </Field>
      <Field label={t('events:filter.kind')}>
        {(id) => (
          <Typed
            id={id}
            value={filters.kind}
            placeholder={t('events:filter.any')}
            options={NOUNS.map((noun) => ({ value: `${noun}.`, label: `${t(`events:noun.${noun}`)} \u00b7 ${noun}.` }))}
            set={(value) => set('kind', value)}
          />
        )}
      </Field>
      <Field label={t('events:filter.actor')}>
        {(id) => <Typed id={id} value={filters.actor} placeholder={t('events:filter.any')} options={options(actors)} set={(value) => set('actor', value)} />}
      </Field>
      <Field label={t('events:filter.subject')}>
        {(id) => <Typed id={id} value={filters.subject} placeholder={t('events:filter.subject_as')} options={options(subjects)} set={(value) => set('subject', value)} />}
      </Field>
      <Field label={t('events:filter.since')}>{(id) => <Moment id={id} value={filters.since} set={(value) => set('since', value)} />}</Field>
      <Field label={t('events:filter.until')}>{(id) => <Moment id={id} value={filters.until} set={(value) => set('until', value)} />}</Field>
      <div className="events-spans" role="group" aria-label={t('events:filter.last')}>
        {SPANS.map(([name, ms]) => (
          <Button
            key={name}
            onClick={() => {
              const { until: _, ...rest } = filters
              change({ ...rest, since: new Date(Date.now() - ms).toISOString() })
            }}
          >
            {t(`events:filter.span.${name}`)}
          </Button>
        ))}
        {chosen > 0 && (
          <Button type="text" icon={<CloseOutlined />} onClick={() => change({})}>
            {t('events:filter.clear')}
          </Button>
        )}
      </div>
    </form>
  )
}

function Field({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <div className="events-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  )
}

/** Taken when one has stopped typing. */
function Typed({
  id,
  value,
  options,
  placeholder,
  set,
}: {
  id: string
  value: string | undefined
  options: { value: string; label: string }[]
  placeholder: string
  set: (value: string) => void
}) {
  const [text, setText] = useState(value ?? '')
  useEffect(() => setText(value ?? ''), [value])
  useEffect(() => {
    if (text.trim() === (value ?? '')) return
    const timer = setTimeout(() => set(text.trim()), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  const shown = options.filter((o) => `${o.label}${o.value}`.toLowerCase().includes(text.toLowerCase()))
  return <AutoComplete id={id} allowClear value={text} options={shown} placeholder={placeholder} onChange={(said: string | undefined) => setText(said ?? '')} />
}

/** A time here, as the browser asks for it. */
function Moment({ id, value, set }: { id: string; value: string | undefined; set: (value: string | undefined) => void }) {
  const local = (at: string): string => {
    const date = new Date(at)
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
  }
  return (
    <input
      key={value ?? ''}
      id={id}
      type="datetime-local"
      className="events-moment"
      defaultValue={value === undefined ? '' : local(value)}
      onBlur={(event) => {
        const said = event.target.value
        if (said === (value === undefined ? '' : local(value))) return
        set(said === '' ? undefined : new Date(said).toISOString())
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur()
      }}
    />
  )
}
