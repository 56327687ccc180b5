// What is asked for and has not begun, oldest first, with what it waits for.
import { ClockCircleOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Ticked } from '../../parts/ticked'
import { When } from '../../parts/time'
import { waitingQuery } from './queries'

export function Waiting({ service, env }: { service: string; env: string }) {
  const { t } = useTranslation()
  const { data: waiting = [] } = useQuery(waitingQuery(service, env))
  if (waiting.length === 0) return null
  return (
    <ul className="env-waiting" aria-label={t('service:place.waiting')}>
      {waiting.map((rollout) => (
        <li key={rollout.id}>
          <ClockCircleOutlined />{' '}
          <Link to="/rollouts/$rollout" params={{ rollout: rollout.id }}>
            {t('service:place.waits', { kind: t(`kind.${rollout.kind}`), release: rollout.to.label })}
          </Link>{' '}
          <span className="act-soft">
            {rollout.requested_by}, <When at={rollout.created_at} />
          </span>
          {rollout.reason && <div className="notice-why"><Ticked text={rollout.reason} /></div>}
        </li>
      ))}
    </ul>
  )
}
