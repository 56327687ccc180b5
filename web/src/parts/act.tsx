// Whatever changes something: a button that first says what will happen, asks why where that is written down, and shows
// what the server says against it without losing what was typed.
import { Button, type ButtonProps, Input, Modal } from 'antd'
import { type ReactNode, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { say } from './toast'
import { Trouble } from './trouble'

export interface ActProps {
  /** On the button, and on the one that does it. */
  label: string
  icon?: ReactNode
  danger?: boolean
  primary?: boolean
  /** One of many, as in a list: no frame, and its danger is told only when it is pressed. */
  quiet?: boolean
  /** Not now, and why not: shown as disabled, with the reason. */
  refused?: string | undefined
  /** What will happen, as plainly as it can be said. */
  says: ReactNode
  /** Asked for: it goes into the event log. */
  reason?: 'needed' | 'welcome'
  /** More to fill in. */
  children?: ReactNode
  /** Whether enough is filled in; the server judges the rest. */
  ready?: boolean
  /** There is much to see before it is done. */
  wide?: boolean
  /** It was put off: what must not stay about can be forgotten. */
  onPutOff?: () => void
  perform: (reason: string) => Promise<unknown>
  /** Said when it is done. */
  done?: string
  undo?: () => Promise<unknown>
  size?: ButtonProps['size']
  /** Called as it is asked for: what is shown may move on while somebody reads what will happen. */
  opened?: () => void
  closed?: () => void
}

export function Act(props: ActProps) {
  const { label, icon, danger, primary, quiet, refused, says, reason, children, ready = true, wide, onPutOff, perform, done, undo, size, opened, closed } = props
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [why, setWhy] = useState('')
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<unknown>()
  const id = useId()
  const missing = !ready || (reason === 'needed' && why.trim() === '')

  const go = async (): Promise<void> => {
    setBusy(true)
    setFault(undefined)
    try {
      await perform(why.trim())
      setOpen(false)
      setWhy('')
      if (done) say(done, { undo })
    } catch (error) {
      setFault(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <Button
        {...(icon ? { icon } : {})}
        {...(size ? { size } : {})}
        danger={(danger && !quiet) ?? false}
        type={quiet ? 'text' : primary ? 'primary' : 'default'}
        disabled={refused !== undefined}
        title={refused}
        onClick={() => {
          setFault(undefined)
          opened?.()
          setOpen(true)
        }}
      >
        {label}
      </Button>
      <Modal
        open={open}
        title={label}
        onCancel={() => {
          setOpen(false)
          onPutOff?.()
        }}
        width={wide ? 760 : 520}
        onOk={() => void go()}
        {...(closed ? { afterClose: closed } : {})}
        okText={label}
        okButtonProps={{ danger: danger ?? false, disabled: missing }}
        confirmLoading={busy}
        destroyOnHidden={false}
      >
        <div style={{ marginBottom: '0.75rem' }}>{says}</div>
        {children}
        {reason && (
          <label htmlFor={id} style={{ display: 'block' }}>
            <strong>{reason === 'needed' ? t('act.why') : t('act.why_if')}</strong>
            <Input.TextArea
              id={id}
              value={why}
              autoFocus
              rows={2}
              maxLength={500}
              placeholder={t('act.why_example')}
              onChange={(event) => setWhy(event.target.value)}
              onPressEnter={(event) => {
                if ((event.ctrlKey || event.metaKey) && !missing) void go()
              }}
            />
          </label>
        )}
        {fault !== undefined && (
          <div style={{ marginTop: '0.75rem' }}>
            <Trouble error={fault} />
          </div>
        )}
      </Modal>
    </>
  )
}
