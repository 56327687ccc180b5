import { RobotOutlined, SafetyCertificateOutlined, UserOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { User } from '../../api/schema'
import { Act } from '../../parts/act'
import { TextField } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Mark } from '../../parts/marks'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { When } from '../../parts/time'
import { InvitePerson, Pending } from './invite'
import { usersQuery } from './queries'
import { RoleTag } from './roles'
import { UserPanel } from './user'

/** From so many on, looking for one by eye takes too long. */
const MANY = 8

export function Users({ may }: { may: boolean }) {
  const { t } = useTranslation()
  const users = useQuery(usersQuery)
  const [open, setOpen] = useState<string>()
  const [sought, setSought] = useState('')
  const fits = (user: User): boolean =>
    `${user.handle} ${user.name} ${user.email ?? ''} ${user.groups.join(' ')}`.toLowerCase().includes(sought.trim().toLowerCase())
  return (
    <>
      <Sheet
        title={t('people:everyone')}
        extra={
          <div className="sheet-do">
            {(users.data?.length ?? 0) > MANY && (
              <Input.Search allowClear placeholder={t('people:seek')} aria-label={t('people:seek')} value={sought} onChange={(e) => setSought(e.target.value)} />
            )}
            {may && <NewAccount />}
            {may && <InvitePerson />}
          </div>
        }
      >
        <Loaded of={users}>
          {(items) => {
            const shown = items.filter(fits)
            if (items.length === 0) return <Nothing title={t('people:nobody')}>{t('people:nobody_yet')}</Nothing>
            if (shown.length === 0) return <Nothing title={t('people:none_fit', { sought })} />
            return (
              <Rows
                label={t('people:everyone')}
                items={shown}
                id={(user) => user.id}
                columns={[
                  { head: t('people:who'), cell: (user) => <Who user={user} /> },
                  { head: t('people:roles'), wide: true, cell: (user) => <Roles user={user} /> },
                  { head: t('people:second_factor'), cell: (user) => <Factor user={user} /> },
                  { head: t('people:last_seen'), cell: (user) => (user.last_seen_at ? <When at={user.last_seen_at} /> : <span className="soft">{t('people:never_seen')}</span>) },
                  {
                    head: t('people:do'),
                    acts: true,
                    cell: (user) => (
                      <Button size="small" onClick={() => setOpen(user.handle)} aria-label={t('people:open_who', { who: user.handle })}>
                        {may ? t('people:manage') : t('people:look')}
                      </Button>
                    ),
                  },
                ]}
              />
            )
          }}
        </Loaded>
      </Sheet>
      {may && <Pending />}
      <UserPanel user={users.data?.find((user) => user.handle === open)} may={may} close={() => setOpen(undefined)} />
    </>
  )
}

function Who({ user }: { user: User }) {
  const { t } = useTranslation()
  return (
    <div className="who">
      {user.kind === 'service' ? <RobotOutlined title={t('people:machine')} /> : <UserOutlined title={t('people:person')} />}
      <div>
        <strong>{user.handle}</strong>
        {user.name && user.name !== user.handle && <span> {user.name}</span>}
        <div className="soft">{user.kind === 'service' ? t('people:machine') : user.email}</div>
        {user.erased_at ? <Mark tone="still">{t('people:is_erased')}</Mark> : user.disabled_at && <Mark tone="warn">{t('people:disabled')}</Mark>}
      </div>
    </div>
  )
}

function Roles({ user }: { user: User }) {
  const { t } = useTranslation()
  if (user.roles.length === 0) return <span className="soft">{t('people:no_roles')}</span>
  return user.roles.map((role) => <RoleTag key={role.id} role={role} of={role.group} />)
}

export function Factor({ user }: { user: User }) {
  const { t } = useTranslation()
  if (user.kind === 'service') return <span className="soft">{t('people:factor_none_needed')}</span>
  return user.second_factor ? (
    <Mark tone="good" icon={<SafetyCertificateOutlined />}>{t('people:factor_on')}</Mark>
  ) : (
    <Mark tone="still">{t('people:factor_off')}</Mark>
  )
}

function NewAccount() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [handle, setHandle] = useState('')
  const [name, setName] = useState('')
  return (
    <Act
      label={t('people:new_machine')}
      verb="machine"
      icon={<RobotOutlined />}
      ready={handle.trim() !== ''}
      says={t('people:new_machine_says')}
      perform={async () => {
        await api.POST('/api/v1/users', { body: { handle: handle.trim(), name: name.trim() || null } })
        setHandle('')
        setName('')
        await client.invalidateQueries({ queryKey: ['people'] })
      }}
      done={t('people:machine_made')}
    >
      <TextField label={t('people:handle')} hint={t('people:handle_hint')} mono value={handle} set={setHandle} autoFocus placeholder="ci-shop" />
      <TextField label={t('people:what_for')} value={name} set={setName} />
    </Act>
  )
}
