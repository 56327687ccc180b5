import { ClockCircleOutlined, ForwardOutlined, PlayCircleOutlined, StopOutlined } from '@ant-design/icons'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { JobState, RunState } from '../api/schema'
import { Mark, type Tone } from './marks'

const STATES: Record<JobState | RunState, [Tone, ReactNode?]> = {
  created: ['still', <ClockCircleOutlined key="i" />],
  pending: ['still', <ClockCircleOutlined key="i" />],
  running: ['busy'],
  manual: ['warn', <PlayCircleOutlined key="i" />],
  success: ['good'],
  success_with_warnings: ['warn'],
  failed: ['bad'],
  canceling: ['warn', <StopOutlined key="i" />],
  canceled: ['still', <StopOutlined key="i" />],
  skipped: ['still', <ForwardOutlined key="i" />],
}

/** How a run or a job of it stands. */
export function StateMark({ state, forgiven }: { state: JobState | RunState; /** It failed, and may. */ forgiven?: boolean }) {
  const { t } = useTranslation()
  const [tone, icon] = STATES[state]
  return (
    <Mark tone={forgiven && state === 'failed' ? 'warn' : tone} icon={icon}>
      {t(forgiven && state === 'failed' ? 'run_state.forgiven' : `run_state.${state}`)}
    </Mark>
  )
}
