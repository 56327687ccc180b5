import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { count } from '../../parts/marks'
import { StateMark } from '../../parts/state'
import { Nothing } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { Took, When } from '../../parts/time'
import type { Shown } from './index'
import { Listed } from './listed'
import { runsQuery } from './queries'

const STATES = ['running', 'manual', 'failed', 'success', 'success_with_warnings', 'canceled'] as const

export function Runs(shown: Shown) {
  const { service } = shown
  const { t } = useTranslation()
  const { state = '' } = useSearch({ from: '/inside/services/$service' })
  const navigate = useNavigate()
  return (
    <>
      <div className="list-filter">
        <Select
          aria-label={t('service:run.state')}
          style={{ width: '14rem', maxWidth: '100%' }}
          value={state}
          onChange={(wanted) =>
            void navigate({
              to: '/services/$service',
              params: { service: service.name },
              search: { tab: 'runs', ...(wanted && { state: wanted }) },
              replace: true,
              resetScroll: false,
            })
          }
          options={[{ value: '', label: t('service:run.any_state') }, ...STATES.map((s) => ({ value: s as string, label: t(`run_state.${s}`) }))]}
        />
      </div>
      <List {...shown} state={state} />
    </>
  )
}

function List({ service, state }: Shown & { state: string }) {
  const { t } = useTranslation()
  const runs = useInfiniteQuery(runsQuery(service.name, state || undefined))
  const none = state ? (
    <Nothing title={t('service:run.none_in_state')}>{t('service:run.none_in_state_how')}</Nothing>
  ) : (
    <Nothing title={t('service:run.none')}>{t('service:run.none_how', { path: service.git_path })}</Nothing>
  )
  return (
    <Listed of={runs} empty={none}>
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
