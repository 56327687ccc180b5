// What a person can do to it. Each says what will happen before it does.
import { CheckOutlined, PauseOutlined, PlayCircleOutlined, RollbackOutlined, StopOutlined, UnlockOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { PlaceStatus, Rollout } from '../../api/schema'
import { Act } from '../../parts/act'
import { percent } from '../../parts/marks'
import { type Action, useMay } from '../../parts/may'
import { type OneProps, useTakeIn } from './one'
import { Promote, SetShare } from './steer'
import { currentWave, sensible } from './story'

interface ActsProps {
  rollout: Rollout
  places: PlaceStatus[]
  who: string | undefined
}

export function Acts({ rollout, places, who }: ActsProps) {
  const may = useMay()
  const [asked, setAsked] = useState<string>()
  const web = rollout.service_kind === 'web'
  const liveHere = places.some((p) => p.release?.digest === rollout.to.digest)
  const can = sensible(rollout, web, liveHere, who)
  const closed = places.some((p) => p.frozen?.rollout === rollout.id)
  const one = (name: string, now: boolean, action: Action, show: (props: OneProps & { key: string }) => ReactNode): ReactNode[] =>
    (now || asked === name) && may(action, { service: rollout.service, env: rollout.env })
      ? [show({ key: name, rollout, hold: { opened: () => setAsked(name), closed: () => setAsked(undefined) } })]
      : []
  const more = [
    ...one('pause', can.pause, 'revert', ({ key, ...props }) => <Pause key={key} {...props} />),
    ...one('share', can.share, 'steer', ({ key, ...props }) => <SetShare key={key} {...props} />),
    ...one('reopen', closed, 'deploy', ({ key, ...props }) => <Reopen key={key} {...props} />),
  ]
  const main = [
    ...one('abort', can.abort, 'revert', ({ key, ...props }) => <Abort key={key} {...props} />),
    ...one('rollback', can.rollback, 'revert', ({ key, ...props }) => <RollBack key={key} {...props} places={places} />),
    ...one('approve', can.approve, 'approve', ({ key, ...props }) => <Approve key={key} {...props} />),
    ...one('resume', can.resume, 'deploy', ({ key, ...props }) => <Resume key={key} {...props} />),
    ...one('promote', can.promote, 'steer', ({ key, ...props }) => <Promote key={key} {...props} />),
  ]
  if (main.length + more.length === 0) return null
  return (
    <>
      {more.length > 0 && <div className="acts-more">{more}</div>}
      {main.length > 0 && <div className="acts-main">{main}</div>}
    </>
  )
}

function Pause({ rollout, hold }: OneProps) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  return (
    <Act
      label={t('rollout:act.pause')}
      verb="pause"
      icon={<PauseOutlined />}
      reason="needed"
      {...hold}
      says={t('rollout:act.pause_says', { to: rollout.to.label, share: percent(Math.max(0, ...rollout.sites.map((s) => s.share))) })}
      perform={async (reason) => takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/pause', { params: { path: { rollout: rollout.id } }, body: { reason } })))}
      done={t('rollout:act.paused')}
    />
  )
}

function Resume({ rollout, hold }: OneProps) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  return (
    <Act
      primary
      label={t('rollout:act.resume')}
      verb="resume"
      icon={<PlayCircleOutlined />}
      reason="needed"
      {...hold}
      says={t('rollout:act.resume_says', { n: currentWave(rollout)?.number ?? 1 })}
      perform={async (reason) => takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/resume', { params: { path: { rollout: rollout.id } }, body: { reason } })))}
      done={t('rollout:act.resumed')}
    />
  )
}

function Approve({ rollout, hold }: OneProps) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  const left = (rollout.approvals?.needed ?? 1) - (rollout.approvals?.given.length ?? 0) - 1
  return (
    <Act
      primary
      label={t('rollout:act.approve')}
      verb="approve"
      icon={<CheckOutlined />}
      reason="welcome"
      {...hold}
      says={
        left > 0
          ? t('rollout:act.approve_more', { to: rollout.to.label, env: rollout.env, count: left })
          : t('rollout:act.approve_last', { to: rollout.to.label, env: rollout.env })
      }
      perform={async (reason) =>
        takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/approve', { params: { path: { rollout: rollout.id } }, body: reason ? { reason } : {} })))
      }
      done={t('rollout:act.approved')}
    />
  )
}

function Abort({ rollout, hold }: OneProps) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  const says = !rollout.started_at
    ? t('rollout:act.abort_queued', { to: rollout.to.label })
    : rollout.from
      ? t('rollout:act.abort_says', { from: rollout.from.label })
      : t('rollout:act.abort_first', { service: rollout.service })
  return (
    <Act
      danger
      label={t('rollout:act.abort')}
      verb="abort"
      icon={<StopOutlined />}
      reason="needed"
      {...hold}
      says={
        <>
          <strong>{says}</strong>
          <div>{t('rollout:act.abort_queue')}</div>
        </>
      }
      perform={async (reason) => takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/abort', { params: { path: { rollout: rollout.id } }, body: { reason } })))}
      done={t('rollout:act.aborted')}
    />
  )
}

function RollBack({ rollout, places, hold }: OneProps & { places: PlaceStatus[] }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  // Sites that came from different releases each go back to their own.
  const one = new Set(rollout.sites.map((s) => s.from?.digest)).size === 1
  const back = rollout.from
  const warm = places.length > 0 && places.every((p) => p.warm?.release.digest === back?.digest)
  const words = { from: back?.label ?? '', to: rollout.to.label, env: rollout.env }
  return (
    <Act
      danger
      label={one ? t('rollout:act.rollback', words) : t('rollout:act.rollback_each')}
      verb="rollback"
      icon={<RollbackOutlined />}
      reason="needed"
      {...hold}
      says={
        <>
          <strong>{!one ? t('rollout:act.rollback_each_says', words) : warm ? t('rollout:act.rollback_warm', words) : t('rollout:act.rollback_cold', words)}</strong>
          <div>{t('rollout:act.rollback_queue')}</div>
        </>
      }
      perform={async (reason) => {
        const begun = await got(
          api.POST('/api/v1/services/{service}/rollback', {
            params: { path: { service: rollout.service } },
            body: { env: rollout.env, reason, ...(one && back ? { to: back.label } : {}) },
          }),
        )
        await navigate({ to: '/rollouts/$rollout', params: { rollout: begun.id } })
      }}
      done={t('rollout:act.rolled_back')}
    />
  )
}

function Reopen({ rollout, hold }: OneProps) {
  const { t } = useTranslation()
  const client = useQueryClient()
  return (
    <Act
      label={t('rollout:act.reopen')}
      verb="reopen"
      icon={<UnlockOutlined />}
      reason="needed"
      {...hold}
      says={t('rollout:act.reopen_says', { service: rollout.service, env: rollout.env })}
      perform={async (note) => {
        await got(api.POST('/api/v1/services/{service}/acknowledge', { params: { path: { service: rollout.service } }, body: { env: rollout.env, note } }))
        await client.invalidateQueries({ queryKey: ['service', rollout.service] })
      }}
      done={t('rollout:act.reopened')}
    />
  )
}
