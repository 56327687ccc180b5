import { useTranslation } from 'react-i18next'
import type { PlaceStatus, Rollout, VerifyReport } from '../../api/schema'
import { InstanceMark, Mark, ReleaseName } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { span, When } from '../../parts/time'

/** Every instance and the way through the edge, asked after the traffic moved. */
export function Checks({ report }: { report: VerifyReport | null | undefined }) {
  const { t } = useTranslation()
  if (!report) return <Nothing title={t('rollout:checks.none')}>{t('rollout:checks.none_why')}</Nothing>
  return (
    <table className="rows">
      <thead>
        <tr>
          <th scope="col">{t('rollout:checks.what')}</th>
          <th scope="col">{t('rollout:checks.result')}</th>
          <th scope="col">{t('rollout:checks.took')}</th>
          <th scope="col">{t('rollout:checks.detail')}</th>
        </tr>
      </thead>
      <tbody>
        {report.checks.map((check, n) => (
          <tr key={`${check.what}${n}`}>
            <th scope="row" className="mono">
              {check.what}
            </th>
            <td>
              <Mark tone={check.passed ? 'good' : 'bad'}>{check.passed ? t('rollout:checks.passed') : t('rollout:checks.failed')}</Mark>
            </td>
            <td className="number" data-label={t('rollout:checks.took')}>
              {span(check.took_ms)}
            </td>
            <td data-label={t('rollout:checks.detail')}>{check.detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Running copies of both releases, as they are now. */
export function Instances({ rollout, places }: { rollout: Rollout; places: PlaceStatus[] }) {
  const { t } = useTranslation()
  const ours = new Set([rollout.to.digest, rollout.from?.digest, ...rollout.sites.map((s) => s.from?.digest)])
  const rows = places.flatMap((place) => place.instances.filter((i) => ours.has(i.release.digest)).map((instance) => ({ site: place.site, instance })))
  const none = !rows.some((r) => r.instance.release.digest === rollout.to.digest)
  return (
    <>
      {none && <p className="quiet">{t('rollout:instances.gone', { to: rollout.to.label })}</p>}
      {rows.length === 0 ? (
        <Nothing title={t('rollout:instances.none')} />
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">{t('rollout:instances.release')}</th>
              <th scope="col">{t('rollout:instances.state')}</th>
              <th scope="col">{t('rollout:instances.where')}</th>
              <th scope="col">{t('rollout:instances.restarts')}</th>
              <th scope="col">{t('rollout:instances.remark')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ site, instance }) => (
              <tr key={instance.id}>
                <th scope="row">
                  <ReleaseName release={instance.release} />
                </th>
                <td>
                  <InstanceMark phase={instance.phase} /> {instance.since && <small><When at={instance.since} /></small>}
                </td>
                <td data-label={t('rollout:instances.where')}>
                  {site} · {instance.host} {instance.addr && <small className="mono">{instance.addr}</small>}
                </td>
                <td className="number" data-label={t('rollout:instances.restarts')}>
                  {instance.restarts}
                </td>
                <td data-label={t('rollout:instances.remark')}>{[instance.message, instance.last_exit].filter(Boolean).join('; ') || '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
