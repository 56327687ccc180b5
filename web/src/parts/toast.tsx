// What was done, said for a moment, with a way back where there is one.
import { useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from '../api/problem'
import { Ticked } from './ticked'
import './toast.css'

interface Toast {
  id: number
  text: string
  bad: boolean
  undo?: (() => Promise<unknown>) | undefined
}

const SHOWN_MS = 4_000
const WITH_UNDO_MS = 9_000
let toasts: Toast[] = []
let next = 0
const watchers = new Set<() => void>()
const put = (all: Toast[]): void => {
  toasts = all
  watchers.forEach((w) => w())
}
const drop = (id: number): void => put(toasts.filter((t) => t.id !== id))

export function say(text: string, more: { bad?: boolean; undo?: (() => Promise<unknown>) | undefined } = {}): void {
  const toast = { id: next++, text, bad: more.bad ?? false, undo: more.undo }
  put([...toasts, toast])
  setTimeout(() => drop(toast.id), more.undo || more.bad ? WITH_UNDO_MS : SHOWN_MS)
}

export const sayFault = (error: unknown): void =>
  say(error instanceof Refused ? `${error.problem.title}. ${error.problem.fix}` : String(error), { bad: true })

export function Toasts() {
  const { t } = useTranslation()
  const all = useSyncExternalStore(
    (watch) => {
      watchers.add(watch)
      return () => watchers.delete(watch)
    },
    () => toasts,
  )
  return (
    <div className="toasts" aria-live="polite">
      {all.map(({ id, text, bad, undo }) => (
        <div key={id} className={bad ? 'toast bad' : 'toast'} role={bad ? 'alert' : 'status'}>
          <span><Ticked text={text} /></span>
          {undo && (
            <button
              type="button"
              onClick={() => {
                drop(id)
                undo().then(() => say(t('act.undone')), sayFault)
              }}
            >
              {t('act.undo')}
            </button>
          )}
        </div>
      ))}
    </div>
  )
}
