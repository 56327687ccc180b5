// The question before something is changed: what will happen, why it is done, and what the server says against it. What was
// typed outlives what it is about: when that changes while somebody types, the question stays and says so.
import { useQueryClient } from '@tanstack/react-query'
import { Alert, Input, Modal } from 'antd'
import { type ReactNode, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { isRefused } from '../api/problem'
import { say } from './toast'
import { Trouble } from './trouble'

export interface Question<Made = unknown> {
  /** Its title, and what stands on the button that does it. */
  label: string
  danger?: boolean | undefined
  /** What will happen, as plainly as it can be said. */
  says: ReactNode
  /** Asked for: it goes into the event log. */
  reason?: 'needed' | 'welcome' | undefined
  /** More to fill in. */
  children?: ReactNode
  /** Whether enough is filled in; the server judges the rest. */
  ready?: boolean | undefined
  /** There is much to see before it is done. */
  wide?: boolean | undefined
  perform: (reason: string) => Promise<Made>
  /** Said when it is done. */
  done?: string | undefined
  /** The way back from what was made. */
  undo?(made: Made): Promise<unknown>
}

interface AskProps extends Question {
  open: boolean
  /** It was done, or put off. */
  close: (how: 'done' | 'put off') => void
  closed?: (() => void) | undefined
  /** What it was about is not shown any more; what was typed till then. */
  left?: string | undefined
}

interface Left extends Question {
  why: string
}

let left: Left | undefined
const watchers = new Set<() => void>()
const leave = (question: Left | undefined): void => {
  left = question
  watchers.forEach((tell) => tell())
}

export function Ask({ open, close, closed, left: typed, ...question }: AskProps) {
  const { label, danger, says, reason, children, ready = true, wide, perform, done, undo } = question
  const { t } = useTranslation()
  const client = useQueryClient()
  const [why, setWhy] = useState(typed ?? '')
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<unknown>()
  const id = useId()
  const missing = !ready || (reason === 'needed' && why.trim() === '')

  const last = useRef<Left | undefined>(undefined)
  const path = useRef(location.pathname)
  useEffect(() => {
    last.current = open && !busy && typed === undefined ? { ...question, why } : undefined
    if (open) path.current = location.pathname
  })
  useEffect(
    () => () => {
      if (last.current && location.pathname === path.current) leave(last.current)
    },
    [],
  )
  const [was, setWas] = useState(open)
  if (was !== open) {
    setWas(open)
    setFault(undefined)
  }

  const go = async (): Promise<void> => {
    setBusy(true)
    setFault(undefined)
    try {
      const made = await perform(why.trim())
      close('done')
      setWhy('')
      if (done) say(done, { undo: undo && (() => undo(made)) })
    } catch (error) {
      setFault(error)
      // Somebody was faster: what the page shows behind the question is of before.
      if (isRefused(error, 409) || isRefused(error, 412)) void client.invalidateQueries({ type: 'active' })
    } finally {
      setBusy(false)
    }
  }

  return (
    <Modal
      open={open}
      title={label}
      onCancel={() => close('put off')}
      width={wide ? 760 : 520}
      onOk={() => void go()}
      {...(closed ? { afterClose: closed } : {})}
      okText={label}
      okButtonProps={{ danger: danger ?? false, disabled: missing }}
      confirmLoading={busy}
      destroyOnHidden={false}
    >
      {typed !== undefined && <Alert type="warning" showIcon style={{ marginBottom: '0.75rem' }} title={t('act.gone')} />}
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
  )
}

/** Where a question stays that somebody was answering as its row or page went. */
export function LeftQuestion() {
  const question = useSyncExternalStore(
    (watch) => {
      watchers.add(watch)
      return () => watchers.delete(watch)
    },
    () => left,
  )
  if (!question) return null
  const { why, ...rest } = question
  return <Ask {...rest} open left={why} close={() => leave(undefined)} />
}
