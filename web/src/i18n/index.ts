import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

export type Language = 'en' | 'zh'
const KEPT = 'tradewind.language'

// A file a part of the console and language; each is fetched when its part is.
const files = import.meta.glob<Record<string, unknown>>('./*/*.json', { import: 'default' })

const atFirst = (): Language => {
  const kept = localStorage.getItem(KEPT)
  if (kept === 'en' || kept === 'zh') return kept
  return navigator.languages.some((l) => l.toLowerCase().startsWith('zh')) ? 'zh' : 'en'
}

export const language = (): Language => (i18next.language === 'zh' ? 'zh' : 'en')

/** For `Intl`. */
export const locale = (): string => (language() === 'zh' ? 'zh-CN' : 'en-GB')

const tell = (lang: Language): void => {
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en'
}

export async function startWords(): Promise<void> {
  const lang = atFirst()
  i18next.use({
    type: 'backend' as const,
    init: () => {},
    read: (lng: string, space: string, done: (error: Error | null, words: Record<string, unknown> | null) => void) => {
      const file = files[`./${lng}/${space}.json`]
      if (!file) return done(new Error(`no words: ${lng}/${space}`), null)
      file().then((words) => done(null, words), (error: Error) => done(error, null))
    },
  })
  await i18next.use(initReactI18next).init({
    lng: lang,
    fallbackLng: false,
    ns: ['base'],
    defaultNS: 'base',
    interpolation: { escapeValue: false },
    react: { useSuspense: true },
  })
  tell(lang)
}

/** Words of a part, before it is shown. */
export const loadWords = (...spaces: string[]): Promise<void> => i18next.loadNamespaces(spaces)

export async function setLanguage(lang: Language): Promise<void> {
  localStorage.setItem(KEPT, lang)
  await i18next.changeLanguage(lang)
  tell(lang)
}
