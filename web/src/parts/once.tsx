// What is shown a single time: a code, a secret, a command to run.
import { CheckOutlined, CopyOutlined, DownloadOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
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
  const [copied, setCopied] = useState(false)
  const shown = useRef<HTMLElement>(null)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), 2_000)
    } catch {
      // Without TLS a browser keeps its clipboard closed: select it, so that one key does it.
      if (shown.current) getSelection()?.selectAllChildren(shown.current)
    }
  }
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
