// The two curves: whose traffic was whose, and what the evidence said.
import { useTranslation } from 'react-i18next'
import type { DecisionKind, Event, Judgement, Rollout } from '../../api/schema'
import { percent } from '../../parts/marks'
import { Sheet } from '../../parts/page'
import { Ticked } from '../../parts/ticked'
import { amount } from './amount'
import { clock, Plot, type Rule } from './plot'
import { useTimes, useUntil } from './times'
import { crossed, decisions, isLive, moves, shares } from './story'

const SITE_COLOURS = ['--canary', '--busy', '--good', '--warn', '--bad', '--brand']
const DECIDED: Record<DecisionKind, string> = { promoted: '--good', person: '--busy', asked: '--warn', went_on: '--warn', back: '--bad' }
/** Evidence below this is shown as this: it says no more. */
const LOWEST = 0.01

export function ShareCurve({ rollout, events }: { rollout: Rollout; events: Event[] }) {
  const { t } = useTranslation()
  const from = Date.parse(rollout.started_at ?? rollout.created_at)
  const until = useUntil(rollout)
  const sites = rollout.sites.map((s) => s.site)
  const moved = moves(events)
  const { t: times, of } = shares(moved, sites, from, until)
  const marks: Rule[] = rollout.waves.flatMap((wave) =>
    wave.started_at
      ? [{ at: (Date.parse(wave.started_at) - from) / 1_000, label: t('rollout:wave_n', { n: wave.number }), colour: '--ink-faint' }]
      : [],
  )
  if (moved.length === 0 && !isLive(rollout.phase)) return null
  const now = rollout.sites.map((s) => `${s.site} ${percent(s.share)}`).join(', ')
  return (
    <Sheet title={t('rollout:share.title')}>
      <Plot
        summary={t('rollout:share.summary', { to: rollout.to.label, shares: now, moves: moved.length })}
        lines={sites.map((site, n) => ({
          label: sites.length > 1 ? `${rollout.to.label} · ${site}` : rollout.to.label,
          colour: SITE_COLOURS[n % SITE_COLOURS.length] ?? '--canary',
          fill: sites.length <= 2,
          stepped: 'after' as const,
        }))}
        t={times}
        values={of}
        format={(value) => percent(Math.round(value * 100))}
        range={[0, 105]}
        until={(until - from) / 1_000}
        marks={marks}
      />
    </Sheet>
  )
}

export function EvidenceCurve({ rollout, judged }: { rollout: Rollout; judged: Judgement }) {
  const { t } = useTranslation()
  const { until, marks: began } = useTimes(rollout, judged)
  const clipped = (value: number): number => Math.max(value, LOWEST)
  const last = { t: judged.seconds, e: judged.e, promotion: judged.promotion }
  const points = [...judged.over_time.filter((p) => p.t < last.t), last]
  const top = Math.max(judged.e_needed, judged.promotion_needed, ...points.map((p) => Math.max(p.e, p.promotion)))
  const at = crossed(judged)
  const decided = decisions(judged)
  const marks: Rule[] = [
    ...began,
    ...decided.map((d) => ({ at: d.t, label: t(`rollout:decision.${d.kind}`), colour: DECIDED[d.kind], dash: [] })),
  ].sort((a, b) => a.at - b.at)
  return (
    <Sheet title={t('rollout:evidence.title')}>
      <Plot
        log
        summary={t(at === undefined ? 'rollout:evidence.summary' : 'rollout:evidence.summary_decided', {
          e: amount(judged.e),
          needed: amount(judged.e_needed),
          promotion: amount(judged.promotion),
          promotion_needed: amount(judged.promotion_needed),
          at: at === undefined ? '' : Math.round(at),
        })}
        lines={[
          { label: t('rollout:evidence.worse'), colour: '--bad', width: 2.5 },
          { label: t('rollout:evidence.promotion'), colour: '--good', dash: [7, 4] },
        ]}
        t={points.map((p) => p.t)}
        values={[points.map((p) => clipped(p.e)), points.map((p) => clipped(p.promotion))]}
        format={amount}
        range={[LOWEST, 10 ** Math.ceil(Math.log10(top) + 0.15)]}
        until={until}
        marks={marks}
        below={
          decided.length > 0 && (
            <ol className="decisions" aria-label={t('rollout:decision.title')}>
              {decided.map((d) => (
                <li key={`${d.t}${d.kind}`}>
                  <strong style={{ color: `var(${DECIDED[d.kind]})` }}>
                    {clock(d.t)} {t(`rollout:decision.${d.kind}`)}
                  </strong>{' '}
                  <Ticked text={d.text} />
                </li>
              ))}
            </ol>
          )
        }
        limits={[
          { at: judged.e_needed, label: t('rollout:evidence.limit', { e: amount(judged.e_needed) }), colour: '--bad' },
          { at: judged.promotion_needed, label: t('rollout:evidence.pass', { e: amount(judged.promotion_needed) }), colour: '--good' },
        ]}
      />
    </Sheet>
  )
}
