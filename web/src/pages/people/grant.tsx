import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { Act } from '../../parts/act'
import { type Wish, WishFields } from './roles'

/** Gives a role to a person, a machine's account or a group. */
export function Grant({ user, group, primary = false }: { user?: string; group?: string; primary?: boolean }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [wish, setWish] = useState<Wish>({ role: 'developer' })
  const who = user ?? group ?? ''
  return (
    <Act
      label={t('people:grant')}
      primary={primary}
      says={user ? t('people:grant_says', { who }) : t('people:grant_group_says', { who })}
      perform={async () => {
        const { role, service = null, env = null, site = null } = wish
        await api.POST('/api/v1/grants', { body: { role, service, env, site, user: user ?? null, group: group ?? null } })
        await client.invalidateQueries({ queryKey: ['people'] })
      }}
      done={t('people:granted', { who, role: t(`people:role.${wish.role}`) })}
    >
      <WishFields value={wish} set={setWish} />
    </Act>
  )
}
