// Letting the wave that is judged go on, and giving it another share: both name the wave that was seen.
import { ForwardOutlined, SlidersOutlined } from '@ant-design/icons'
import { Alert, InputNumber, Slider } from 'antd'
import { type ReactNode, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Rollout } from '../../api/schema'
import { Act } from '../../parts/act'
import { percent } from '../../parts/marks'
import { Ticked } from '../../parts/ticked'
import { When } from '../../parts/time'
import { type OneProps, useTakeIn } from './one'
import { nextStep } from './story'

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
        {...(last ? { description: <><Ticked text={last.text} /> (<When at={last.at} />)</> } : {})}
      />
    ),
  }
}

export function Promote({ rollout, hold }: OneProps) {
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
      verb="promote"
      ready={!moved}
      icon={<ForwardOutlined />}
      reason="needed"
      opened={() => {
        hold.opened()
        see()
      }}
      closed={hold.closed}
      says={
        <>
          {moved || (
            <strong>
              {!next ? t('rollout:act.promote_last', words) : next.site === words.site ? t('rollout:act.promote_says', words) : t('rollout:act.promote_site', words)}
            </strong>
          )}
          {!moved && <div>{t('rollout:act.promote_still')}</div>}
        </>
      }
      perform={async (reason) =>
        takeIn(await got(api.POST('/api/v1/rollouts/{rollout}/promote', { params: { path: { rollout: rollout.id } }, body: { wave: seen, reason } })))
      }
      done={t('rollout:act.promoted', { n: seen })}
    />
  )
}

export function SetShare({ rollout, hold }: OneProps) {
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
      verb="share"
      icon={<SlidersOutlined />}
      reason="needed"
      ready={!moved && share !== has}
      opened={() => {
        hold.opened()
        see()
        setShare(has)
      }}
      closed={hold.closed}
      says={
        <>
          {moved || (
            <strong>
              {t('rollout:act.share_says', { to: rollout.to.label, site: now?.site ?? '', from: percent(has * 100), share: percent(Math.round(share * 100)) })}
            </strong>
          )}
          {!moved && <div>{t('rollout:act.share_anew')}</div>}
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
