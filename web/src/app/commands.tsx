// Ctrl-K: to any service and page, and what can be done from anywhere.
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Input, Modal } from 'antd'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../api/client'
import { language, setLanguage } from '../i18n'
import { isDark, setLook } from './look'
import './commands.css'

interface Command {
  id: string
  group: string
  label: string
  go: () => unknown
}

export default function Commands({ close }: { close: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [said, setSaid] = useState('')
  const [at, setAt] = useState(0)
  const services = useQuery({
    queryKey: ['services', 'names'],
    queryFn: async () => {
      const names: string[] = []
      let after: string | undefined
      do {
        const query = { limit: 200, ...(after !== undefined && { after }) }
        const page = await got(api.GET('/api/v1/services', { params: { query } }))
        names.push(...page.items.map((s) => s.name))
        after = page.next ?? undefined
      } while (after !== undefined)
      return names
    },
  })
  const all = useMemo<Command[]>(() => {
    const page = (to: '/' | '/events' | '/people' | '/system' | '/account', words: string): Command => ({
      id: to,
      group: t('commands.pages'),
      label: words,
      go: () => navigate({ to }),
    })
    return [
      ...(services.data ?? []).map((service) => ({
        id: `service/${service}`,
        group: t('commands.services'),
        label: service,
        go: () => navigate({ to: '/services/$service', params: { service } }),
      })),
      page('/', t('nav.overview')),
      page('/events', t('nav.events')),
      page('/people', t('nav.people')),
      page('/system', t('nav.system')),
      page('/account', t('nav.account')),
      {
        id: 'language',
        group: t('commands.verbs'),
        label: t('commands.language'),
        go: () => setLanguage(language() === 'zh' ? 'en' : 'zh'),
      },
      { id: 'look', group: t('commands.verbs'), label: t('commands.look'), go: () => setLook(isDark() ? 'light' : 'dark') },
    ]
  }, [services.data, navigate, t])
  const words = said.toLowerCase().split(/\s+/).filter(Boolean)
  const found = all.filter((c) => words.every((w) => c.label.toLowerCase().includes(w))).slice(0, 30)
  const chosen = Math.min(at, Math.max(found.length - 1, 0))
  const run = (command: Command | undefined): void => {
    if (!command) return
    close()
    command.go()
  }
  return (
    <Modal open footer={null} closable={false} onCancel={close} width={560} styles={{ body: { padding: 0 } }}>
      <Input
        autoFocus
        size="large"
        variant="borderless"
        value={said}
        placeholder={t('commands.placeholder')}
        role="combobox"
        aria-expanded
        aria-controls="commands"
        aria-activedescendant={found[chosen] ? `command-${chosen}` : undefined}
        aria-label={t('nav.commands')}
        onChange={(event) => {
          setSaid(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1))
          else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0))
          else if (event.key === 'Enter') run(found[chosen])
          else return
          event.preventDefault()
        }}
      />
      <ul id="commands" role="listbox" className="commands" aria-label={t('nav.commands')}>
        {found.map((command, n) => (
          <li
            key={command.id}
            id={`command-${n}`}
            role="option"
            aria-selected={n === chosen}
            onMouseEnter={() => setAt(n)}
            onClick={() => run(command)}
          >
            <span>{command.label}</span>
            <small>{command.group}</small>
          </li>
        ))}
        {found.length === 0 && <li className="commands-none">{t('commands.none')}</li>}
      </ul>
      <div className="commands-hint">{t('commands.hint')}</div>
    </Modal>
  )
}
