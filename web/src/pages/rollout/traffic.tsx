// What both releases answered, over time: how many of it errors, and how fast. All requests, of all sites.
import { useTranslation } from 'react-i18next'
import type { Judgement, Rollout } from '../../api/schema'
import { Nothing, Sheet } from '../../parts/page'
import { span } from '../../parts/time'
import { latency, rate } from './amount'
import { Plot } from './plot'
import { ARMS, type Arm, asked, decades, errorRate, overTime, PERCENTILES } from './series'
import { useTimes } from './times'

const COLOURS: Record<Arm, string> = { canary: '--canary', baseline: '--baseline' }
const DASHES = { p50_ms: [2, 4], p95_ms: [8, 4], p99_ms: undefined }
/** The least that the axis of errors reaches to, so that one error in a thousand is no mountain. */
const LEAST_TOP = 0.01

export function Traffic({ rollout, judged }: { rollout: Rollout; judged: Judgement }) {
  if (rollout.service_kind !== 'web') return null
  return (
    <>
      <Errors rollout={rollout} judged={judged} />
      <Latencies rollout={rollout} judged={judged} />
    </>
  )
}

function Errors({ rollout, judged }: { rollout: Rollout; judged: Judgement }) {
  const { t } = useTranslation()
  const times = useTimes(rollout, judged)
  const { t: at, of } = overTime(judged, errorRate)
  const top = Math.max(LEAST_TOP, ...of.flat().map((v) => v ?? 0))
  const all = (arm: Arm): string => {
    const share = errorRate(judged[`${arm}_requests`])
    return share === null ? '–' : rate(share)
  }
  return (
    <Sheet title={t('rollout:errors.title')}>
      {asked(judged) ? (
        <Plot
          {...times}
          extra={<Step judged={judged} />}
          summary={t('rollout:errors.summary', { ...labels(judged), new: all('canary'), old: all('baseline') })}
          lines={ARMS.map((arm) => ({ label: judged[arm], colour: COLOURS[arm], stepped: 'before', fill: arm === 'canary' }))}
          t={at}
          values={of}
          format={rate}
          range={[0, Math.min(1.05, top * 1.1)]}
        />
      ) : (
        <Nothing title={t('rollout:errors.none')} />
      )}
    </Sheet>
  )
}

function Latencies({ rollout, judged }: { rollout: Rollout; judged: Judgement }) {
  const { t } = useTranslation()
  const times = useTimes(rollout, judged)
  const series = PERCENTILES.map((p) => overTime(judged, (arm) => arm.latency?.[p] ?? null))
  const values = [0, 1].flatMap((arm) => series.map((s) => s.of[arm] ?? []))
  const all = (arm: Arm): string => {
    const of = judged[`${arm}_latency`]
    return of ? t('rollout:latency.all', { p50: latency(of.p50_ms), p95: latency(of.p95_ms), p99: latency(of.p99_ms) }) : '–'
  }
  return (
    <Sheet title={t('rollout:latency.title')}>
      {values.flat().some((v) => v !== null) ? (
        <Plot
          {...times}
          extra={<Step judged={judged} />}
          log
          summary={t('rollout:latency.summary', { ...labels(judged), new: all('canary'), old: all('baseline') })}
          lines={ARMS.flatMap((arm) =>
            PERCENTILES.map((p) => {
              const dash = DASHES[p]
              return {
                label: `${judged[arm]} ${p.slice(0, 3)}`,
                colour: COLOURS[arm],
                stepped: 'before' as const,
                width: p === 'p99_ms' ? 2.5 : 1.5,
                ...(dash ? { dash } : {}),
              }
            }),
          )}
          t={series[0]?.t ?? []}
          values={values}
          format={latency}
          range={decades(values)}
        />
      ) : (
        <Nothing title={t(asked(judged) ? 'rollout:latency.untold' : 'rollout:errors.none')} />
      )}
    </Sheet>
  )
}

/** What the numbers beside the lines are of. */
function Step({ judged }: { judged: Judgement }) {
  const { t } = useTranslation()
  const lengths = (judged.traffic ?? []).map((w) => w.seconds).sort((a, b) => a - b)
  // Only the first and the last are of another length.
  const usual = lengths[Math.floor(lengths.length / 2)]
  return usual === undefined ? null : <span>{t('rollout:errors.step', { span: span(Math.max(1, Math.round(usual)) * 1_000) })}</span>
}

const labels = ({ canary, baseline }: Judgement): { canary: string; baseline: string } => ({ canary, baseline })
