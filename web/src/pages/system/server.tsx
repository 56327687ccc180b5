import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useFreshness } from '../../api/live'
import { versionQuery } from '../../api/queries'
import { Loaded } from '../../parts/loaded'
import { Mark } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Sheet } from '../../parts/page'
import { When } from '../../parts/time'
import { healthQuery } from './queries'

export function Server() {
  const { t } = useTranslation()
  const version = useQuery(versionQuery)
  const health = useQuery(healthQuery)
  const { state, since } = useFreshness()
  return (
    <>
      <Sheet title={t('system:control_plane')}>
        <Loaded of={version} rows={1}>
          {(known) => (
            <dl className="host-facts">
              <div>
                <dt>{t('system:version')}</dt>
                <dd>{known.version}</dd>
              </div>
              <div>
                <dt>{t('system:api')}</dt>
                <dd>v{known.api}</dd>
              </div>
              <div>
                <dt>{t('system:agent_protocol')}</dt>
                <dd>{known.agent_protocol}</dd>
              </div>
              <div>
                <dt>{t('system:health')}</dt>
                <dd>
                  {health.data?.ok && !health.isError ? (
                    <Mark tone="good">{t('system:store_answers')}</Mark>
                  ) : health.isPending ? (
                    '…'
                  ) : (
                    <Mark tone="bad">{t('system:store_silent')}</Mark>
                  )}
                </dd>
              </div>
              <div>
                <dt>{t('system:live')}</dt>
                <dd>
                  {state === 'fresh' ? <Mark tone="good">{t('system:live_on')}</Mark> : <Mark tone="warn">{t('system:live_off')}</Mark>} <span className="soft"><When at={since} /></span>
                </dd>
              </div>
            </dl>
          )}
        </Loaded>
      </Sheet>
      <div className="how-to">
        <Sheet title={t('system:doctor')}>
          <p className="soft">{t('system:doctor_says')}</p>
          <Copyable label={t('system:command')} text="tradewind doctor" />
        </Sheet>
        <Sheet title={t('system:storage')}>
          <p className="soft">{t('system:storage_says')}</p>
          <Copyable label={t('system:command')} text="du -sh /var/lib/tradewind/*" />
        </Sheet>
        <Sheet title={t('system:upgrade')}>
          <p className="soft">{t('system:upgrade_says')}</p>
          <Copyable label={t('system:command')} text={'sudo install tradewind-new /usr/local/bin/tradewind\nsudo tradewind up'} />
        </Sheet>
      </div>
    </>
  )
}
