// What a person can do to it. Each says what will happen before it does.
import {
  CheckOutlined,
  ForwardOutlined,
  PauseOutlined,
  PlayCircleOutlined,
  RollbackOutlined,
  SlidersOutlined,
  StopOutlined,
  UnlockOutlined,
} from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Alert, InputNumber, Slider } from 'antd'
import { type ReactNode, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { PlaceStatus, Rollout } from '../../api/schema'
import { Act } from '../../parts/act'
import { percent } from '../../parts/marks'
import { useMay } from '../../parts/may'
import { When } from '../../parts/time'
import { currentWave, nextStep, sensible } from './story'

interface ActsProps {
  rollout: Rollout
  places: PlaceStatus[]
  who: string | undefined
}

/** Takes the answer in at once: the event that tells of it comes within a second. */
function useTakeIn(id: string): (answer: Rollout) => void {
  const client = useQueryClient()
  return (answer) => {
    client.setQueryData(['rollout', id], answer)
    void client.invalidateQueries({ queryKey: ['rollout', id] })
  }
}

export function Acts({ rollout, places, who }: ActsProps) {
  const may = useMay()
  const web = places.some((p) => p.kind === 'web')
  const liveHere = places.some((p) => p.release?.digest === rollout.to.digest)
  const can = sensible(rollout, web, liveHere, who)
  const closed = places.some((p) => p.frozen?.rollout === rollout.id)
  const more: ReactNode[] = [
    ...(can.pause && may('revert') ? [<Pause key="pause" rollout={rollout} />] : []),
    ...(can.share && may('steer') ? [<SetShare key="share" rollout={rollout} />] : []),
    ...(closed && may('deploy') ? [<Reopen key="open" rollout={rollout} />] : []),
  ]
  const main: ReactNode[] = [
    ...(can.abort && may('revert') ? [<Abort key="abort" rollout={rollout} />] : []),
    ...(can.rollback && may('revert') ? [<RollBack key="back" rollout={rollout} places={places} />] : []),
    ...(can.approve && may('approve') ? [<Approve key="approve" rollout={rollout} />] : []),
    ...(can.resume && may('deploy') ? [<Resume key="resume" rollout={rollout} />] : []),
    ...(can.promote && may('steer') ? [<Promote key="promote" rollout={rollout} />] : []),
  ]
  if (main.length + more.length === 0) return null
  return (
    <>
      {more.length > 0 && <div className="acts-more">{more}</div>}
      {main.length > 0 && <div className="acts-main">{main}</div>}
    </>
  )
}

/** The wave that was seen when the question was put, and what has become of it since. */
function useSeenWave(rollout: Rollout): { seen: number; see: () => void; moved: ReactNode } {
  const { t } = useTranslation()
  const [seen, setSeen] = useState(rollout.wave ?? 0)
  const over = rollout.wave !== seen || !rollout.sites.some((s) => s.phase === 'judging')
  const last = rollout.timeline[rollout.timeline.length - 1]
  return {
    seen,
    see: () => setSeen(rollout.wave ?? 0),
    moved: over && (
      <Alert
        type="warning"
        showIcon
        style={{ marginBottom: '0.75rem' }}
        title={t('rollout:act.moved_on', { seen })}
        {...(last ? { description: <>{last.text} (<When at={last.at} />)</> } : {})}
      />
    ),
  }
}

function Promote({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  const { seen, see, moved } = useSeenWave(rollout)
  const now = rollout.sites.find((s) => s.phase === 'judging')
  const next = nextStep(rollout)
  const words = { to: rollout.to.label, site: now?.site ?? '', from: percent(now?.share ?? 0), share: percent(next?.share ?? 0), next: next?.site ?? '' }
  return (
    <Act
      primary={rollout.phase !== 'paused'}
      label={t('rollout:act.promote')}
      icon={<ForwardOutlined />}
      reason="needed"
      opened={see}
      says={
        <>
          {moved}
          <strong>
            {!next ? t('rollout:act.promote_last', words) : next.site === words.site ? t('rollout:act.promote_says', words) : t('rollout:act.promote_site', words)}
          </strong>
          <div>{t('rollout:act.promote_still')}</div>
        </>
      }
      perform={async (reason) =>
        takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/promote', { params: { path: { rollout: rollout.id } }, body: { wave: seen, reason } })))
      }
      done={t('rollout:act.promoted', { n: seen })}
    />
  )
}

function SetShare({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  const { seen, see, moved } = useSeenWave(rollout)
  const now = rollout.sites.find((s) => s.phase === 'judging')
  const has = (now?.share ?? 0) / 100
  const [share, setShare] = useState(has)
  const id = useId()
  const label = t('rollout:act.share_new')
  const put = (value: number | null): void => setShare(Math.min(99.99, Math.max(0.01, value ?? has)))
  return (
    <Act
      label={t('rollout:act.share')}
      icon={<SlidersOutlined />}
      reason="needed"
      ready={share !== has}
      opened={() => {
        see()
        setShare(has)
      }}
      says={
        <>
          {moved}
          <strong>
            {t('rollout:act.share_says', { to: rollout.to.label, site: now?.site ?? '', from: percent(has * 100), share: percent(Math.round(share * 100)) })}
          </strong>
          <div>{t('rollout:act.share_anew')}</div>
        </>
      }
      perform={async (reason) =>
        takeIn(
          await got(
            api.POST('/api/v1/rollouts/{rollout}/share', {
              params: { path: { rollout: rollout.id } },
              body: { wave: seen, share: Math.round(share * 100), reason },
            }),
          ),
        )
      }
      done={t('rollout:act.share_done')}
    >
      <label htmlFor={id}>
        <strong>{label}</strong>
      </label>
      <div className="acts-share">
        <Slider min={1} max={99} value={Math.round(share)} onChange={put} ariaLabelForHandle={label} style={{ flex: 1 }} />
        <InputNumber id={id} min={0.01} max={99.99} step={1} value={share} onChange={put} suffix="%" style={{ width: '7rem' }} />
      </div>
    </Act>
  )
}

function Pause({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  return (
    <Act
      label={t('rollout:act.pause')}
      icon={<PauseOutlined />}
      reason="needed"
      says={t('rollout:act.pause_says', { to: rollout.to.label, share: percent(Math.max(0, ...rollout.sites.map((s) => s.share))) })}
      perform={async (reason) => takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/pause', { params: { path: { rollout: rollout.id } }, body: { reason } })))}
      done={t('rollout:act.paused')}
    />
  )
}

function Resume({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  return (
    <Act
      primary
      label={t('rollout:act.resume')}
      icon={<PlayCircleOutlined />}
      reason="needed"
      says={t('rollout:act.resume_says', { n: currentWave(rollout)?.number ?? 1 })}
      perform={async (reason) => takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/resume', { params: { path: { rollout: rollout.id } }, body: { reason } })))}
      done={t('rollout:act.resumed')}
    />
  )
}

function Approve({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const takeIn = useTakeIn(rollout.id)
  const left = (rollout.approvals?.needed ?? 1) - (rollout.approvals?.given.length ?? 0) - 1
  return (
    <Act
      primary
      label={t('rollout:act.approve')}
      icon={<CheckOutlined />}
      reason="welcome"
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

function Abort({ rollout }: { rollout: Rollout }) {
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
      icon={<StopOutlined />}
      reason="needed"
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

function RollBack({ rollout, places }: { rollout: Rollout; places: PlaceStatus[] }) {
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
      icon={<RollbackOutlined />}
      reason="needed"
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

function Reopen({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  return (
    <Act
      label={t('rollout:act.reopen')}
      icon={<UnlockOutlined />}
      reason="needed"
      says={t('rollout:act.reopen_says', { service: rollout.service, env: rollout.env })}
      perform={async (note) => {
        await got(api.POST('/api/v1/services/{service}/acknowledge', { params: { path: { service: rollout.service } }, body: { env: rollout.env, note } }))
        await client.invalidateQueries({ queryKey: ['service', rollout.service] })
      }}
      done={t('rollout:act.reopened')}
    />
  )
}
