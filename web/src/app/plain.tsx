// What is shown before, or in place of, a page. Without antd: it may be all that could be fetched.
import { useTranslation } from 'react-i18next'
import { Refused, Unreachable } from '../api/problem'
import { Ticked } from '../parts/ticked'
import './plain.css'

export function Waiting() {
  const { t } = useTranslation()
  return (
    <div className="plain" role="status">
      <span className="plain-spin" aria-hidden="true" />
      <span className="visually-hidden">{t('waiting')}</span>
    </div>
  )
}

/** `undefined`: there is no such page. */
export function Broken({ error, reset }: { error: unknown; reset?: () => void }) {
  const { t } = useTranslation()
  const again = (): void => (reset ? reset() : location.reload())
  const [title, fix] =
    error === undefined
      ? [t('broken.no_page'), t('broken.no_page_fix')]
      : error instanceof Refused
        ? [error.problem.title, error.problem.fix]
        : error instanceof Unreachable || error instanceof TypeError
          ? [t('broken.unreachable'), t('broken.unreachable_fix')]
          : [t('broken.own'), error instanceof Error ? error.message : String(error)]
  return (
    <main className="plain" role="alert">
      <h1>
        <Ticked text={title} />
      </h1>
      <p>
        <Ticked text={fix} />
      </p>
      <p className="plain-do">
        <a className="plain-button" href="/">
          {t('broken.home')}
        </a>
        {error !== undefined && (
          <button type="button" className="plain-button" onClick={again}>
            {t('broken.again')}
          </button>
        )}
      </p>
    </main>
  )
}
