import { useTranslation } from 'react-i18next'
import { Page } from '../../parts/page'

export function Overview() {
  const { t } = useTranslation()
  return <Page title={t('overview:title')}>{null}</Page>
}
