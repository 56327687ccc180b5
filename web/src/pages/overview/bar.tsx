// How many call for a look, and which are to be shown.
import { CloseCircleOutlined, ExclamationCircleOutlined, FilterOutlined, LockOutlined, QuestionCircleOutlined, SearchOutlined, SyncOutlined } from '@ant-design/icons'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Attention, OverviewSummary } from '../../api/schema'
import { count } from '../../parts/marks'
import { isTyping } from '../../parts/typing'
import { ATTENTIONS, HEALTHS, isFiltered, KINDS, type Search, SORTS } from './search'

type Choose = (change: { [K in keyof Search]?: Search[K] | undefined }) => void

const SIGNS: Record<Attention, [string, ReactNode]> = {
  failing: ['bad', <CloseCircleOutlined key="i" />],
  degraded: ['warn', <ExclamationCircleOutlined key="i" />],
  unknown: ['warn', <QuestionCircleOutlined key="i" />],
  under_way: ['busy', <SyncOutlined key="i" />],
  frozen: ['still', <LockOutlined key="i" />],
}

/** Each number shows what it counts. */
export function Summary({ summary, search, choose }: { summary: OverviewSummary; search: Search; choose: Choose }) {
  const { t } = useTranslation()
  const calm = ATTENTIONS.every((one) => summary[one] === 0)
  return (
    <div className="ov-summary" role="group" aria-label={t('overview:summary')}>
      <span className="ov-all">{t('overview:services', { count: summary.services, n: count(summary.services) })}</span>
      {calm && <span className="mark good">{t('overview:calm')}</span>}
      {ATTENTIONS.filter((one) => summary[one] > 0 || search.attention === one).map((one) => (
        <button
          key={one}
          type="button"
          className="ov-chip"
          title={one === 'frozen' ? t('overview:held_up') : undefined}
          aria-pressed={search.attention === one}
          onClick={() => choose({ attention: search.attention === one ? undefined : one })}
        >
          <span className={`mark ${SIGNS[one][0]}`}>{SIGNS[one][1]}</span>
          <strong>{count(summary[one])}</strong> {t(`overview:attention.${one}`)}
        </button>
      ))}
    </div>
  )
}

interface FiltersProps {
  search: Search
  choose: Choose
  clear: () => void
  environments: readonly string[]
  owners: readonly string[]
}

export function Filters({ search, choose, clear, environments, owners }: FiltersProps) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const chosen = ['env', 'health', 'kind', 'owner'].filter((key) => key in search).length
  return (
    <div className="ov-filters">
      <Text value={search.q ?? ''} set={(q) => choose({ q })} />
      <button type="button" className="ov-more" aria-expanded={open} aria-controls="ov-choices" onClick={() => setOpen(!open)}>
        <FilterOutlined /> {t('overview:filter')}
        {chosen > 0 && <strong>{count(chosen)}</strong>}
      </button>
      <div id="ov-choices" className={open ? 'ov-choices open' : 'ov-choices'}>
        <Choice label={t('overview:env')} value={search.env} options={environments.map((env) => [env, env])} set={(env) => choose({ env })} />
        <Choice label={t('overview:health')} value={search.health} options={HEALTHS.map((h) => [h, t(`health.${h}`)])} set={(health) => choose({ health })} />
        <Choice label={t('overview:kind')} value={search.kind} options={KINDS.map((k) => [k, t(`service_kind.${k}`)])} set={(kind) => choose({ kind })} />
        {owners.length > 1 && <Choice label={t('overview:owner')} value={search.owner} options={owners.map((o) => [o, o])} set={(owner) => choose({ owner })} />}
        <label className="ov-choice">
          <span>{t('overview:sort')}</span>
          <select value={search.sort ?? 'name'} onChange={(event) => choose({ sort: SORTS.find((s) => s === event.target.value) })}>
            {SORTS.map((sort) => (
              <option key={sort} value={sort}>
                {t(`overview:by.${sort}`)}
              </option>
            ))}
          </select>
        </label>
        {isFiltered(search) && (
          <button type="button" className="ov-clear" onClick={clear}>
            {t('overview:clear')}
          </button>
        )}
      </div>
    </div>
  )
}

/** Typed at one's own pace; asked for when one pauses. */
function Text({ value, set }: { value: string; set: (text: string | undefined) => void }) {
  const { t } = useTranslation()
  const field = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState(value)
  const sent = useRef(value)
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value
      setTyped(value)
    }
  }, [value])
  useEffect(() => {
    if (typed === sent.current) return
    const timer = setTimeout(() => {
      sent.current = typed
      set(typed || undefined)
    }, 200)
    return () => clearTimeout(timer)
  }, [typed, set])
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return
      event.preventDefault()
      field.current?.select()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])
  return (
    <label className="ov-search">
      <SearchOutlined />
      <span className="visually-hidden">{t('overview:search')}</span>
      <input
        ref={field}
        type="search"
        value={typed}
        placeholder={t('overview:search')}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  )
}

interface ChoiceProps<T extends string> {
  label: string
  value: T | undefined
  options: [T, string][]
  set: (value: T | undefined) => void
}

function Choice<T extends string>({ label, value, options, set }: ChoiceProps<T>) {
  const { t } = useTranslation()
  return (
    <label className={value === undefined ? 'ov-choice' : 'ov-choice chosen'}>
      <span>{label}</span>
      <select value={value ?? ''} onChange={(event) => set(options.find(([key]) => key === event.target.value)?.[0])}>
        <option value="">{t('overview:any')}</option>
        {options.map(([key, words]) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}
