import { useQuery } from '@tanstack/react-query'
import { Alert } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { meQuery } from '../../api/queries'
import type { Me } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { Page, Sheet } from '../../parts/page'
import { whereWords } from '../../parts/where-words'
import { RoleTag } from '../people/roles'
import { Tokens } from '../people/tokens'
import { SecondFactor } from './factor'
import { ChangePassword } from './password'
import { Sessions } from './sessions'
import './account.css'

export function Account() {
  const { t } = useTranslation()
  const me = useQuery(meQuery)
  return (
    <Page title={t('account:title')}>
      <Loaded of={me}>{(known) => <Whole me={known} />}</Loaded>
    </Page>
  )
}

function Whole({ me }: { me: Me }) {
  const { t } = useTranslation()
  // Whoever came here because it was needed stays with it until they go on.
  const [led] = useState(me.second_factor_needed)
  if (led)
    return (
      <div className="factor-needed">
        <Alert type="info" showIcon title={t('account:needed')} description={t('account:needed_says')} style={{ marginBottom: '1rem' }} />
        <SecondFactor me={me} />
      </div>
    )
  return (
    <>
      <div className="account">
        <Who me={me} />
        {me.user && <SecondFactor me={me} />}
      </div>
      <Sessions />
      <Tokens own />
    </>
  )
}

function Who({ me }: { me: Me }) {
  const { t } = useTranslation()
  return (
    <Sheet title={me.name} extra={me.user && <ChangePassword />}>
      {me.user ? (
        <>
          <div className="account-facts">
            {me.user.name !== me.name && <span>{me.user.name}</span>}
            <span>{me.user.email}</span>
            {me.user.groups.length > 0 && <span>{t('account:groups', { groups: me.user.groups.join(', ') })}</span>}
          </div>
          {me.user.roles.length === 0 && <p>{t('account:no_roles')}</p>}
          <ul className="account-roles">
            {me.user.roles.map((role) => (
              <li key={role.id}>
                <RoleTag role={role} of={role.group} />
                <p className="soft">{t(`people:allows.${role.role}`, { where: whereWords(t, role) })}</p>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <p>{t('account:no_user')}</p>
      )}
    </Sheet>
  )
}
