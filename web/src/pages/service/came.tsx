import { ClockCircleOutlined, RollbackOutlined, StopOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Rollout } from '../../api/schema'
import { Mark, type Tone } from '../../parts/marks'
import { When } from '../../parts/time'
import type { Fate, Outcome } from './outcome'
import { rolloutsQuery } from './queries'

const MARKS: Record<Fate, [Tone, ReactNode?]> = {
  waits: ['still', <ClockCircleOutlined key="i" />],
  going: ['busy'],
  returning: ['warn', <RollbackOutlined key="i" />],
  back: ['bad', <RollbackOutlined key="i" />],
  failed: ['bad'],
  aborted: ['still', <StopOutlined key="i" />],
  completed: ['good'],
}

/** The newest of all environments, as the page has them. */
export function useRollouts(service: string): Rollout[] {
  const { data } = useInfiniteQuery(rolloutsQuery(service, undefined))
  return data?.pages.flatMap((p) => p.items) ?? []
}

/** What came of a release, and when; it leads to the rollout. */
export function Came({ outcome: { fate, rollout } }: { outcome: Outcome }) {
  const { t } = useTranslation()
  const [tone, icon] = MARKS[fate]
  return (
    <span className="came">
      <Link to="/rollouts/$rollout" params={{ rollout: rollout.id }}>
        <Mark tone={tone} icon={icon}>
          {t(`service:came.${fate}`, { env: rollout.env })}
        </Mark>
      </Link>{' '}
      <small>
        <When at={rollout.finished_at ?? rollout.created_at} />
      </small>
    </span>
  )
}
