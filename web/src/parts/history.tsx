import { HistoryOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

/** To everything that the event log has about one thing: `user/li.wei`, `host/shop-1`. */
export function HistoryOf({ subject, kind }: { subject: string; kind?: string }) {
  const { t } = useTranslation()
  return (
    <Link to="/events" search={{ subject, ...(kind && { kind }) }} className="history-of">
      <HistoryOutlined aria-hidden /> {t('history_of')}
    </Link>
  )
}
