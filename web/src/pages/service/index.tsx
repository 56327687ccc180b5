import { useTranslation } from 'react-i18next'
import { Page } from '../../parts/page'

export function ServicePage() {
  const { t } = useTranslation()
  return <Page title={t('service:title')}>{null}</Page>
}
