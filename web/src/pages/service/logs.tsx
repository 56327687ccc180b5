// What the instances write, from all of them at once.
import { ArrowDownOutlined } from '@ant-design/icons'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Button, Input, Select, Switch } from 'antd'
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Mark, type Tone, count } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { Trouble } from '../../parts/trouble'
import { locale } from '../../i18n'
import { ReleaseSelect } from './acts'
import type { Shown } from './index'
import { type Kept, patternOf } from './lines'
import { plain } from '../run/log/ansi'
import '../run/log/log.css'
import { Line } from './line'
import { type Tailing, useTail } from './tail'

const TAILS = [100, 1_000, 10_000]
const TONE: Record<Tailing, Tone> = { reading: 'busy', following: 'good', broken: 'warn', ended: 'still' }

export function Logs({ service, places }: Shown) {
  const { t } = useTranslation()
  const envs = service.environments.map((e) => e.name)
  // Where one looks stands in the address, to be shown to others.
  const asked = useSearch({ from: '/inside/services/$service' })
  const navigate = useNavigate()
  const env = asked.env ?? (envs.includes('production') ? 'production' : (envs[0] ?? ''))
  const { site = '', instance = '', release = '' } = asked
  const look = (at: Partial<Record<'env' | 'site' | 'instance' | 'release', string>>): void => {
    const said = Object.entries({ env, site, instance, release, ...at }).filter(([, value]) => value !== '')
    const search = { ...Object.fromEntries(said), tab: 'logs' }
    void navigate({ to: '/services/$service', params: { service: service.name }, search, replace: true, resetScroll: false })
  }
  const [tail, setTail] = useState(1_000)
  const [follow, setFollow] = useState(true)
  const [said, setSaid] = useState('')
  const [again, setAgain] = useState(0)
  const sought = useDeferredValue(said.trim())
  const { held, state, error } = useTail({ service: service.name, env, site, release, tail, follow }, again)
  const sites = [...new Set(places.filter((p) => p.env === env).map((p) => p.site))]
  const instances = useMemo(() => [...new Map(held.lines.map((l) => [l.instance, l])).values()], [held.lines])
  const pattern = useMemo(() => patternOf(sought), [sought])
  const shown = useMemo(
    () =>
      held.lines.filter((l) => (instance === '' || l.instance === instance) && (pattern === undefined || plain(l.text).search(pattern) >= 0)),
    [held.lines, instance, pattern],
  )
  if (envs.length === 0) return <Nothing title={t('service:place.no_env')}>{t('service:place.no_env_how')}</Nothing>
  return (
    <div className="logs">
      <div className="logs-tools">
        {envs.length > 1 && (
          <Select
            aria-label={t('service:act.env')}
            value={env}
            onChange={(next) => look({ env: next, site: '', instance: '' })}
            options={envs.map((e) => ({ value: e, label: e }))}
          />
        )}
        {sites.length > 1 && (
          <Select
            aria-label={t('service:log.site')}
            value={site}
            onChange={(next) => look({ site: next, instance: '' })}
            options={[{ value: '', label: t('service:log.every_site') }, ...sites.map((s) => ({ value: s, label: s }))]}
          />
        )}
        <Select
          aria-label={t('service:log.instance')}
          value={instance}
          onChange={(next) => look({ instance: next })}
          popupMatchSelectWidth={false}
          options={[
            { value: '', label: t('service:log.every_instance') },
            ...(instance !== '' && !instances.some((l) => l.instance === instance) ? [{ value: instance, label: instance.slice(-8) }] : []),
            ...instances.map((l) => ({ value: l.instance, label: `${l.label} ${l.instance.slice(-8)}${sites.length > 1 ? ` ${l.site}` : ''}` })),
          ]}
        />
        <div className="logs-release">
          <ReleaseSelect service={service.name} value={release || undefined} onChange={(next) => look({ release: next, instance: '' })} placeholder={t('service:log.every_release')} onClear={() => look({ release: '', instance: '' })} />
        </div>
        <Select
          aria-label={t('service:log.tail')}
          value={tail}
          onChange={setTail}
          options={TAILS.map((n) => ({ value: n, label: t('service:log.lines_each', { lines: count(n) }) }))}
        />
        <Input
          allowClear
          className="logs-search"
          value={said}
          placeholder={t('service:log.search')}
          aria-label={t('service:log.search')}
          onChange={(e) => setSaid(e.target.value)}
        />
        <label className="logs-follow">
          <Switch size="small" checked={follow} onChange={setFollow} /> {t('service:log.follow')}
        </label>
      </div>
      {error !== undefined && <Trouble error={error} again={() => setAgain(again + 1)} />}
      {held.notices.map((notice) => (
        <p key={notice} className="logs-notice" role="status">
          {notice}
        </p>
      ))}
      <View key={`${env} ${site} ${release} ${tail} ${again}`} lines={shown} pattern={pattern} state={state} sites={sites.length > 1} />
      <div className="logs-foot">
        <Mark tone={TONE[state]}>{t(`service:log.is.${state}`)}</Mark>
        <span>
          {sought || instance
            ? t('service:log.some', { count: shown.length, all: count(held.lines.length), shown: count(shown.length) })
            : t('service:log.all', { count: held.lines.length, shown: count(held.lines.length) })}
        </span>
        {held.dropped > 0 && <span>{t('service:log.dropped', { count: held.dropped })}</span>}
        {state === 'ended' && (
          <Button size="small" onClick={() => setAgain(again + 1)}>
            {t('service:log.again')}
          </Button>
        )}
      </div>
    </div>
  )
}

const NEAR_PX = 40

function View({ lines, pattern, state, sites }: { lines: Kept[]; pattern: RegExp | undefined; state: Tailing; sites: boolean }) {
  const { t } = useTranslation()
  const box = useRef<HTMLDivElement>(null)
  const [pinned, setPinned] = useState(true)
  const first = lines[0]?.at
  const older = first !== undefined && new Date(first).toDateString() !== new Date().toDateString()
  const clock = useMemo(
    () =>
      new Intl.DateTimeFormat(locale(), {
        ...(older && { month: '2-digit', day: '2-digit' }),
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        fractionalSecondDigits: 3,
        hour12: false,
      }),
    [older],
  )
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 20,
    overscan: 20,
    getItemKey: (n) => lines[n]?.key ?? n,
  })
  const last = lines.at(-1)?.key
  useEffect(() => {
    if (pinned && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [pinned, last, lines.length, rows])
  return (
    <div className="logs-frame log">
      <div
        ref={box}
        className="logs-box"
        role="log"
        aria-live="off"
        aria-label={t('service:tab.logs')}
        tabIndex={0}
        onWheel={(e) => {
          if (e.deltaY < 0) setPinned(false)
        }}
        onTouchMove={() => setPinned(false)}
        onKeyDown={(e) => {
          if (['ArrowUp', 'PageUp', 'Home'].includes(e.key)) setPinned(false)
          if (e.key === 'End') setPinned(true)
        }}
        onScroll={({ currentTarget: b }) => {
          if (!pinned && b.scrollHeight - b.scrollTop - b.clientHeight < NEAR_PX) setPinned(true)
        }}
      >
        {lines.length === 0 && (
          <Nothing title={state === 'reading' ? t('waiting') : pattern ? t('service:log.no_match') : t('service:log.none')}>
            {state !== 'reading' && !pattern && t('service:log.none_how')}
          </Nothing>
        )}
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map((row) => {
            const line = lines[row.index]
            return (
              line && (
                <div key={row.key} ref={rows.measureElement} data-index={row.index} className="logs-row" style={{ transform: `translateY(${row.start}px)` }}>
                  <Line line={line} pattern={pattern} clock={clock} site={sites} />
                </div>
              )
            )
          })}
        </div>
      </div>
      {!pinned && (
        <Button className="logs-end" size="small" icon={<ArrowDownOutlined />} onClick={() => setPinned(true)}>
          {t('service:log.to_end')}
        </Button>
      )}
    </div>
  )
}
