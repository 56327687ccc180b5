import { useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useMay } from '../../parts/may'
import { Page } from '../../parts/page'
import { Sections } from '../../parts/sections'
import { Audit } from './audit'
import { Backups } from './backups'
import { Certificates } from './certificates'
import { Forges } from './forges'
import { Freezes } from './freezes'
import { Hosts } from './hosts'
import { Server } from './server'
import './system.css'

export function System() {
  const { t } = useTranslation()
  const { tab } = useSearch({ from: '/inside/system' })
  const may = useMay()
  const items = [
    { key: 'hosts', label: t('system:tab.hosts'), children: <Hosts /> },
    { key: 'freezes', label: t('system:tab.freezes'), children: <Freezes may={may('freeze')} /> },
    ...(may('system') ? [{ key: 'certificates', label: t('system:tab.certificates'), children: <Certificates /> }] : []),
    { key: 'backups', label: t('system:tab.backups'), children: <Backups may={may('system')} knows={may('read_audit')} /> },
    { key: 'forges', label: t('system:tab.forges'), children: <Forges /> },
    ...(may('read_audit') ? [{ key: 'audit', label: t('system:tab.audit'), children: <Audit may={may('system')} /> }] : []),
    { key: 'server', label: t('system:tab.server'), children: <Server /> },
  ]
  return (
    <Page title={t('system:title')}>
      <Sections to="/system" label={t('system:title')} items={items} at={tab} />
    </Page>
  )
}
