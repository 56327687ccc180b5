import { ReloadOutlined } from '@ant-design/icons'
import { Alert, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { mayPass, Refused } from '../api/problem'
import type { Problem } from '../api/schema'
import { Ticked } from './ticked'

/** What went wrong and what to do, in the server's words where it has some. */
export function Trouble({ error, again }: { error: unknown; again?: () => void }) {
  const { t } = useTranslation()
  const refused = error instanceof Refused ? error.problem : undefined
  return (
    <Alert
      type={refused && !mayPass(error) ? 'warning' : 'error'}
      showIcon
      title={refused ? <Ticked text={refused.title} /> : t('broken.unreachable')}
      description={refused ? <Advice of={refused} /> : t('broken.unreachable_fix')}
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

/** What to do about a refusal, and where to read more. */
export const Advice = ({ of }: { of: Problem }) => (
  <>
    <Ticked text={of.fix} />{' '}
    <a href={`/help/${of.code}`} target="_blank" rel="noreferrer" className="mono">
      {of.code}
    </a>
    {of.more?.map((one) => (
      <div key={`${one.code}${one.title}`}>
        <Ticked text={one.title} />
      </div>
    ))}
  </>
)
