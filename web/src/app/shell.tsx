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
import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { ConfigProvider, theme } from 'antd'
import type { Locale } from 'antd/es/locale'
import { lazy, type ReactNode, Suspense, useEffect, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, rememberCsrf } from '../api/client'
import { follow, useFreshness } from '../api/live'
import { freezesQuery, meQuery } from '../api/queries'
import { language, setLanguage } from '../i18n'
import { When } from '../parts/time'
import { Toasts } from '../parts/toast'
import { setLook, useDark } from './look'
import './shell.css'

const Commands = lazy(() => import('./commands'))

const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? ''

export function Shell() {
  const dark = useDark()
  const { i18n } = useTranslation()
  const [locale, setLocale] = useState<Locale>()
  useEffect(() => {
    // antd's own words; it speaks English until they are here.
    const words = i18n.language === 'zh' ? import('antd/locale/zh_CN') : import('antd/locale/en_US')
    void words.then((module) => setLocale(module.default))
  }, [i18n.language])
  return (
    <ConfigProvider
      {...(locale ? { locale } : {})}
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
  useEffect(() => follow(client), [client])
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        setCommands(true)
      }
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])

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
          <Commands close={() => setCommands(false)} />
        </Suspense>
      )}
    </div>
  )
}

function Who() {
  const { t } = useTranslation()
  const { data: me } = useQuery(meQuery)
  const navigate = useNavigate()
  const client = useQueryClient()
  const dark = useDark()
  const leave = async (): Promise<void> => {
    await api.DELETE('/api/v1/session').catch(() => {})
    rememberCsrf(null)
    client.clear()
    await navigate({ to: '/login' })
  }
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
  const on = freezes?.items ?? []
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
            {t('frozen', { count: on.length, who: freeze.by, why: freeze.reason })}
          </Link>
        </Notice>
      ))}
    </div>
  )
}

const Notice = ({ kind, children }: { kind: 'warn' | 'busy'; children: ReactNode }) => (
  <div className={`shell-notice ${kind}`} role="status">
    {children}
  </div>
)
