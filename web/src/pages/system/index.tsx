import { useTranslation } from 'react-i18next'
import { Page } from '../../parts/page'

export function System() {
  const { t } = useTranslation()
  return <Page title={t('system:title')}>{null}</Page>
}
