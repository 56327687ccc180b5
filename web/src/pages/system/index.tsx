import { useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { EVERYTHING, useMay } from '../../parts/may'
import { Page } from '../../parts/page'
import { Sections } from '../../parts/sections'
import { Audit } from './audit'
import { Backups } from './backups'
import { Certificates } from './certificates'
import { Forges } from './forges'
import { Freezes } from './freezes'
import { Health } from './health'
import { Hosts } from './hosts'
import { Storage } from './storage'
import './system.css'

export function System() {
  const { t } = useTranslation()
  const { tab } = useSearch({ from: '/inside/system' })
  const may = useMay()
  const items = [
    { key: 'health', label: t('system:tab.health'), children: <Health /> },
    { key: 'hosts', label: t('system:tab.hosts'), children: <Hosts may={may('system', EVERYTHING)} /> },
    { key: 'storage', label: t('system:tab.storage'), children: <Storage may={may('system', EVERYTHING)} /> },
    { key: 'freezes', label: t('system:tab.freezes'), children: <Freezes may={may('freeze')} /> },
    ...(may('system', EVERYTHING) ? [{ key: 'certificates', label: t('system:tab.certificates'), children: <Certificates /> }] : []),
    { key: 'backups', label: t('system:tab.backups'), children: <Backups may={may('system', EVERYTHING)} knows={may('read_audit', EVERYTHING)} /> },
    { key: 'forges', label: t('system:tab.forges'), children: <Forges /> },
    ...(may('read_audit', EVERYTHING) ? [{ key: 'audit', label: t('system:tab.audit'), children: <Audit may={may('system', EVERYTHING)} /> }] : []),
  ]
  return (
    <Page title={t('system:title')}>
      <Sections to="/system" label={t('system:title')} items={items} at={tab} />
    </Page>
  )
}
