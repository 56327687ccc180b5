import { ArrowRightOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { PhaseMark } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { Ticked } from '../../parts/ticked'
import { Took, When } from '../../parts/time'
import { Envs } from './acts'
import type { Shown } from './index'
import { Listed } from './listed'
import { rolloutsQuery } from './queries'

export function Rollouts({ service }: Shown) {
  const { t } = useTranslation()
  const { env = '' } = useSearch({ from: '/inside/services/$service' })
  const navigate = useNavigate()
  const rollouts = useInfiniteQuery(rolloutsQuery(service.name, env || undefined))
  const all = t('service:rollout.all')
  return (
    <>
      {service.environments.length > 1 && (
        <div className="list-filter" role="group" aria-label={t('service:act.env')}>
          <Envs
            environments={[{ name: all }, ...service.environments]}
            value={env || all}
            onChange={(name) =>
              void navigate({
                to: '/services/$service',
                params: { service: service.name },
                search: { tab: 'rollouts', ...(name !== all && { env: name }) },
                replace: true,
                resetScroll: false,
              })
            }
          />
        </div>
      )}
      <Listed of={rollouts} empty={<Nothing title={t('service:rollout.none')}>{t('service:rollout.none_how')}</Nothing>}>
        {(items) => (
          <Rows
            label={t('service:tab.rollouts')}
            items={items}
            id={(r) => r.id}
            columns={[
              {
                head: t('service:rollout.phase'),
                cell: (r) => (
                  <Link to="/rollouts/$rollout" params={{ rollout: r.id }}>
                    <PhaseMark phase={r.phase} />
                  </Link>
                ),
              },
              {
                head: t('service:rollout.what'),
                cell: (r) => (
                  <>
                    <Link to="/rollouts/$rollout" params={{ rollout: r.id }} className="list-way">
                      {r.from && (
                        <>
                          <span>{r.from.label}</span> <ArrowRightOutlined aria-label={t('service:change.to')} />{' '}
                        </>
                      )}
                      <strong>{r.to.label}</strong>
                    </Link>
                    <span className="soft">
                      {t(`kind.${r.kind}`)} · {r.env}
                    </span>
                  </>
                ),
              },
              {
                head: t('service:rollout.why'),
                wide: true,
                cell: (r) => (
                  <>
                    {r.reason && <span className={`list-reason ${r.phase === 'failed' ? 'failed' : ''}`}><Ticked text={r.reason} /></span>}
                    {r.note && <span className="soft">{r.note}</span>}
                    {r.ticket && <code>{r.ticket}</code>}
                    {!r.reason && !r.note && !r.ticket && <span className="soft">–</span>}
                  </>
                ),
              },
              {
                head: t('service:rollout.who'),
                cell: (r) => (
                  <>
                    {r.requested_by}
                    <span className="soft">
                      <When at={r.created_at} />
                    </span>
                  </>
                ),
              },
              {
                head: t('service:rollout.took'),
                cell: (r) =>
                  r.queue_position !== null && r.queue_position !== undefined ? (
                    t('service:rollout.behind', { count: r.queue_position })
                  ) : (
                    <Took from={r.started_at} to={r.finished_at} />
                  ),
              },
            ]}
          />
        )}
      </Listed>
    </>
  )
}
