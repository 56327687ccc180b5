import { type ReactNode, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import './parts.css'

/** A page's head: what it is about, and what can be done with it. */
export function Page({ title, above, actions, children }: { title: string; above?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  const { t } = useTranslation()
  useEffect(() => {
    document.title = `${title} · ${t('name')}`
  }, [title, t])
  return (
    <>
      <div className="page-head">
        <div>
          {above && <div className="page-above">{above}</div>}
          <h1>{title}</h1>
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </div>
      {children}
    </>
  )
}

export function Sheet({ title, extra, children }: { title?: ReactNode; extra?: ReactNode; children: ReactNode }) {
  return (
    <section className="sheet">
      {(title || extra) && (
        <div className="sheet-head">
          {title && <h2>{title}</h2>}
          {extra}
        </div>
      )}
      {children}
    </section>
  )
}

/** An empty list says how the first one comes to be. */
export function Nothing({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="nothing">
      <strong>{title}</strong>
      {children && <div>{children}</div>}
    </div>
  )
}
