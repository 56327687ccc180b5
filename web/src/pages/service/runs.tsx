import {
  ClockCircleOutlined,
  ExclamationCircleOutlined,
  PauseCircleOutlined,
  StopOutlined,
} from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { RunState } from '../../api/schema'
import { Mark, type Tone, count } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { Took, When } from '../../parts/time'
import type { Shown } from './index'
import { Listed } from './listed'
import { runsQuery } from './queries'

const STATE: Record<RunState, [Tone, ReactNode?]> = {
  pending: ['still', <ClockCircleOutlined key="i" />],
  running: ['busy'],
  manual: ['warn', <PauseCircleOutlined key="i" />],
  success: ['good'],
  success_with_warnings: ['warn', <ExclamationCircleOutlined key="i" />],
  failed: ['bad'],
  canceling: ['busy'],
  canceled: ['still', <StopOutlined key="i" />],
  skipped: ['still'],
}

function StateMark({ state }: { state: RunState }) {
  const { t } = useTranslation()
  const [tone, icon] = STATE[state]
  return (
    <Mark tone={tone} icon={icon}>
      {t(`service:run.is.${state}`)}
    </Mark>
  )
}

export function Runs({ service }: Shown) {
  const { t } = useTranslation()
  const runs = useInfiniteQuery(runsQuery(service.name))
  return (
    <Listed of={runs} empty={<Nothing title={t('service:run.none')}>{t('service:run.none_how', { path: service.git_path })}</Nothing>}>
      {(items) => (
        <Rows
          label={t('service:tab.runs')}
          items={items}
          id={(run) => run.id}
          columns={[
            {
              head: t('service:run.state'),
              cell: (run) => (
                <Link to="/runs/$run" params={{ run: run.id }}>
                  <StateMark state={run.state} />
                </Link>
              ),
            },
            {
              head: t('service:run.run'),
              cell: (run) => (
                <Link to="/runs/$run" params={{ run: run.id }}>
                  #{count(run.number)}
                </Link>
              ),
            },
            {
              head: t('service:run.commit'),
              wide: true,
              cell: (run) => (
                <>
                  <span className="list-title">{run.title ?? '–'}</span>
                  <span className="soft">
                    <code title={run.commit}>{run.commit.slice(0, 8)}</code> · {run.branch}
                  </span>
                  {run.reason && <span className={`list-reason ${run.state === 'failed' ? 'failed' : ''}`}>{run.reason}</span>}
                </>
              ),
            },
            {
              head: t('service:run.made'),
              cell: (run) => (
                <>
                  {run.release?.label ?? <span className="soft">–</span>}
                  {run.rollout && (
                    <Link to="/rollouts/$rollout" params={{ rollout: run.rollout }} className="list-run">
                      {run.env ?? t('service:run.rollout')}
                    </Link>
                  )}
                </>
              ),
            },
            {
              head: t('service:run.who'),
              cell: (run) => (
                <>
                  {run.requested_by}
                  <span className="soft">
                    <When at={run.created_at} />
                  </span>
                </>
              ),
            },
            { head: t('service:run.took'), cell: (run) => <Took from={run.started_at} to={run.finished_at} /> },
          ]}
        />
      )}
    </Listed>
  )
}
