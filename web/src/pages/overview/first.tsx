// Before there is any service: how the first one comes to be.
import { CopyOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useCopy } from '../../parts/copy'
import { meQuery } from '../../api/queries'

export function FirstSteps() {
  const { t } = useTranslation()
  const { data: me } = useQuery(meQuery)
  const server = location.origin
  return (
    <section className="sheet ov-first">
      <h2>{t('overview:first.title')}</h2>
      <p>{t('overview:first.lead')}</p>
      <ol>
        <li>
          <h3>{t('overview:first.describe')}</h3>
          <p>{t('overview:first.describe_how')}</p>
          <Command text="tradewind init" />
        </li>
        <li>
          <h3>{t('overview:first.connect')}</h3>
          <p>{t('overview:first.connect_how')}</p>
          <Command text={`tradewind login --server ${server} --user ${me?.name ?? 'USER'}`} />
          <p>{t('overview:first.connect_plain')}</p>
          <Command text={`git remote add tradewind ${server}/git/SERVICE.git`} />
        </li>
        <li>
          <h3>{t('overview:first.push')}</h3>
          <p>{t('overview:first.push_how')}</p>
          <Command text="git push tradewind main" />
        </li>
      </ol>
    </section>
  )
}

function Command({ text }: { text: string }) {
  const { t } = useTranslation()
  const { shown, copied, copy } = useCopy(text)
  return (
    <div className="ov-command">
      <code ref={shown}>{text}</code>
      <button type="button" className="plain-button" onClick={() => void copy()}>
        <CopyOutlined /> <span aria-live="polite">{copied ? t('overview:copied') : t('overview:copy')}</span>
      </button>
    </div>
  )
}
