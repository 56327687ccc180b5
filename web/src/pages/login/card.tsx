import type { InputHTMLAttributes, ReactNode, Ref } from 'react'
import { useTranslation } from 'react-i18next'
import { Refused } from '../../api/problem'
import { language, setLanguage } from '../../i18n'
import '../../app/plain.css'

export function Card({ title, children }: { title: string; children: ReactNode }) {
  useTranslation()
  return (
    <>
      <main className="plain-card">
        <h1>
          <img src="/mark.svg" alt="" />
          {title}
        </h1>
        {children}
      </main>
      <Languages />
    </>
  )
}

function Languages() {
  return (
    <div className="plain-foot">
      {(['zh', 'en'] as const).map((lang) => (
        <button
          key={lang}
          type="button"
          lang={lang === 'zh' ? 'zh-CN' : 'en'}
          aria-pressed={language() === lang}
          onClick={() => void setLanguage(lang)}
        >
          {lang === 'zh' ? '\u4e2d\u6587' : 'English'}
        </button>
      ))}
    </div>
  )
}

export function Field({
  label,
  hint,
  ref,
  ...input
}: { label: string; hint?: string; ref?: Ref<HTMLInputElement> } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="plain-field">
      <span>{label}</span>
      <input ref={ref} {...input} />
      {hint && <small>{hint}</small>}
    </label>
  )
}

export function Fault({ error }: { error: unknown }) {
  const { t } = useTranslation()
  if (!error) return null
  const [title, fix] =
    error instanceof Refused ? [error.problem.title, error.problem.fix] : [t('broken.unreachable'), t('broken.unreachable_fix')]
  return (
    <div className="plain-fault" role="alert">
      <strong>{title}</strong>
      {fix}
    </div>
  )
}
