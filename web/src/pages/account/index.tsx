import { useTranslation } from 'react-i18next'
import { Page } from '../../parts/page'

export function Account() {
  const { t } = useTranslation()
  return <Page title={t('account:title')}>{null}</Page>
}
