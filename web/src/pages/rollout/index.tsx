import { useTranslation } from 'react-i18next'
import { Page } from '../../parts/page'

export function RolloutPage() {
  const { t } = useTranslation()
  return <Page title={t('rollout:title')}>{null}</Page>
}
