import { useQueryClient } from '@tanstack/react-query'
import { Select, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { Granted } from '../../api/schema'
import { Act } from '../../parts/act'
import { Field } from '../../parts/field'
import { WhereFields } from '../../parts/where'
import { type Where, whereShort, whereWords } from '../../parts/where-words'

export const ROLES = ['viewer', 'developer', 'release-manager', 'admin', 'auditor'] as const

export interface Wish extends Where {
  role: string
}

/** A role with its bounds, and what it allows as a sentence. */
export function WishFields({ value, set, none }: { value: Wish; set: (wish: Wish) => void; none?: string }) {
  const { t } = useTranslation()
  return (
    <>
      <Field label={t('people:role_label')}>
        {(id) => (
          <Select
            id={id}
            value={value.role}
            style={{ width: '100%' }}
            options={[...(none ? [{ value: '', label: none }] : []), ...ROLES.map((role) => ({ value: role as string, label: t(`people:role.${role}`) }))]}
            onChange={(role: string) => set({ ...value, role })}
          />
        )}
      </Field>
      {value.role && (
        <>
          <WhereFields value={value} set={(where) => set({ role: value.role, ...where })} />
          <p className="allows">{t(`people:allows.${value.role}`, { where: whereWords(t, value) })}</p>
        </>
      )}
    </>
  )
}

/** A role somebody has, in a list. */
export function RoleTag({ role, of }: { role: Wish; of?: string | null | undefined }) {
  const { t } = useTranslation()
  return (
    <Tag className="role-tag" title={t(`people:allows.${role.role}`, { where: whereWords(t, role) })}>
      <strong>{t(`people:role.${role.role}`)}</strong> {whereShort(t, role)}
      {of && <span className="role-of"> {t('people:by_group', { group: of })}</span>}
    </Tag>
  )
}

export function Withdraw({ role, who }: { role: Granted; who: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const give = { role: role.role, user: role.user ?? null, group: role.group ?? null, service: role.service ?? null, env: role.env ?? null, site: role.site ?? null }
  const anew = (): Promise<void> => client.invalidateQueries({ queryKey: ['people'] })
  return (
    <Act
      label={t('people:withdraw')}
      danger
      quiet size="small"
      reason="welcome"
      says={t('people:withdraw_says', { who, role: t(`people:role.${role.role}`), where: whereWords(t, role) })}
      perform={async (reason) => {
        await api.DELETE('/api/v1/grants/{grant}', { params: { path: { grant: role.id }, query: reason ? { reason } : {} } })
        await anew()
      }}
      done={t('people:withdrawn')}
      undo={async () => {
        await api.POST('/api/v1/grants', { body: give })
        await anew()
      }}
    />
  )
}
