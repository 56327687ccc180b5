import { TeamOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { Granted, Group } from '../../api/schema'
import { Act } from '../../parts/act'
import { Field, TextField } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Nothing, Sheet } from '../../parts/page'
import { Grant } from './grant'
import { grantsQuery, groupsQuery, usersQuery } from './queries'
import { RoleTag, Withdraw } from './roles'

export function Groups({ may }: { may: boolean }) {
  const { t } = useTranslation()
  const groups = useQuery(groupsQuery)
  const { data: grants = [] } = useQuery(grantsQuery)
  return (
    <>
      <div className="tab-do">{may && <NewGroup />}</div>
      <Loaded of={groups}>
        {(items) =>
          items.length === 0 ? (
            <Sheet>
              <Nothing title={t('people:no_groups')}>{t('people:no_groups_yet')}</Nothing>
            </Sheet>
          ) : (
            <div className="group-grid">
              {items.map((group) => (
                <OneGroup key={group.name} group={group} may={may} roles={grants.filter((g) => g.group === group.name)} />
              ))}
            </div>
          )
        }
      </Loaded>
    </>
  )
}

function OneGroup({ group, roles, may }: { group: Group; roles: Granted[]; may: boolean }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const anew = (): Promise<void> => client.invalidateQueries({ queryKey: ['people'] })
  const member = (name: string) => ({ params: { path: { group: group.name, member: name } } })
  return (
    <Sheet
      title={
        <>
          <TeamOutlined /> {group.name}
        </>
      }
      extra={
        may && (
          <Act
            label={t('people:remove_group')}
            quiet size="small"
            danger
            reason="welcome"
            says={t('people:remove_group_says', { group: group.name, count: group.members.length })}
            perform={async (reason) => {
              await api.DELETE('/api/v1/groups/{group}', { params: { path: { group: group.name }, query: reason ? { reason } : {} } })
              await anew()
            }}
            done={t('people:group_removed', { group: group.name })}
          />
        )
      }
    >
      <h3>{t('people:roles')}</h3>
      {roles.length === 0 && <p className="soft">{t('people:group_no_roles')}</p>}
      <ul className="plain-list">
        {roles.map((role) => (
          <li key={role.id}>
            <RoleTag role={role} />
            {may && <Withdraw role={role} who={group.name} />}
          </li>
        ))}
      </ul>
      {may && <Grant group={group.name} />}
      <h3>{t('people:members', { count: group.members.length })}</h3>
      {group.members.length === 0 && <p className="soft">{t('people:no_members')}</p>}
      <ul className="plain-list">
        {group.members.map((name) => (
          <li key={name}>
            <strong>{name}</strong>
            {may && (
              <Act
                label={t('people:take_out')}
                quiet size="small"
                says={t('people:take_out_says', { who: name, group: group.name })}
                perform={async () => {
                  await api.DELETE('/api/v1/groups/{group}/members/{member}', member(name))
                  await anew()
                }}
                done={t('people:taken_out', { who: name, group: group.name })}
                undo={async () => {
                  await api.PUT('/api/v1/groups/{group}/members/{member}', member(name))
                  await anew()
                }}
              />
            )}
          </li>
        ))}
      </ul>
      {may && <AddMember group={group} />}
    </Sheet>
  )
}

function AddMember({ group }: { group: Group }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { data: users = [] } = useQuery(usersQuery)
  const [who, setWho] = useState<string>()
  const others = users.filter((u) => !group.members.includes(u.handle) && !u.disabled_at)
  return (
    <Act
      label={t('people:add_member')}
      ready={who !== undefined}
      refused={others.length === 0 ? t('people:all_in') : undefined}
      says={t('people:add_member_says', { group: group.name })}
      perform={async () => {
        await api.PUT('/api/v1/groups/{group}/members/{member}', { params: { path: { group: group.name, member: who ?? '' } } })
        setWho(undefined)
        await client.invalidateQueries({ queryKey: ['people'] })
      }}
      done={t('people:member_added', { who: who ?? '', group: group.name })}
    >
      <Field label={t('people:who')}>
        {(id) => (
          <Select
            id={id}
            {...(who === undefined ? {} : { value: who })}
            showSearch
            style={{ width: '100%' }}
            options={others.map((u) => ({ value: u.handle, label: u.name && u.name !== u.handle ? `${u.handle} (${u.name})` : u.handle }))}
            onChange={setWho}
          />
        )}
      </Field>
    </Act>
  )
}

function NewGroup() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [name, setName] = useState('')
  return (
    <Act
      label={t('people:new_group')}
      verb="group"
      icon={<TeamOutlined />}
      primary
      ready={name.trim() !== ''}
      says={t('people:new_group_says')}
      perform={async () => {
        await api.POST('/api/v1/groups', { body: { name: name.trim() } })
        setName('')
        await client.invalidateQueries({ queryKey: ['people'] })
      }}
      done={t('people:group_made')}
    >
      <TextField label={t('people:group_name')} hint={t('people:handle_hint')} mono value={name} set={setName} autoFocus placeholder="oncall" />
    </Act>
  )
}
