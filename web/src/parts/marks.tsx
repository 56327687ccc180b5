// How things stand, each by a sign, a word and a colour: never by colour alone.
import {
  CheckCircleOutlined,
  ClockCircleOutlined,
  CloseCircleOutlined,
  ExclamationCircleOutlined,
  LoadingOutlined,
  MinusCircleOutlined,
  PauseCircleOutlined,
  QuestionCircleOutlined,
  RollbackOutlined,
  StopOutlined,
} from '@ant-design/icons'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Health, InstancePhase, ReleaseRef, RolloutPhase } from '../api/schema'
import { locale } from '../i18n'
import './parts.css'

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'still'

export const Mark = ({ tone, icon, children }: { tone: Tone; icon?: ReactNode; children: ReactNode }) => (
  <span className={`mark ${tone}`}>
    {icon ?? ICONS[tone]}
    <span>{children}</span>
  </span>
)

const ICONS: Record<Tone, ReactNode> = {
  good: <CheckCircleOutlined />,
  warn: <ExclamationCircleOutlined />,
  bad: <CloseCircleOutlined />,
  busy: <LoadingOutlined />,
  still: <MinusCircleOutlined />,
}

const HEALTH: Record<Health, [Tone, ReactNode?]> = {
  healthy: ['good'],
  degraded: ['warn'],
  down: ['bad'],
  empty: ['still'],
  unknown: ['warn', <QuestionCircleOutlined key="i" />],
}

export function HealthMark({ health }: { health: Health }) {
  const { t } = useTranslation()
  const [tone, icon] = HEALTH[health]
  return (
    <Mark tone={tone} icon={icon}>
      {t(`health.${health}`)}
    </Mark>
  )
}

const PHASE: Record<RolloutPhase, [Tone, ReactNode?]> = {
  queued: ['still', <ClockCircleOutlined key="i" />],
  running: ['busy'],
  paused: ['warn', <PauseCircleOutlined key="i" />],
  returning: ['warn', <RollbackOutlined key="i" />],
  completed: ['good'],
  failed: ['bad'],
  aborted: ['still', <StopOutlined key="i" />],
  superseded: ['still'],
}

export function PhaseMark({ phase }: { phase: RolloutPhase }) {
  const { t } = useTranslation()
  const [tone, icon] = PHASE[phase]
  return (
    <Mark tone={tone} icon={icon}>
      {t(`phase.${phase}`)}
    </Mark>
  )
}

const INSTANCE: Record<InstancePhase, Tone> = {
  pending: 'busy',
  starting: 'busy',
  ready: 'good',
  unhealthy: 'bad',
  draining: 'warn',
  stopping: 'warn',
  stopped: 'still',
  backoff: 'bad',
  failed: 'bad',
}

export function InstanceMark({ phase }: { phase: InstancePhase }) {
  const { t } = useTranslation()
  return <Mark tone={INSTANCE[phase]}>{t(`instance.${phase}`)}</Mark>
}

/** Basis points as per cent. */
export const percent = (points: number): string =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 1 }).format(points / 10_000)

export const count = (n: number): string => new Intl.NumberFormat(locale()).format(n)

/** A share of traffic. */
export const Share = ({ points }: { points: number }) => (
  <span className="share">
    <span className="share-bar" aria-hidden="true">
      <span style={{ width: `${points / 100}%` }} />
    </span>
    {percent(points)}
  </span>
)

/** A release's label with the beginning of its digest. */
export const ReleaseName = ({ release }: { release: ReleaseRef | null | undefined }) =>
  release ? (
    <span className="release">
      {release.label}
      <small className="mono">{release.digest.replace('sha256:', '').slice(0, 8)}</small>
    </span>
  ) : (
    <span>–</span>
  )
