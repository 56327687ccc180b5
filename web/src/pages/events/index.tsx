import { useTranslation } from 'react-i18next'
import { Page } from '../../parts/page'

export function Events() {
  const { t } = useTranslation()
  return <Page title={t('events:title')}>{null}</Page>
}
