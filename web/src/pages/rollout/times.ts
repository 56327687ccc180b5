import { useTranslation } from 'react-i18next'
import type { Judgement, Rollout } from '../../api/schema'
import { percent } from '../../parts/marks'
import { useNow } from '../../parts/time'
import type { Rule } from './plot'
import { isLive } from './story'

/** Now while it goes on, then its end; milliseconds. */
export function useUntil(rollout: Rollout): number {
  const now = useNow()
  return isLive(rollout.phase) ? Math.max(now, Date.parse(rollout.created_at)) : Date.parse(rollout.finished_at ?? rollout.created_at)
}

/** What all pictures of the evidence share: their last second, and the shares that began. */
export function useTimes(rollout: Rollout, judged: Judgement): { until: number; marks: Rule[] } {
  const { t } = useTranslation()
  const until = useUntil(rollout)
  const began = judged.began_at ? Date.parse(judged.began_at) : Date.parse(rollout.created_at)
  const ended = isLive(rollout.phase) ? (until - began) / 1_000 : judged.seconds
  const mark = (w: Judgement['waves'][number]): Rule => ({
    at: w.t,
    label: t('rollout:wave_share', { n: w.number, share: percent(w.share) }),
    colour: '--ink-faint',
  })
  return { until: Math.max(ended, judged.seconds), marks: judged.waves.map(mark) }
}
