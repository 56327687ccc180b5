import { BranchesOutlined, CopyOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Run } from '../../api/schema'
import { Act } from '../../parts/act'
import { ReleaseName } from '../../parts/marks'
import { useMay } from '../../parts/may'
import { Took, When } from '../../parts/time'
import { say } from '../../parts/toast'
import { useJobName } from './graph'
import { isOver, repeatable } from './jobs'
import { copyText } from '../../parts/copy'
import { StateMark } from '../../parts/state'

/** Facts of a run, in one line where there is room. */
export function Head({ run }: { run: Run }) {
  const { t } = useTranslation()
  const copy = async (): Promise<void> => say(t((await copyText(run.commit)) ? 'once.copied' : 'run:log.no_clipboard'))
  return (
    <dl className="run-facts">
      <Fact name={t('run:fact.state')}>
        <StateMark state={run.state} />
      </Fact>
      <Fact name={t('run:fact.commit')}>
        <span className="mono" title={run.commit}>
          {run.commit.slice(0, 10)}
        </span>
        <Button size="small" type="text" icon={<CopyOutlined />} aria-label={t('once.copy_what', { what: run.commit })} onClick={() => void copy()} />
      </Fact>
      <Fact name={t('run:fact.branch')}>
        <BranchesOutlined /> <span className="run-long">{run.branch}</span>
        <span className="run-soft">{run.env ? `→ ${run.env}` : t('run:fact.nowhere')}</span>
      </Fact>
      <Fact name={t('run:fact.who')}>
        <span className="run-long">{run.forge ? `${run.forge.pusher} (${run.forge.kind})` : run.requested_by}</span>
      </Fact>
      <Fact name={t('run:fact.began')}>
        <When at={run.started_at ?? run.created_at} />
      </Fact>
      <Fact name={t('run:fact.took')}>
        <Took from={run.started_at} to={run.finished_at} />
      </Fact>
      {(run.release || run.rollout) && (
        <Fact name={t('run:fact.release')}>
          {run.release && <ReleaseName release={run.release} />}
          {run.rollout && (
            <Link to="/rollouts/$rollout" params={{ rollout: run.rollout }}>
              {t('run:fact.rollout')}
            </Link>
          )}
        </Fact>
      )}
    </dl>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

export function Actions({ run }: { run: Run }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const may = useMay()('run', { service: run.service })
  const name = useJobName()
  const again = repeatable(run)
  const over = isOver(run)
  const params = { path: { run: run.id } }
  const told = (now: Run): Run | undefined => client.setQueryData<Run>(['run', run.id], now)
  if (!may) return null
  return (
    <>
      {!over && (
        <Act
          label={t('run:act.cancel')}
          verb="cancel"
          danger
          says={t('run:act.cancel_says', { number: run.number })}
          reason="welcome"
          perform={async (reason) => told(await got(api.POST('/api/v1/runs/{run}/cancel', { params, body: { reason } })))}
          done={t('run:act.cancel_done')}
        />
      )}
      {again.length > 0 && (
        <Act
          label={t('run:act.repeat')}
          verb="retry"
          primary={run.state === 'failed' || run.state === 'canceled'}
          says={t('run:act.repeat_says', { count: again.length, jobs: again.map(name).join(', ') })}
          reason="welcome"
          perform={async (reason) => told(await got(api.POST('/api/v1/runs/{run}/retry', { params, body: { reason } })))}
          done={t('run:act.repeat_done')}
        />
      )}
    </>
  )
}
