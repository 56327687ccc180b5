import { useTranslation } from 'react-i18next'
import { Page } from '../../parts/page'

export function RunPage() {
  const { t } = useTranslation()
  return <Page title={t('run:title')}>{null}</Page>
}
