import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, ifMatch, tagged } from '../../api/client'
import type { User } from '../../api/schema'
import { locale } from '../../i18n'
import { Act } from '../../parts/act'
import { Loaded } from '../../parts/loaded'
import { Sheet } from '../../parts/page'
import { say } from '../../parts/toast'
import { accessPolicyQuery, usersQuery } from './queries'
import { ROLES } from './roles'

/** What is asked of those who sign in. */
export function Access({ may }: { may: boolean }) {
  const { t } = useTranslation()
  const policy = useQuery(accessPolicyQuery)
  return (
    <Sheet title={t('people:factor_policy')}>
      <p className="soft">{t('people:factor_policy_says')}</p>
      <Loaded of={policy}>{({ second_factor: asked, tag }) => <Asked key={asked.join()} asked={asked} tag={tag} may={may} />}</Loaded>
    </Sheet>
  )
}

function Asked({ asked, tag, may }: { asked: string[]; tag: string | undefined; may: boolean }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [roles, setRoles] = useState<string[]>(asked)
  const { data: users } = useQuery({ ...usersQuery, enabled: may })
  const people = users?.filter((user) => user.kind === 'person' && !user.disabled_at) ?? []
  const having = (among: string[]) => people.filter((user) => user.roles.some((role) => among.includes(role.role)))
  const lacking = having(roles).filter((user) => !user.second_factor)
  const changed = [...roles].sort().join() !== [...asked].sort().join()
  const set = async (second_factor: string[], over: string | undefined): Promise<string | undefined> => {
    try {
      return (await tagged(api.PUT('/api/v1/access-policy', { body: { second_factor }, ...ifMatch(over) }))).tag
    } finally {
      await client.invalidateQueries({ queryKey: ['people'] })
    }
  }
  return (
    <>
      {asked.length === 0 && !changed && (
        <p>
          <strong>{t('people:factor_nobody')}</strong> {may && t('people:factor_nobody_says')}
        </p>
      )}
      <Checkbox.Group
        className="role-checks"
        value={roles}
        disabled={!may}
        onChange={setRoles}
        options={ROLES.map((role) => ({ value: role as string, label: <RoleLine role={role} people={users ? having([role]) : undefined} /> }))}
      />
      {lacking.length > 0 && (
        <p>{t('people:factor_lacking', { count: lacking.length, who: new Intl.ListFormat(locale()).format(lacking.map((u) => u.handle)) })}</p>
      )}
      {may && changed && (
        <div className="sheet-do">
          <Act
            label={t('people:set_policy')}
            verb="access"
            primary
            says={roles.length ? t('people:factor_set_says', { roles: roles.map((role) => t(`people:role.${role}`)).join(', ') }) : t('people:factor_clear_says')}
            perform={async () => {
              const put = await set(roles, tag)
              say(t('people:policy_set'), { undo: async () => void (await set(asked, put)) })
            }}
          />
          <Button onClick={() => setRoles(asked)}>{t('people:as_it_was')}</Button>
        </div>
      )}
    </>
  )
}

function RoleLine({ role, people }: { role: string; people: User[] | undefined }) {
  const { t } = useTranslation()
  const without = people?.filter((user) => !user.second_factor).length ?? 0
  return (
    <>
      {t(`people:role.${role}`)}
      {people && (
        <span className="soft">
          {' '}
          {t('people:factor_people', { count: people.length })}
          {without > 0 && t('people:factor_without', { count: without })}
        </span>
      )}
    </>
  )
}
