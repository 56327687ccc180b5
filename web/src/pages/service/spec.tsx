// What a release is made of: its spec as pushed, its files, and how it differs from another.
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Input, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ReleaseDetail } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { count } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { When } from '../../parts/time'
import { Copyable } from '../../parts/once'
import { Field, ReleaseSelect, liveIn } from './acts'
import { Comparison } from './change'
import type { Shown } from './index'
import { releaseQuery } from './queries'

export function SpecTab({ service, places }: Shown) {
  const { t } = useTranslation()
  const { release: asked } = useSearch({ from: '/inside/services/$service' })
  const navigate = useNavigate()
  const [other, setOther] = useState<string>()
  const live = service.environments.map((e) => ({ env: e.name, release: liveIn(places, e.name) })).filter((l) => l.release)
  const label = asked ?? live.at(-1)?.release?.label
  const detail = useQuery({ ...releaseQuery(service.name, label ?? ''), enabled: label !== undefined })
  const against = useQuery({ ...releaseQuery(service.name, other ?? ''), enabled: other !== undefined })
  const choose = (next: string): void =>
    void navigate({ to: '/services/$service', params: { service: service.name }, search: { tab: 'spec', release: next }, resetScroll: false })
  return (
    <>
      <div className="act-pair spec-choice">
        <Field label={t('service:act.release')}>
          <ReleaseSelect service={service.name} value={label} onChange={choose} />
        </Field>
        <Field label={t('service:spec.compare')}>
          <Select
            allowClear
            style={{ width: '100%' }}
            placeholder={t('service:spec.with_none')}
            {...(other !== undefined && { value: other })}
            onChange={(next: string | undefined) => setOther(next)}
            options={live
              .filter((l) => l.release?.label !== label)
              .map((l) => ({ value: l.release?.label ?? '', label: t('service:spec.live_in', { release: l.release?.label ?? '', env: l.env }) }))
              .concat(numbersBefore(label).map((l) => ({ value: l, label: l })))}
          />
        </Field>
      </div>
      {label === undefined ? (
        <Nothing title={t('service:release.none')}>{t('service:release.none_how')}</Nothing>
      ) : (
        <Loaded of={detail} rows={10}>
          {(release) => (
            <>
              {other !== undefined && against.data && <Comparison service={service.name} from={against.data} to={release} />}
              <Detail release={release} />
            </>
          )}
        </Loaded>
      )}
    </>
  )
}

/** Labels count: those just before are what one compares with. */
const numbersBefore = (label: string | undefined): string[] => {
  const n = Number(label?.slice(1))
  return Number.isInteger(n) ? Array.from({ length: Math.min(n - 1, 10) }, (_, i) => `v${n - 1 - i}`) : []
}

function Detail({ release }: { release: ReleaseDetail }) {
  const { t } = useTranslation()
  return (
    <>
      <p className="spec-about">
        <strong>{release.label}</strong> {release.title} <code>{release.commit.slice(0, 12)}</code> · {release.created_by} · <When at={release.created_at} />
      </p>
      <h3 className="spec-head">{t('service:spec.digest')}</h3>
      <Copyable text={release.digest} label={t('service:spec.digest')} />
      <h3 className="spec-head">tradewind.yaml</h3>
      <div className="code-box" tabIndex={0} role="region" aria-label="tradewind.yaml">
        <ol className="code-lines">
          {release.spec.replace(/\n$/, '').split('\n').map((line, n) => (
            <li key={n}>
              <code>{line}</code>
            </li>
          ))}
        </ol>
      </div>
      <Manifest release={release} />
    </>
  )
}

const SHOWN = 200

function Manifest({ release }: { release: ReleaseDetail }) {
  const { t } = useTranslation()
  const [said, setSaid] = useState('')
  const found = release.manifest.filter((f) => f.path.toLowerCase().includes(said.toLowerCase()))
  return (
    <details className="manifest">
      <summary>
        {t('service:spec.files', { count: release.files })} <small>{t('service:spec.packed', { size: bytes(release.bundle_bytes) })}</small>
      </summary>
      <Input allowClear value={said} onChange={(e) => setSaid(e.target.value)} placeholder={t('service:spec.find')} aria-label={t('service:spec.find')} />
      <ul className="change-list">
        {found.slice(0, SHOWN).map((f) => (
          <li key={f.path}>
            <code>{f.path}</code> <small>{f.link ? `→ ${f.link}` : bytes(f.bytes ?? 0)}</small>
            {f.executable && <small> {t('service:spec.executable')}</small>}
          </li>
        ))}
      </ul>
      {found.length > SHOWN && <p className="change-none">{t('service:change.too_many', { count: found.length - SHOWN })}</p>}
    </details>
  )
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB']
function bytes(n: number): string {
  const step = n < 1 ? 0 : Math.min(Math.floor(Math.log2(n) / 10), UNITS.length - 1)
  return `${count(Math.round((n / 1024 ** step) * 10) / 10)} ${UNITS[step]}`
}
