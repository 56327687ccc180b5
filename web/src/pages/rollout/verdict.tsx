// How it stands, in one sentence that can be read from across the room; and how far the judge is.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Event, Judgement, Rollout } from '../../api/schema'
import { language } from '../../i18n'
import { count, percent, type Tone } from '../../parts/marks'
import { Ticked } from '../../parts/ticked'
import { span } from '../../parts/time'
import { amount } from './amount'
import { backAfter, isLive, nearness, outlook, type Standing, standing } from './story'

const TONE: Record<Standing, Tone> = {
  waits_approval: 'warn', waits: 'still', starting: 'busy', shifting: 'busy', verifying: 'busy', judging: 'busy', better: 'good',
  asks: 'warn', worse: 'bad', soaking: 'busy', running: 'busy', paused: 'warn', returning: 'warn', live: 'good', was_live: 'still', back: 'good',
  failed_worse: 'bad', failed: 'bad', failed_first: 'bad', failed_rollback: 'bad', aborted: 'still', aborted_early: 'still', superseded: 'still',
}

interface VerdictProps {
  rollout: Rollout
  judged: Judgement | undefined
  events: Event[]
  /** What is live in its place by now, and what is under way there. */
  live: string | undefined
  under: string | undefined
}

export function VerdictSheet({ rollout, judged, events, live, under }: VerdictProps) {
  const { t } = useTranslation()
  const stood = standing(rollout)
  const stands = stood === 'live' && live !== undefined && live !== rollout.to.label ? 'was_live' : stood
  const brief = judged ?? rollout.judgement
  const share = Math.max(0, ...rollout.sites.map((s) => s.share))
  const words = {
    to: rollout.to.label,
    from: rollout.from?.label ?? '–',
    env: rollout.env,
    now: live ?? '–',
    share: percent(share),
    wave: rollout.wave ?? 0,
    missing: Math.max(0, (rollout.approvals?.needed ?? 0) - (rollout.approvals?.given.length ?? 0)),
    ahead: rollout.queue_position ?? 0,
  }
  /** In hindsight: how near it came. */
  const clean = (all: Judgement): string =>
    t('rollout:verdict.clean', {
      e: amount(Math.max(all.e, ...all.over_time.map((p) => p.e))),
      needed: amount(all.e_needed),
      count: all.canary_requests.requests,
      requests: count(all.canary_requests.requests),
      failed: count(all.canary_requests.failed),
      to: all.canary,
    })
  const waits = isLive(rollout.phase) ? rollout.sites.flatMap((s) => (s.reason ? [rollout.sites.length > 1 ? `${s.site}: ${s.reason}` : s.reason] : [])) : []
  const over = !isLive(rollout.phase)
  const judge = brief && rollout.phase !== 'queued' && rollout.phase !== 'completed' ? brief.sentence : undefined
  const took = backAfter(rollout, events)
  const back = took === undefined ? undefined : t(rollout.kind === 'rollback' ? 'rollout:verdict.moved' : 'rollout:verdict.returned', { ...words, time: span(took) })
  const said = [rollout.reason ?? judge ?? (judged && rollout.phase === 'completed' ? clean(judged) : undefined), back, ...waits].filter((s) => s != null)
  return (
    <section className={`sheet verdict ${TONE[stands]}`} aria-label={t('rollout:verdict.label')}>
      <p className="verdict-head" role="status">
        {t(`rollout:standing.${stands}`, words)}
      </p>
      {said.map((sentence) => (
        <p key={sentence} className="verdict-why">
          <Ticked text={sentence} />
        </p>
      ))}
      {over && under && (
        <p className="verdict-why">
          <Link to="/rollouts/$rollout" params={{ rollout: under }}>
            {t('rollout:verdict.under')}
          </Link>
        </p>
      )}
      {brief && rollout.phase !== 'completed' && (
        <div className="verdict-meters">
          <Meter label={t('rollout:evidence.worse')} e={brief.e} needed={brief.e_needed} colour="--bad" end={over ? '' : t('rollout:verdict.goes_back')} />
          <Meter label={t('rollout:evidence.promotion')} e={brief.promotion} needed={brief.promotion_needed} colour="--good" end={over ? '' : t('rollout:verdict.goes_on')} />
        </div>
      )}
      <Forecast rollout={rollout} events={events} judged={judged} />
    </section>
  )
}

function Meter({ label, e, needed, colour, end }: { label: string; e: number; needed: number; colour: string; end: string }) {
  const { t } = useTranslation()
  const words = t('rollout:verdict.of', { e: amount(e), needed: amount(needed) })
  return (
    <div className="meter">
      <div className="meter-words">
        <span>{label}</span>
        <span>
          <strong>{words}</strong> <small>{end}</small>
        </span>
      </div>
      <div className="meter-bar" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={needed} aria-valuenow={Math.min(e, needed)} aria-valuetext={words}>
        <span style={{ transform: `scaleX(${nearness(e, needed)})`, background: `var(${colour})` }} />
      </div>
    </div>
  )
}

/** What was expected of the judge before it began, beside what it took so far. */
function Forecast({ rollout, events, judged }: { rollout: Rollout; events: Event[]; judged: Judgement | undefined }) {
  const { t } = useTranslation()
  const told = outlook(events, language())
  if (!told && !judged) return null
  const time = judged ? span(judged.seconds * 1_000) : ''
  const took = judged && (isLive(rollout.phase) ? t('rollout:forecast.so_far', { time }) : t('rollout:forecast.judged', { time }))
  const now = isLive(rollout.phase) ? judged?.outlook : undefined
  if (now)
    return (
      <p className={now.hopeless ? 'verdict-forecast hopeless' : 'verdict-forecast'}>
        <Ticked text={t('rollout:forecast.now', { sentence: now.text })} /> {took}
      </p>
    )
  const expected = told?.expected === undefined ? undefined : t('rollout:forecast.expected', { time: span(Math.ceil(told.expected) * 1_000) })
  return (
    <p className="verdict-forecast">
      {told?.sentence ? <Ticked text={t('rollout:forecast.said', { sentence: told.sentence })} /> : expected} {took}
    </p>
  )
}
