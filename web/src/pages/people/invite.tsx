import { UserAddOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { NewInvitation } from '../../api/schema'
import { Act } from '../../parts/act'
import { TextField } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Mark } from '../../parts/marks'
import { Copyable, ShownOnce } from '../../parts/once'
import { Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, When } from '../../parts/time'
import { invitationsQuery } from './queries'
import { RoleTag, type Wish, WishFields } from './roles'

const NOBODY = { handle: '', email: '', name: '' }

export function InvitePerson() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [who, setWho] = useState(NOBODY)
  const [wish, setWish] = useState<Wish>({ role: 'developer' })
  const [made, setMade] = useState<NewInvitation>()
  const { data: open } = useQuery(invitationsQuery)
  const earlier = open?.some((one) => one.handle === who.handle.trim())
  return (
    <>
      <Act
        label={t('people:invite')}
        verb="invite"
        icon={<UserAddOutlined />}
        primary
        ready={who.handle.trim() !== '' && who.email.trim() !== ''}
        says={t('people:invite_says')}
        perform={async () => {
          const { role, service = null, env = null, site = null } = wish
          const body = {
            handle: who.handle.trim(),
            email: who.email.trim(),
            name: who.name.trim() || null,
            roles: role ? [{ role, service, env, site }] : [],
          }
          setMade(await got(api.POST('/api/v1/invitations', { body })))
          setWho(NOBODY)
          await client.invalidateQueries({ queryKey: ['people'] })
        }}
      >
        <div className="fields">
          <TextField label={t('people:email')} type="email" value={who.email} set={(email) => setWho({ ...who, email })} autoFocus />
          <TextField label={t('people:handle')} hint={t('people:handle_hint')} mono value={who.handle} set={(handle) => setWho({ ...who, handle })} />
          <TextField label={t('people:full_name')} value={who.name} set={(name) => setWho({ ...who, name })} />
        </div>
        {earlier && <Mark tone="warn">{t('people:invited_before', { who: who.handle.trim() })}</Mark>}
        <WishFields value={wish} set={setWish} none={t('people:no_role_yet')} />
      </Act>
      <ShownOnce title={t('people:invited', { who: made?.handle ?? '' })} open={made !== undefined} close={() => setMade(undefined)}>
        {made && (
          <>
            <p>{t('people:invited_says', { email: made.email, until: exact(made.expires_at) })}</p>
            <strong>{t('people:invited_link')}</strong>
            <Copyable label={t('people:invited_link')} text={`${location.origin}/invitation#${made.code}`} />
            <strong>{t('people:invited_code')}</strong>
            <Copyable label={t('people:invited_code')} text={made.code} />
            <p className="soft">{t('people:shown_once')}</p>
          </>
        )}
      </ShownOnce>
    </>
  )
}

/** Who was invited and has not come yet. */
export function Pending() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const invitations = useQuery(invitationsQuery)
  if (invitations.data?.length === 0) return null
  return (
    <Sheet title={t('people:pending')}>
      <Loaded of={invitations} rows={2}>
        {(items) => (
          <Rows
            label={t('people:pending')}
            items={items}
            id={(one) => one.id}
            columns={[
              { head: t('people:who'), cell: (one) => <><strong>{one.handle}</strong> <div className="soft">{one.email}</div></> },
              { head: t('people:roles'), wide: true, cell: (one) => one.roles.length ? one.roles.map((r) => <RoleTag key={JSON.stringify(r)} role={r} />) : <span className="soft">{t('people:no_roles')}</span> },
              { head: t('people:invited_by'), cell: (one) => <>{one.by} <div className="soft"><When at={one.at} /></div></> },
              { head: t('people:good_until'), cell: (one) => exact(one.expires_at) },
              {
                head: t('people:do'),
                acts: true,
                cell: (one) => (
                  <Act
                    label={t('people:withdraw_invitation')}
                    quiet size="small"
                    danger
                    says={t('people:withdraw_invitation_says', { who: one.handle, email: one.email })}
                    perform={async () => {
                      await api.DELETE('/api/v1/invitations/{invitation}', { params: { path: { invitation: one.id } } })
                      await client.invalidateQueries({ queryKey: ['people'] })
                    }}
                    done={t('people:invitation_withdrawn')}
                  />
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Sheet>
  )
}
