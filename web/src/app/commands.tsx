// Ctrl-K: to any service, release and run, and to whatever can be done, here and elsewhere.
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Input, Modal } from 'antd'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { freezesQuery, searchQuery } from '../api/queries'
import { language, setLanguage } from '../i18n'
import { useMay } from '../parts/may'
import { StateMark } from '../parts/state'
import { type Command, everywhere, found, here, lifts, VERBS } from './commands-list'
import './commands.css'
import { fits, toLookFor, wordsOf } from './find'
import { useLeave } from './leave'
import { isDark, setLook } from './look'

const SHOWN = 50
/** While somebody types, nothing is asked. */
const PAUSE_MS = 120

export default function Commands({ close, keys }: { close: () => void; keys: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const client = useQueryClient()
  const may = useMay()
  const leave = useLeave()
  const [said, setSaid] = useState('')
  const [at, setAt] = useState(0)
  const words = useMemo(() => wordsOf(said), [said])
  const wanted = toLookFor(words, VERBS)
  const text = useSettled(wanted)
  const answer = useQuery({ ...searchQuery(text), placeholderData: keepPreviousData })
  const { data: freezes } = useQuery(freezesQuery)
  // What stands behind this as it opens; the page goes on, and its buttons with it.
  const [now] = useState(() => here(t))
  const all = useMemo<Command[]>(() => {
    const tools = { t, navigate, may }
    const own = [
      { id: 'language', label: t('commands.language'), also: 'language \u8bed\u8a00 english \u4e2d\u6587', go: () => setLanguage(language() === 'zh' ? 'en' : 'zh') },
      { id: 'look', label: t('commands.look'), also: 'dark light theme \u6df1\u8272 \u6d45\u8272', go: () => setLook(isDark() ? 'light' : 'dark') },
      { id: 'keys', label: t('commands.do.keys'), also: 'keyboard shortcuts help ? \u5feb\u6377\u952e', go: keys },
      { id: 'leave', label: t('nav.leave'), also: 'sign out logout \u9000\u51fa', go: leave },
    ]
    // What the page offers itself is not offered twice.
    const offered = new Set(now.map((one) => one.label))
    const lift = lifts(tools, freezes?.items ?? []).filter((one) => !offered.has(one.label))
    return [...now, ...found(tools, answer.data), ...lift, ...everywhere(tools, own)]
    // `may` and `t` are new at each rendering and say the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [answer.data, freezes, now, client])
  // What the server found by the words it was asked for need not carry them all in its name.
  const known = text === wanted && !answer.isPlaceholderData
  const looked = new Set(known ? wordsOf(text) : [])
  const rest = words.filter((w) => !looked.has(w))
  const matches = (c: Command): boolean => fits(c, c.id.match(/^(release|run|rollout)\//) && said ? rest : words)
  const shown = all.filter(matches).slice(0, SHOWN)
  const chosen = Math.min(at, Math.max(shown.length - 1, 0))
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  const run = (command: Command | undefined): void => {
    if (!command) return
    close()
    command.go()
  }
  return (
    <Modal open footer={null} closable={false} onCancel={close} width={620} style={{ top: '12vh' }} styles={{ body: { padding: 0 } }}>
      <Input
        autoFocus
        size="large"
        variant="borderless"
        value={said}
        maxLength={120}
        placeholder={t('commands.placeholder')}
        role="combobox"
        aria-expanded
        aria-controls="commands"
        aria-activedescendant={shown[chosen] ? `command-${chosen}` : undefined}
        aria-label={t('nav.commands')}
        onChange={(event) => {
          setSaid(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          const last = shown.length - 1
          if (event.key === 'ArrowDown' || (event.ctrlKey && event.key === 'n')) setAt(chosen < last ? chosen + 1 : 0)
          else if (event.key === 'ArrowUp' || (event.ctrlKey && event.key === 'p')) setAt(chosen > 0 ? chosen - 1 : Math.max(last, 0))
          else if (event.key === 'Home' && !said) setAt(0)
          else if (event.key === 'End' && !said) setAt(Math.max(last, 0))
          else if (event.key === 'Enter') run(shown[chosen])
          else return
          event.preventDefault()
        }}
      />
      <ul id="commands" role="listbox" className="commands" aria-label={t('nav.commands')} ref={list} aria-busy={answer.isFetching}>
        {shown.map((command, n) => (
          <li
            key={command.id}
            id={`command-${n}`}
            role="option"
            aria-selected={n === chosen}
            className={command.danger ? 'danger' : undefined}
            onMouseMove={() => setAt(n)}
            onClick={() => run(command)}
          >
            <span className="commands-label">{command.label}</span>
            {command.more && <span className="commands-more">{command.more}</span>}
            {command.state && <StateMark state={command.state} />}
            <small>{command.group}</small>
          </li>
        ))}
        {shown.length === 0 && (
          <li className="commands-none" role="option" aria-selected={false} aria-disabled>
            {answer.isFetching ? t('waiting') : answer.isError ? t('commands.unreached') : t('commands.none')}
          </li>
        )}
      </ul>
      <div className="commands-hint">{t('commands.hint')}</div>
    </Modal>
  )
}

/** The last value that stood for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
