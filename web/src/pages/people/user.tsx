import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Drawer } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { meQuery } from '../../api/queries'
import type { User } from '../../api/schema'
import { Act } from '../../parts/act'
import { HistoryOf } from '../../parts/history'
import { Mark } from '../../parts/marks'
import { EVERYTHING, useMay } from '../../parts/may'
import { When } from '../../parts/time'
import { Grant } from './grant'
import { RoleTag, Withdraw } from './roles'
import { Factor } from './users'

/** One person or machine's account, and what can be done about them. */
export function UserPanel({ user, may, close }: { user: User | undefined; may: boolean; close: () => void }) {
  const { t } = useTranslation()
  const audits = useMay()('read_audit', EVERYTHING)
  return (
    <Drawer open={user !== undefined} onClose={close} title={user?.handle ?? ''} size={560} destroyOnHidden>
      {user && (
        <>
          <dl className="facts">
            <Fact label={t('people:full_name')}>{user.name || '–'}</Fact>
            {user.kind === 'person' && <Fact label={t('people:email')}>{user.email ?? '–'}</Fact>}
            <Fact label={t('people:state')}>
              {user.erased_at ? (
                <>
                  <Mark tone="still">{t('people:is_erased')}</Mark> <When at={user.erased_at} />
                </>
              ) : user.disabled_at ? (
                <>
                  <Mark tone="warn">{t('people:disabled')}</Mark> <When at={user.disabled_at} />
                </>
              ) : (
                <Mark tone="good">{t('people:enabled')}</Mark>
              )}
            </Fact>
            <Fact label={t('people:second_factor')}>
              <Factor user={user} />
            </Fact>
            <Fact label={t('people:last_seen')}>
              <When at={user.last_seen_at} />
            </Fact>
            <Fact label={t('people:since')}>
              {t('people:made_by', { by: user.created_by })} <When at={user.created_at} />
            </Fact>
            <Fact label={t('people:groups')}>{user.groups.join(', ') || '–'}</Fact>
            {audits && (
              <Fact label={t('people:what_happened')}>
                <HistoryOf subject={`user/${user.handle}`} />
                {user.kind === 'person' && (
                  <div>
                    <Link to="/events" search={{ subject: `user/${user.handle}`, kind: 'user.sign' }}>
                      {t('people:sign_ins')}
                    </Link>
                  </div>
                )}
              </Fact>
            )}
          </dl>
          <div className="sheet-head">
            <h2>{t('people:roles')}</h2>
            {may && !user.disabled_at && <Grant user={user.handle} primary />}
          </div>
          {user.roles.length === 0 && <p className="soft">{t('people:no_roles_says')}</p>}
          <ul className="plain-list">
            {user.roles.map((role) => (
              <li key={role.id}>
                <div>
                  <RoleTag role={role} of={role.group} />
                  <small className="soft">
                    {role.by} · <When at={role.at} />
                  </small>
                </div>
                {may && !role.group && <Withdraw role={role} who={user.handle} />}
              </li>
            ))}
          </ul>
          {may && <Measures user={user} />}
        </>
      )}
    </Drawer>
  )
}

const Fact = ({ label, children }: { label: string; children: ReactNode }) => (
  <div>
    <dt>{label}</dt>
    <dd>{children}</dd>
  </div>
)

function Measures({ user }: { user: User }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { data: me } = useQuery(meQuery)
  const own = me?.user?.handle === user.handle
  const who = user.handle
  const asked = (reason = '') => ({ params: { path: { user: who }, query: reason ? { reason } : {} } })
  const anew = (): Promise<void> => client.invalidateQueries({ queryKey: ['people'] })
  const enable = async (reason?: string): Promise<void> => {
    await api.POST('/api/v1/users/{user}/enable', asked(reason))
    await anew()
  }
  const disable = async (reason?: string): Promise<void> => {
    await api.POST('/api/v1/users/{user}/disable', asked(reason))
    await anew()
  }
  const person = user.kind === 'person'
  return (
    <>
      <h2 className="measures">{t('people:measures')}</h2>
      <div className="measures-do">
        {user.disabled_at ? (
          <Act label={t('people:enable')} reason="welcome" says={t('people:enable_says', { who })} perform={enable} done={t('people:enabled_done', { who })} undo={() => disable()} />
        ) : (
          <Act
            label={t('people:disable')}
            danger
            refused={own ? t('people:not_oneself') : undefined}
            reason="welcome"
            says={t('people:disable_says', { who })}
            perform={disable}
            done={t('people:disabled_done', { who })}
            undo={() => enable()}
          />
        )}
        {person && user.second_factor && (
          <Act
            label={t('people:reset_factor')}
            reason="welcome"
            says={t('people:reset_factor_says', { who })}
            perform={async (reason) => {
              await api.POST('/api/v1/users/{user}/reset-second-factor', asked(reason))
              await anew()
            }}
            done={t('people:reset_factor_done', { who })}
          />
        )}
        <Act
          label={t('people:erase')}
          danger
          refused={own ? t('people:not_oneself') : undefined}
          says={
            <>
              <p>{t('people:erase_says', { who })}</p>
              <ul>
                <li>{t('people:erase_gone')}</li>
                <li>{t('people:erase_access')}</li>
                <li>{t('people:erase_kept', { who })}</li>
              </ul>
              <strong>{t('people:erase_final')}</strong>
            </>
          }
          reason="welcome"
          perform={async (reason) => {
            await api.POST('/api/v1/users/{user}/erase', asked(reason))
            await anew()
          }}
          done={t('people:erased', { who })}
        />
      </div>
    </>
  )
}
