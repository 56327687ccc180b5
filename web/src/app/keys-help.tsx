// All keys, on `?`.
import { Modal } from 'antd'
import { useTranslation } from 'react-i18next'
import './keys.css'

const KEYS = [
  ['Ctrl K', 'commands'],
  ['?', 'help'],
  ['G O', 'overview'],
  ['G E', 'events'],
  ['G P', 'people'],
  ['G S', 'system'],
  ['G A', 'account'],
  ['/', 'search'],
  ['J K', 'rows'],
  ['Enter', 'open'],
  ['Ctrl Enter', 'confirm'],
  ['Esc', 'close'],
] as const

export default function Keys({ close }: { close: () => void }) {
  const { t } = useTranslation()
  return (
    <Modal open footer={null} title={t('keys.title')} onCancel={close} width={460}>
      <dl className="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(`keys.${what}`)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
