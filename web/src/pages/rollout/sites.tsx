import { useTranslation } from 'react-i18next'
import type { Rollout, SitePhase } from '../../api/schema'
import { count, Mark, ReleaseName, Share, type Tone } from '../../parts/marks'
import { Sheet } from '../../parts/page'
import { wavesOf } from './story'

const TONE: Record<SitePhase, Tone> = {
  waiting: 'still', starting: 'busy', shifting: 'busy', verifying: 'busy', judging: 'busy', soaking: 'busy', done: 'good', returning: 'warn', returned: 'still',
}

/** Where it goes to several sites: how far each is. */
export function Sites({ rollout }: { rollout: Rollout }) {
  const { t } = useTranslation()
  return (
    <Sheet title={t('rollout:sites.title')}>
      <table className="rows">
        <thead>
          <tr>
            <th scope="col">{t('rollout:sites.site')}</th>
            <th scope="col">{t('rollout:sites.phase')}</th>
            <th scope="col">{t('rollout:sites.waves')}</th>
            <th scope="col">{t('rollout:sites.share', { to: rollout.to.label })}</th>
            <th scope="col">{t('rollout:sites.ready')}</th>
            <th scope="col">{t('rollout:sites.back_to')}</th>
          </tr>
        </thead>
        <tbody>
          {rollout.sites.map((site) => (
            <tr key={site.site}>
              <th scope="row">{site.site}</th>
              <td>
                <Mark tone={TONE[site.phase]}>{t(`rollout:site_phase.${site.phase}`)}</Mark>
                {site.reason && <div className="site-why">{site.reason}</div>}
              </td>
              <td className="number" data-label={t('rollout:sites.waves')}>
                {t('rollout:sites.waves_of', wavesOf(rollout, site.site))}
              </td>
              <td data-label={t('rollout:sites.share', { to: rollout.to.label })}>
                <Share points={site.share} />
              </td>
              <td className="number" data-label={t('rollout:sites.ready')}>
                {t('rollout:sites.of', { ready: count(site.instances_ready), wanted: count(site.instances_wanted) })}
              </td>
              <td data-label={t('rollout:sites.back_to')}>
                <ReleaseName release={site.from} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Sheet>
  )
}
