// How a service stands in one environment.
import { CloseCircleOutlined, DownOutlined, LockOutlined, PauseCircleOutlined, RightOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Health, LastFailure, OverviewEnvironment, OverviewRollout, OverviewSite } from '../../api/schema'
import { HealthMark, percent, PhaseMark } from '../../parts/marks'
import { When } from '../../parts/time'
import { folded } from './sites'

export function Cell({ cell, open, toggle }: { cell: OverviewEnvironment | undefined; open: boolean; toggle: () => void }) {
  const { t } = useTranslation()
  if (!cell)
    return (
      <span className="ov-none">
        <span aria-hidden="true">–</span>
        <span className="visually-hidden">{t('overview:never')}</span>
      </span>
    )
  const [only] = cell.sites
  return (
    <div className="ov-cell">
      {only === undefined ? (
        <div className="ov-line ov-faint">{t('overview:nothing_live')}</div>
      ) : cell.sites.length === 1 ? (
        <SiteLine site={only} />
      ) : (
        <Sites sites={cell.sites} open={open} toggle={toggle} />
      )}
      {cell.rollout && <UnderWay rollout={cell.rollout} waiting={cell.waiting} />}
      {cell.last_failure && <Failure failure={cell.last_failure} />}
      {cell.closed && (
        <div className="ov-line ov-held" title={cell.closed.reason}>
          <LockOutlined /> {t('overview:closed')}
        </div>
      )}
      {cell.freezes.slice(0, 1).map((freeze) => (
        <div key={freeze.id} className="ov-line ov-held" title={`${freeze.by}: ${freeze.reason}`}>
          <PauseCircleOutlined /> <span className="ov-cut">{t('overview:frozen_by', { why: freeze.reason })}</span>
        </div>
      ))}
    </div>
  )
}

/** A sign alone where all is well; with a word where it is not. */
function Standing({ health, reason }: { health: Health; reason: string | null | undefined }) {
  return (
    <span className={health === 'healthy' ? 'ov-well' : 'ov-ill'} title={reason ?? undefined}>
      <HealthMark health={health} />
    </span>
  )
}

function SiteLine({ site, named }: { site: OverviewSite; named?: boolean }) {
  return (
    <>
      <div className="ov-line">
        {named && <span className="ov-site ov-cut">{site.name}</span>}
        <Standing health={site.health} reason={site.reason} />
        {site.release && (
          <strong className="ov-release" title={site.release.digest}>
            {site.release.label}
          </strong>
        )}
        {site.since && (
          <span className="ov-age">
            <When at={site.since} />
          </span>
        )}
      </div>
      <Split site={site} />
      {site.reason && site.health !== 'healthy' && site.health !== 'unknown' && <div className="ov-why">{site.reason}</div>}
    </>
  )
}

/** Who takes how much, while more than one release takes any. */
function Split({ site }: { site: OverviewSite }) {
  const { t } = useTranslation()
  if (site.traffic.length < 2) return null
  const fresh = site.traffic.find((share) => share.release.digest !== site.release?.digest)
  return (
    <div className="ov-line ov-split" title={site.traffic.map((s) => `${s.release.label} ${percent(s.share)}`).join(' · ')}>
      <span className="ov-bar" aria-hidden="true">
        <span style={{ width: `${(fresh?.share ?? 0) / 100}%` }} />
      </span>
      {fresh && t('overview:share', { release: fresh.release.label, share: percent(fresh.share) })}
    </div>
  )
}

function Sites({ sites, open, toggle }: { sites: OverviewSite[]; open: boolean; toggle: () => void }) {
  const { t } = useTranslation()
  const all = folded(sites)
  const alike = all.releases.length === 1
  return (
    <>
      <div className="ov-line">
        <Standing health={all.health} reason={all.reason} />
        <span className="ov-cut">
          {all.releases.slice(0, 3).map(({ label, sites: n }, i) => (
            <span key={label} className="ov-several">
              {i > 0 && ' · '}
              <strong className="ov-release">{label || t('health.empty')}</strong>
              {!alike && <span className="ov-age"> ×{n}</span>}
            </span>
          ))}
          {all.releases.length > 3 && ' …'}
        </span>
        {all.since && (
          <span className="ov-age">
            <When at={all.since} />
          </span>
        )}
      </div>
      <button type="button" className="ov-fold" aria-expanded={open} onClick={toggle}>
        {open ? <DownOutlined /> : <RightOutlined />}
        {alike ? t('overview:sites_alike', { count: sites.length }) : t('overview:sites', { count: sites.length })}
        {all.split > 0 && ` · ${t('overview:sites_split', { count: all.split })}`}
      </button>
      {open && (
        <ul className="ov-sites">
          {sites.map((site) => (
            <li key={site.name}>
              <SiteLine site={site} named />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function UnderWay({ rollout, waiting }: { rollout: OverviewRollout; waiting: number }) {
  const { t } = useTranslation()
  return (
    <Link to="/rollouts/$rollout" params={{ rollout: rollout.id }} className="ov-line ov-link">
      <PhaseMark phase={rollout.phase} />
      <strong>{rollout.to.label}</strong>
      {rollout.kind !== 'normal' && <span>{t(`kind.${rollout.kind}`)}</span>}
      {rollout.wave != null && rollout.waves > 1 && <span className="ov-age">{t('overview:wave', { wave: rollout.wave, waves: rollout.waves })}</span>}
      {waiting > 0 && <span className="ov-age">{t('overview:waiting', { count: waiting })}</span>}
    </Link>
  )
}

function Failure({ failure }: { failure: LastFailure }) {
  const { t } = useTranslation()
  return (
    <Link
      to="/rollouts/$rollout"
      params={{ rollout: failure.rollout }}
      className={failure.settled ? 'ov-line ov-link ov-faint' : 'ov-line ov-link ov-bad'}
      title={failure.reason ?? undefined}
    >
      <CloseCircleOutlined />
      <span>{failure.settled ? t('overview:failed_before', { release: failure.to.label }) : t('overview:failed', { release: failure.to.label })}</span>
      <span className="ov-age">
        <When at={failure.at} />
      </span>
    </Link>
  )
}
