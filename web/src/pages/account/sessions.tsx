import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { whole } from '../../api/queries'
import { Act } from '../../parts/act'
import { Loaded } from '../../parts/loaded'
import { Mark } from '../../parts/marks'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, When } from '../../parts/time'
import { browser } from './browser'

export function Sessions() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const sessions = useQuery({
    queryKey: ['people', 'sessions'],
    queryFn: () => whole((after) => got(api.GET('/api/v1/me/sessions', { params: { query: { limit: 200, ...(after && { after }) } } }))),
  })
  return (
    <Sheet title={t('account:sessions')}>
      <Loaded of={sessions} rows={2}>
        {(items) =>
          items.length === 0 ? (
            <Nothing title={t('account:no_sessions')}>{t('account:no_sessions_says')}</Nothing>
          ) : (
            <Rows
              label={t('account:sessions')}
              items={items}
              id={(one) => one.id}
              columns={[
                { head: t('account:browser'), wide: true, cell: (one) => <><span title={one.agent}>{browser(one.agent)}</span>{one.current && <div><Mark tone="good">{t('account:this_session')}</Mark></div>}</> },
                { head: t('account:address'), cell: (one) => <span className="mono">{one.address}</span> },
                { head: t('account:seen'), cell: (one) => <When at={one.seen_at} /> },
                { head: t('account:began'), cell: (one) => exact(one.created_at) },
                {
                  head: t('account:do'),
                  acts: true,
                  cell: (one) =>
                    !one.current && (
                      <Act
                        label={t('account:end')}
                        quiet size="small"
                        danger
                        says={t('account:end_says', { browser: browser(one.agent), address: one.address })}
                        perform={async () => {
                          await api.DELETE('/api/v1/me/sessions/{session}', { params: { path: { session: one.id } } })
                          await client.invalidateQueries({ queryKey: ['people', 'sessions'] })
                        }}
                        done={t('account:ended')}
                      />
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Sheet>
  )
}
