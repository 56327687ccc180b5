// What is compared: each rate of the canary above the baseline's, with the interval it lies in.
import { useTranslation } from 'react-i18next'
import type { JudgedMetric, JudgedRate, JudgedRatio, Judgement, RequestCount } from '../../api/schema'
import { count, Mark } from '../../parts/marks'
import { Nothing, Sheet } from '../../parts/page'
import { Ticked } from '../../parts/ticked'
import { amount, rate } from './amount'

export function Metrics({ judged }: { judged: Judgement }) {
  const { t } = useTranslation()
  const { canary, baseline } = judged
  return (
    <Sheet
      title={t('rollout:metrics.title', { canary, baseline })}
      extra={
        <div className="metrics-requests">
          <Requests label={canary} of={judged.canary_requests} colour="--canary" />
          <Requests label={baseline} of={judged.baseline_requests} colour="--baseline" />
        </div>
      }
    >
      {judged.metrics.length === 0 ? (
        <Nothing title={t('rollout:metrics.none')} />
      ) : (
        <table className="metrics">
          <thead>
            <tr>
              <th scope="col">{t('rollout:metrics.metric')}</th>
              <th scope="col" aria-hidden="true" />
              <th scope="col">{t('rollout:metrics.canary', { label: canary })}</th>
              <th scope="col">{t('rollout:metrics.baseline', { label: baseline })}</th>
              <th scope="col">{t('rollout:metrics.ratio')}</th>
              <th scope="col">{t('rollout:metrics.evidence')}</th>
            </tr>
          </thead>
          <tbody>
            {judged.metrics.map((metric) => (
              <Metric key={`${metric.name}/${metric.site ?? ''}`} metric={metric} judged={judged} />
            ))}
          </tbody>
        </table>
      )}
      <Gaps judged={judged} />
    </Sheet>
  )
}

function Requests({ label, of, colour }: { label: string; of: RequestCount; colour: string }) {
  const { t } = useTranslation()
  const share = of.requests ? rate(of.failed / of.requests) : '–'
  return (
    <span>
      <i style={{ background: `var(${colour})` }} aria-hidden="true" /> {label}:{' '}
      {t('rollout:metrics.requests', { requests: count(of.requests), failed: count(of.failed), share })}
    </span>
  )
}

function Metric({ metric, judged }: { metric: JudgedMetric; judged: Judgement }) {
  const { t } = useTranslation()
  const top = Math.max(metric.canary.high, metric.baseline.high, 1e-6)
  return (
    <tr className={metric.culprit ? 'culprit' : ''}>
      <th scope="row">
        {metric.label}
        {metric.site && <small> {metric.site}</small>}
        {metric.culprit ? (
          <Mark tone="bad">{t('rollout:metrics.culprit')}</Mark>
        ) : metric.needed && metric.promotion >= judged.promotion_needed ? (
          <Mark tone="good">{t('rollout:metrics.passed')}</Mark>
        ) : !metric.needed && judged.metrics.some((m) => m.needed) ? (
          <Mark tone="still">{t('rollout:metrics.watched')}</Mark>
        ) : null}
      </th>
      <td className="metrics-plot" aria-hidden="true">
        <Range of={metric.canary} top={top} colour="--canary" />
        <Range of={metric.baseline} top={top} colour="--baseline" />
        <div className="range-scale">
          <span>0</span>
          <span>{rate(top)}</span>
        </div>
      </td>
      <td data-label={t('rollout:metrics.canary', { label: judged.canary })}>
        <Rate of={metric.canary} />
      </td>
      <td data-label={t('rollout:metrics.baseline', { label: judged.baseline })}>
        <Rate of={metric.baseline} />
      </td>
      <td data-label={t('rollout:metrics.ratio')}>
        <Ratio of={metric.ratio} />
      </td>
      <td data-label={t('rollout:metrics.evidence')}>
        <div className="number">{amount(metric.e)}</div>
        <small>{t('rollout:metrics.promotion', { e: amount(metric.promotion) })}</small>
      </td>
    </tr>
  )
}

function Range({ of, top, colour }: { of: JudgedRate; top: number; colour: string }) {
  const at = (n: number): string => `${Math.min(100, (n / top) * 100)}%`
  return (
    <div className="range" style={{ color: `var(${colour})` }}>
      {of.units > 0 && <span className="range-bar" style={{ left: at(of.low), width: at(of.high - of.low) }} />}
      {of.rate != null && <span className="range-dot" style={{ left: at(of.rate) }} />}
    </div>
  )
}

function Rate({ of }: { of: JudgedRate }) {
  const { t } = useTranslation()
  if (of.rate == null) return <small>{t('rollout:metrics.no_units')}</small>
  return (
    <>
      <div className="number">
        {rate(of.rate)} <small>{t('rollout:metrics.between', { low: rate(of.low), high: rate(of.high) })}</small>
      </div>
      <small>{t('rollout:metrics.units', { events: count(of.events), units: count(of.units) })}</small>
    </>
  )
}

function Ratio({ of }: { of: JudgedRatio | null | undefined }) {
  const { t } = useTranslation()
  if (!of) return <small>{t('rollout:metrics.no_ratio')}</small>
  if (of.estimate == null && of.high == null && of.low < 0.01) return <small>{t('rollout:metrics.ratio_open')}</small>
  const low = amount(of.low)
  return (
    <div className="number">
      {of.estimate == null ? (of.high == null ? t('rollout:metrics.at_least', { low }) : '') : t('rollout:metrics.times', { n: amount(of.estimate) })}{' '}
      {of.high != null ? (
        <small>{t('rollout:metrics.ratio_between', { low, high: amount(of.high) })}</small>
      ) : (
        of.estimate != null && <small>{t('rollout:metrics.at_least', { low })}</small>
      )}
    </div>
  )
}

/** Evidence that is not whole says so. */
function Gaps({ judged: { gaps, unread } }: { judged: Judgement }) {
  const { t } = useTranslation()
  const said = [
    ...(gaps.lost_s > 0 ? [t('rollout:gaps.lost', { count: gaps.lost_s })] : []),
    ...(gaps.refused > 0 ? [t('rollout:gaps.refused', { count: gaps.refused })] : []),
    ...(gaps.one_of > 1 ? [t('rollout:gaps.one_of', { n: count(gaps.one_of) })] : []),
    ...(gaps.restarts ? [t('rollout:gaps.restarts', { count: gaps.restarts })] : []),
    ...(unread ?? []),
  ]
  if (said.length === 0) return null
  return (
    <ul className="gaps">
      {said.map((line) => (
        <li key={line}>
          <Mark tone="warn">
            <Ticked text={line} />
          </Mark>
        </li>
      ))}
    </ul>
  )
}
