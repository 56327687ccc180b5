// How a rollout or a rollback would go, as the server plans it.
import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Preview, SecretDifference } from '../../api/schema'
import { percent } from '../../parts/marks'
import { Ticked } from '../../parts/ticked'
import { span } from '../../parts/time'
import { Advice } from '../../parts/trouble'
import { Value } from './change'

/** What speaks against it, what it waits for, and its steps. */
export function Planned({ plan }: { plan: Preview }) {
  const { t } = useTranslation()
  const staying = plan.sites.filter((s) => s.stays)
  const several = plan.sites.length > 1
  const back = plan.kind === 'rollback'
  return (
    <>
      {plan.refused && (
        <Alert
          type="error"
          showIcon
          className="plan-waits"
          title={t('service:plan.refused')}
          description={
            <>
              <strong>
                <Ticked text={plan.refused.title} />
              </strong>
              <div>
                <Advice of={plan.refused} />
              </div>
            </>
          }
        />
      )}
      {!plan.refused && plan.waits.length > 0 && (
        <Alert
          type="warning"
          showIcon
          className="plan-waits"
          title={t('service:plan.waits')}
          description={
            <ul className="change-list">
              {plan.waits.map((w) => (
                <li key={w.kind}>
                  <strong>{t(`service:plan.wait.${w.kind}`)}</strong> <Ticked text={w.text} />
                </li>
              ))}
            </ul>
          }
        />
      )}
      {plan.waves.length > 0 && (
        <>
          <h4>{back ? t('service:plan.steps_back', { count: plan.waves.length }) : t('service:plan.steps', { count: plan.waves.length, strategy: t(`service:plan.strategy.${plan.strategy}`) })}</h4>
          <ol className="plan-waves">
            {plan.waves.map((w) => (
              <li key={w.number}>
                <strong>{percent(w.share)}</strong> {several && <span>{w.site}</span>}{' '}
                <small>
                  {t('service:plan.instances', { count: w.instances })}
                  {w.most_ms !== null && w.most_ms !== undefined && ` · ${w.least_ms > 0 ? t('service:plan.between', { least: span(w.least_ms), most: span(w.most_ms) }) : t('service:plan.most', { most: span(w.most_ms) })}`}
                </small>
              </li>
            ))}
          </ol>
          <p className="change-none">
            {[
              plan.verified ? t('service:plan.verified') : '',
              plan.soak_ms > 0 ? t('service:plan.soaked', { time: span(plan.soak_ms) }) : '',
              plan.warm_ms > 0 && plan.from ? t('service:plan.warm', { release: plan.from.label, time: span(plan.warm_ms) }) : '',
            ]
              .filter((said) => said !== '')
              .join(' ')}
          </p>
        </>
      )}
      {plan.outlook && <p className="plan-outlook"><Ticked text={plan.outlook} /></p>}
      {staying.length > 0 && <p className="change-none">{t('service:plan.stays', { sites: staying.map((s) => s.site).join(', ') })}</p>}
    </>
  )
}

/** What instances are given. */
export function Differences({ plan }: { plan: Preview }) {
  const { t } = useTranslation()
  const secrets = plan.secrets.filter((s) => s.change !== 'same')
  const nothing = plan.variables.length + plan.limits.length + secrets.length === 0
  return (
    <>
      {plan.variables.length > 0 && (
        <>
          <h4>{t('service:change.area.env', { count: plan.variables.length })}</h4>
          <ul className="change-list">
            {plan.variables.map((v) => (
              <Value key={v.name} name={v.name} before={v.before} after={v.after} />
            ))}
          </ul>
        </>
      )}
      {plan.limits.length > 0 && (
        <>
          <h4>{t('service:change.area.limits', { count: plan.limits.length })}</h4>
          <ul className="change-list">
            {plan.limits.map((v) => (
              <Value key={v.name} name={t(`service:plan.limit.${v.name}`)} before={v.before} after={v.after} />
            ))}
          </ul>
        </>
      )}
      {secrets.length > 0 && (
        <>
          <h4>{t('service:plan.secrets', { count: secrets.length })}</h4>
          <ul className="change-list">
            {secrets.map((s) => (
              <Secret key={s.variable} secret={s} />
            ))}
          </ul>
        </>
      )}
      {plan.from && nothing && <p className="change-none">{t('service:plan.same_given')}</p>}
    </>
  )
}

function Secret({ secret }: { secret: SecretDifference }) {
  const { t } = useTranslation()
  const { running, version, change } = secret
  const versions =
    running != null && version != null && running !== version
      ? t('service:plan.versions', { running, version })
      : version != null
        ? t('service:plan.version', { version })
        : ''
  return (
    <li>
      <code>{secret.name}</code> {secret.variable !== secret.name && <small>{t('service:plan.as', { variable: secret.variable })}</small>}{' '}
      <small>
        {t(`service:plan.secret.${change}`)}
        {versions && ` · ${versions}`}
      </small>
    </li>
  )
}
