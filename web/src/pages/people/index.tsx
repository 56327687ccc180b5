import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { meQuery } from '../../api/queries'
import { EVERYTHING, useMay } from '../../parts/may'
import { Page } from '../../parts/page'
import { Sections } from '../../parts/sections'
import { Access } from './access'
import { Groups } from './groups'
import { History } from './history'
import { Policies } from './policies'
import { Tokens } from './tokens'
import { Users } from './users'
import './people.css'

export function People() {
  const { t } = useTranslation()
  const { tab } = useSearch({ from: '/inside/people' })
  const { data: me } = useQuery(meQuery)
  const may = useMay()
  const keeps = may('access')
  const knows = keeps || may('read_audit', EVERYTHING)
  const items = [
    ...(knows
      ? [
          { key: 'people', label: t('people:tab.people'), children: <Users may={keeps} /> },
          { key: 'groups', label: t('people:tab.groups'), children: <Groups may={keeps} /> },
        ]
      : []),
    { key: 'tokens', label: t('people:tab.tokens'), children: <Tokens /> },
    { key: 'policies', label: t('people:tab.policies'), children: <Policies may={may('policy')} /> },
    { key: 'access', label: t('people:tab.access'), children: <Access may={keeps} /> },
    ...(may('read_audit', EVERYTHING) ? [{ key: 'history', label: t('people:tab.history'), children: <History /> }] : []),
  ]
  return (
    <Page title={t('people:title')}>
      {!knows && me && <p className="soft">{t('people:who_sees')}</p>}
      <Sections to="/people" label={t('people:title')} items={items} at={tab} />
    </Page>
  )
}
