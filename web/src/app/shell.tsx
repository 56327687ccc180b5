// Round every page of someone signed in: navigation, what is stale, what is frozen, the commands.
import {
  AuditOutlined,
  DashboardOutlined,
  LogoutOutlined,
  MenuOutlined,
  MoonOutlined,
  SearchOutlined,
  SettingOutlined,
  SunOutlined,
  TeamOutlined,
  TranslationOutlined,
  UserOutlined,
} from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { ConfigProvider, theme } from 'antd'
import type { Locale } from 'antd/es/locale'
import english from 'antd/es/locale/en_US'
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { follow, useFreshness } from '../api/live'
import { freezesQuery, meQuery } from '../api/queries'
import type { Freeze } from '../api/schema'
import { language, setLanguage } from '../i18n'
import { exact, When } from '../parts/time'
import { say, Toasts } from '../parts/toast'
import { useUnmet } from '../parts/verbs'
import { useKeys } from './keys'
import { useLeave } from './leave'
import { setLook, useDark } from './look'
import './shell.css'

const Left = lazy(() => import('../parts/ask').then((m) => ({ default: m.LeftQuestion })))
const Commands = lazy(() => import('./commands'))
const Keys = lazy(() => import('./keys-help'))

const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? ''

export function Shell() {
  const dark = useDark()
  const { i18n } = useTranslation()
  // antd's own words; it speaks English until others are here. It is never without: with the first ones it would set up the
  // whole page anew, and a question that is open by then would be lost.
  const [locale, setLocale] = useState<Locale>(english)
  useEffect(() => {
    if (i18n.language === 'zh') void import('antd/es/locale/zh_CN').then((module) => setLocale(module.default))
    else setLocale(english)
  }, [i18n.language])
  return (
    <ConfigProvider
      locale={locale}
      csp={{ nonce }}
      button={{ autoInsertSpace: false }}
      theme={{
        algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
        token: {
          colorPrimary: dark ? '#3fb8b0' : '#0d6e6e',
          colorError: dark ? '#ff7b72' : '#c62a2f',
          // On a coloured button, which is light where the theme is dark.
          colorLink: dark ? '#3fb8b0' : '#0d6e6e',
          colorTextLightSolid: dark ? '#06201f' : '#ffffff',
          colorBgLayout: dark ? '#0f151b' : '#f5f7f8',
          colorBgContainer: dark ? '#161e26' : '#ffffff',
          colorBgElevated: dark ? '#1c2630' : '#ffffff',
          colorTextDescription: dark ? '#a9b8c6' : '#51606f',
          colorTextPlaceholder: dark ? '#93a3b1' : '#61707b',
          borderRadius: 8,
          fontFamily: 'inherit',
        },
      }}
    >
      <Frame />
      <Suspense>
        <Left />
      </Suspense>
      <Toasts />
    </ConfigProvider>
  )
}

const PLACES = [
  { to: '/', words: 'nav.overview', icon: <DashboardOutlined /> },
  { to: '/events', words: 'nav.events', icon: <AuditOutlined /> },
  { to: '/people', words: 'nav.people', icon: <TeamOutlined /> },
  { to: '/system', words: 'nav.system', icon: <SettingOutlined /> },
] as const

function Frame() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [commands, setCommands] = useState(false)
  const [keys, setKeys] = useState(false)
  useEffect(() => follow(client), [client])
  useUnmet((why) => say(why === undefined ? t('act.not_offered') : t('act.not_now', { why }), { bad: true }))
  useKeys(useCallback(() => setCommands(true), []), useCallback(() => setKeys(true), []))

  const links = PLACES.map(({ to, words, icon }) => (
    <Link key={to} to={to} activeOptions={{ exact: to === '/' }} className="shell-link">
      {icon}
      <span>{t(words)}</span>
    </Link>
  ))
  return (
    <div className="shell">
      <a className="shell-skip" href="#content">
        {t('nav.skip')}
      </a>
      <header className="shell-head">
        <Popover className="shell-burger" label={t('nav.menu')} button={<MenuOutlined />}>
          <nav aria-label={t('nav.main')}>{links}</nav>
        </Popover>
        <Link to="/" className="shell-brand" aria-label={t('nav.home')}>
          <img src="/mark.svg" alt="" width={26} height={26} />
          <span>{t('name')}</span>
        </Link>
        <nav className="shell-nav" aria-label={t('nav.main')}>
          {links}
        </nav>
        <div className="shell-tools">
          <button type="button" className="shell-button" onClick={() => setCommands(true)} aria-label={t('nav.commands')}>
            <SearchOutlined />
            <span className="shell-keys" aria-hidden="true">
              Ctrl K
            </span>
          </button>
          <Who />
        </div>
      </header>
      <Notices />
      <main id="content" className="shell-main" tabIndex={-1}>
        <Suspense>
          <Outlet />
        </Suspense>
      </main>
      {commands && (
        <Suspense>
          <Commands close={() => setCommands(false)} keys={() => setKeys(true)} />
        </Suspense>
      )}
      {keys && (
        <Suspense>
          <Keys close={() => setKeys(false)} />
        </Suspense>
      )}
    </div>
  )
}

function Who() {
  const { t } = useTranslation()
  const { data: me } = useQuery(meQuery)
  const leave = useLeave()
  const dark = useDark()
  const other = language() === 'zh' ? 'English' : '\u4e2d\u6587'
  return (
    <Popover
      label={t('nav.who', { name: me?.name ?? '' })}
      button={
        <>
          <UserOutlined />
          <span className="shell-who">{me?.name}</span>
        </>
      }
    >
      <div className="shell-menu-name">{me?.name}</div>
      <Link to="/account" className="shell-link">
        <UserOutlined />
        {t('nav.account')}
      </Link>
      <button type="button" className="shell-link" onClick={() => void setLanguage(language() === 'zh' ? 'en' : 'zh')}>
        <TranslationOutlined />
        {other}
      </button>
      <button type="button" className="shell-link" onClick={() => setLook(dark ? 'light' : 'dark')}>
        {dark ? <SunOutlined /> : <MoonOutlined />}
        {dark ? t('nav.light') : t('nav.dark')}
      </button>
      <button type="button" className="shell-link" onClick={() => void leave()}>
        <LogoutOutlined />
        {t('nav.leave')}
      </button>
    </Popover>
  )
}

/** A button with what it opens; the browser closes it on Escape and on a click elsewhere. */
function Popover({ label, button, className = '', children }: { label: string; button: ReactNode; className?: string; children: ReactNode }) {
  const id = useId()
  return (
    <div className={`shell-pop ${className}`}>
      <button type="button" className="shell-button" popoverTarget={id} aria-label={label}>
        {button}
      </button>
      <div id={id} popover="auto" className="shell-menu" onClick={(event) => event.currentTarget.hidePopover()}>
        {children}
      </div>
    </div>
  )
}

/** What concerns everything that is shown. */
function Notices() {
  const { t } = useTranslation()
  const { state, since } = useFreshness()
  const { data: freezes } = useQuery(freezesQuery)
  // What covers most is told first.
  const on = [...(freezes?.items ?? [])].sort((a, b) => breadth(b) - breadth(a))
  return (
    <div aria-live="polite">
      {state === 'stale' && (
        <Notice kind="warn">
          {t('stale')} <When at={since} />
        </Notice>
      )}
      {on.slice(0, 1).map((freeze) => (
        <Notice key={freeze.id} kind="busy">
          <Link to="/system" search={{ tab: 'freezes' }}>
            {t(freeze.service && freeze.env ? 'frozen.both' : freeze.service || freeze.env ? 'frozen.one' : 'frozen.all', {
              service: freeze.service,
              env: freeze.env,
              what: freeze.service ?? freeze.env,
              until: freeze.until ? t('frozen.until', { at: exact(freeze.until) }) : t('frozen.open'),
              who: freeze.by,
              why: freeze.reason,
            })}
            {on.length > 1 && <> {t('frozen.more', { count: on.length - 1 })}</>}
          </Link>
        </Notice>
      ))}
    </div>
  )
}

const breadth = (freeze: Freeze): number => Number(!freeze.service) + Number(!freeze.env)

const Notice = ({ kind, children }: { kind: 'warn' | 'busy'; children: ReactNode }) => (
  <div className={`shell-notice ${kind}`} role="status">
    {children}
  </div>
)
