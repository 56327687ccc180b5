import { ReloadOutlined } from '@ant-design/icons'
import { Alert, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { mayPass, Refused } from '../api/problem'

/** What went wrong and what to do, in the server's words where it has some. */
export function Trouble({ error, again }: { error: unknown; again?: () => void }) {
  const { t } = useTranslation()
  const refused = error instanceof Refused ? error.problem : undefined
  return (
    <Alert
      type={refused && !mayPass(error) ? 'warning' : 'error'}
      showIcon
      title={refused?.title ?? t('broken.unreachable')}
      description={
        <>
          {refused?.fix ?? t('broken.unreachable_fix')}{' '}
          {refused && (
            <a href={`/help/${refused.code}`} target="_blank" rel="noreferrer" className="mono">
              {refused.code}
            </a>
          )}
          {refused?.more?.map((one) => (
            <div key={`${one.code}${one.title}`}>{one.title}</div>
          ))}
        </>
      }
      action={
        again && (
          <Button size="small" icon={<ReloadOutlined />} onClick={again}>
            {t('broken.again')}
          </Button>
        )
      }
    />
  )
}
