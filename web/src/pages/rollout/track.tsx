// The waves as a track: what was, what is, what comes.
import { ArrowRightOutlined, CheckCircleFilled, CloseCircleFilled, LoadingOutlined, MinusOutlined, PauseCircleFilled } from '@ant-design/icons'
import { type ReactNode, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Rollout, Wave } from '../../api/schema'
import { percent } from '../../parts/marks'
import { Sheet } from '../../parts/page'
import { span, Took, useNow } from '../../parts/time'
import { FULL, isLive, planned, type WaveState, waveEnd, waveShare, waveState } from './story'

const SIGN: Record<WaveState, ReactNode> = {
  done: <CheckCircleFilled />,
  current: <LoadingOutlined />,
  stopped: <CloseCircleFilled />,
  skipped: <MinusOutlined />,
  ahead: <ArrowRightOutlined />,
  never: <MinusOutlined />,
}

export function Track({ rollout, touched }: { rollout: Rollout; touched: boolean }) {
  const { t } = useTranslation()
  const { sites } = rollout
  const words = { to: rollout.to.label, shares: percent(sites[0]?.share ?? 0), whole: sites.filter((s) => s.share === FULL).length, count: sites.length }
  const has = sites.length > 1 ? t('rollout:track.has_sites', words) : t('rollout:track.has', words)
  return (
    <Sheet title={t('rollout:track.title')} extra={<span className="quiet">{isLive(rollout.phase) ? has : !touched && t('rollout:track.untouched', words)}</span>}>
      <ol className="track" tabIndex={0} aria-label={t('rollout:track.title')}>
        {rollout.waves.map((wave) => (
          <Step key={wave.number} wave={wave} rollout={rollout} />
        ))}
      </ol>
    </Sheet>
  )
}

function Step({ wave, rollout }: { wave: Wave; rollout: Rollout }) {
  const { t } = useTranslation()
  const state = waveState(wave, rollout)
  const here = useRef<HTMLLIElement>(null)
  useEffect(() => {
    const track = here.current?.parentElement
    // Only the track itself is moved: the page stays where it is read.
    if (state === 'current' && here.current && track) track.scrollTo({ left: here.current.offsetLeft - track.offsetLeft - 16 })
  }, [state])
  const byPlan = Math.max(0, ...wave.steps.map((s) => s.share))
  const paused = state === 'current' && rollout.phase === 'paused'
  const plan = planned(wave, rollout, useNow())
  return (
    <li ref={here} className={`track-step ${paused ? 'paused' : state}`} aria-current={state === 'current' ? 'step' : undefined}>
      <div className="track-bar" aria-hidden="true" />
      <div className="track-head">
        <span className="track-sign" aria-hidden="true">
          {paused ? <PauseCircleFilled /> : SIGN[state]}
        </span>
        <strong>{percent(waveShare(wave))}</strong>
        <span className="track-state">{paused ? t('rollout:track.paused') : t(`rollout:track.${state}`)}</span>
      </div>
      <div className="track-what">
        {t('rollout:wave_n', { n: wave.number })} · {wave.steps.map((s) => s.site).join(', ')}
        {wave.started_at && (
          <>
            {' · '}
            <Took from={wave.started_at} to={waveEnd(wave, rollout)} />
          </>
        )}
      </div>
      {plan && (
        <div className="track-plan">
          {plan.most === undefined
            ? t('rollout:track.least', { least: span(plan.least) })
            : plan.least > 0
              ? t('rollout:track.between', { least: span(plan.least), most: span(plan.most) })
              : t('rollout:track.most', { most: span(plan.most) })}
          {plan.left !== undefined && plan.left > 0 && ` · ${t('rollout:track.left', { time: span(Math.ceil(plan.left / 60_000) * 60_000) })}`}
        </div>
      )}
      {wave.set_share != null && <div className="track-note">{t('rollout:track.set', { planned: percent(byPlan), set: percent(wave.set_share) })}</div>}
      {wave.skipped && <div className="track-note">{t('rollout:track.skipped_why')}</div>}
    </li>
  )
}
