// What is shown a single time: a code, a secret, a command to run.
import { CheckOutlined, CopyOutlined, DownloadOutlined } from '@ant-design/icons'
import { Button, Modal } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useCopy } from './copy'
import './once.css'

interface CopyableProps {
  text: string
  /** The same in a form that is read more easily. */
  shown?: string
  label: string
  /** Offered as a file of this name. */
  save?: string
}

/** Text with a button that copies it. */
export function Copyable({ text, label, shown: spaced, save }: CopyableProps) {
  const { t } = useTranslation()
  const { shown, copied, copy } = useCopy(text)
  const keep = (name: string): void => {
    const address = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }))
    const link = document.createElement('a')
    link.href = address
    link.download = name
    link.click()
    URL.revokeObjectURL(address)
  }
  return (
    <div className="once">
      <code ref={shown} tabIndex={0} aria-label={label}>
        {spaced ?? text}
      </code>
      <span className="once-do">
        <Button icon={copied ? <CheckOutlined /> : <CopyOutlined />} onClick={() => void copy()} aria-label={t('once.copy_what', { what: label })}>
          {copied ? t('once.copied') : t('once.copy')}
        </Button>
        {save && (
          <Button icon={<DownloadOutlined />} onClick={() => keep(save)}>
            {t('once.save')}
          </Button>
        )}
      </span>
    </div>
  )
}

/** Stays until who looks says that they have it. */
export function ShownOnce({ title, open, close, children }: { title: string; open: boolean; close: () => void; children: ReactNode }) {
  const { t } = useTranslation()
  return (
    <Modal
      open={open}
      title={title}
      okText={t('once.have_it')}
      cancelButtonProps={{ style: { display: 'none' } }}
      mask={{ closable: false }}
      closable={false}
      keyboard={false}
      onOk={close}
    >
      {children}
    </Modal>
  )
}
