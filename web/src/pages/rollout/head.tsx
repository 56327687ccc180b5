import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { ReleaseRef, Rollout } from '../../api/schema'
import { PhaseMark, ReleaseName } from '../../parts/marks'
import { Took, When } from '../../parts/time'

const Release = ({ service, release }: { service: string; release: ReleaseRef }) => (
  <Link to="/services/$service" params={{ service }} search={{ tab: 'releases' }}>
    <ReleaseName release={release} />
  </Link>
)

/** Who moves what where, and why they said so. */
export function Facts({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const { service, from, to, kind, strategy, requested_by, created_at, started_at, finished_at, ticket, note } = rollout
  const facts: [string, ReactNode][] = [
    [
      t('rollout:head.move'),
      <>
        {from ? <Release service={service} release={from} /> : t('rollout:head.nothing')}
        <span aria-hidden="true"> → </span>
        <span className="visually-hidden">{t('rollout:head.to')}</span>
        <Release service={service} release={to} />
      </>,
    ],
    [t('rollout:head.kind'), kind === 'rollback' ? t(`kind.${kind}`) : `${t(`kind.${kind}`)} · ${t(`rollout:strategy.${strategy}`, { defaultValue: strategy })}`],
    [
      t('rollout:head.asked'),
      <>
        {requested_by}, <When at={created_at} />
      </>,
    ],
    [t(started_at && !finished_at ? 'rollout:head.running' : 'rollout:head.took'), started_at ? <Took from={started_at} to={finished_at} /> : t('rollout:head.not_begun')],
    ...(ticket ? [[t('rollout:head.ticket'), ticket] as [string, ReactNode]] : []),
    ...(note ? [[t('rollout:head.note'), note] as [string, ReactNode]] : []),
  ]
  return (
    <dl className="rollout-facts">
      <div>
        <dt className="visually-hidden">{t('rollout:head.phase')}</dt>
        <dd>
          <PhaseMark phase={rollout.phase} />
        </dd>
      </div>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Place({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  return (
    <nav aria-label={t('rollout:head.place')}>
      <Link to="/services/$service" params={{ service: rollout.service }}>
        {rollout.service}
      </Link>
      {' / '}
      {rollout.env}
    </nav>
  )
}
