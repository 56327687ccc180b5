// What changes from one release to another, forwards or backwards.
import { ArrowRightOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { FileChange, ReleaseDiff, ReleaseRef, SpecChange } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { ReleaseName, count } from '../../parts/marks'
import { type Area, areasOf, between, elsewhere } from './diff'
import { diffQuery, releasesQuery } from './queries'

/** `env`: what concerns other environments alone is left out. */
export function Change({ service, env, from, to }: { service: string; env?: string; from: ReleaseRef; to: ReleaseRef }) {
  const { t } = useTranslation()
  const diff = useQuery(diffQuery(service, from.label, to.label))
  return (
    <section className="change" aria-label={t('service:change.title')}>
      <h3>
        {t('service:change.title')}
        <span className="change-way">
          <ReleaseName release={from} />
          <ArrowRightOutlined aria-label={t('service:change.to')} />
          <ReleaseName release={to} />
        </span>
      </h3>
      <Loaded of={diff} rows={3}>
        {(found) => (
          <>
            <Commits service={service} diff={found} />
            <Spec changes={found.spec} env={env} />
            <Files files={found.files} />
          </>
        )}
      </Loaded>
    </section>
  )
}

function Commits({ service, diff }: { service: string; diff: ReleaseDiff }) {
  const { t } = useTranslation()
  const releases = useInfiniteQuery(releasesQuery(service))
  const known = releases.data?.pages.flatMap((p) => p.items) ?? []
  const { back, items, whole } = between(known, diff.from, diff.to)
  return (
    <>
      <h4>{back ? t('service:change.undone', { count: items.length }) : t('service:change.commits', { count: items.length })}</h4>
      {items.length === 0 ? (
        <p className="change-none">
          <code>{diff.from_commit.slice(0, 8)}</code> → <code>{diff.to_commit.slice(0, 8)}</code>
        </p>
      ) : (
        <ul className="change-list">
          {items.map((release) => (
            <li key={release.digest} className={back ? 'change-undone' : ''}>
              <strong>{release.label}</strong> <span className="change-text">{release.title ?? '–'}</span>{' '}
              <small>
                <code>{release.commit.slice(0, 8)}</code> {release.created_by}
              </small>
            </li>
          ))}
          {!whole && <li className="change-none">{t('service:change.older')}</li>}
        </ul>
      )}
    </>
  )
}

/** What rarely decides whether one goes ahead. */
const QUIET = new Set<Area>(['strategy', 'rest'])

const Part = ({ title, shut, children }: { title: string; shut: boolean; children: ReactNode }) =>
  shut ? (
    <details>
      <summary className="change-shut">{title}</summary>
      {children}
    </details>
  ) : (
    <div>
      <h4>{title}</h4>
      {children}
    </div>
  )

function Spec({ changes, env }: { changes: SpecChange[]; env: string | undefined }) {
  const { t } = useTranslation()
  const here = changes.filter((c) => !elsewhere(c.key, env))
  const left = changes.length - here.length
  return (
    <>
      {areasOf(here).map(({ area, changes: of }) => (
        <Part key={area} title={t(`service:change.area.${area}`, { count: of.length })} shut={QUIET.has(area) && of.length > 3}>
          <ul className="change-list">
            {of.map((c) => (
              <li key={c.key} className="change-value">
                <code className="change-key">{c.key}</code>
                <span>
                  {c.before !== null && c.before !== undefined && (
                    <del>
                      <span className="visually-hidden">{t('service:change.was')} </span>
                      {c.before}
                    </del>
                  )}{' '}
                  {c.after !== null && c.after !== undefined ? (
                    <ins>
                      <span className="visually-hidden">{t('service:change.becomes')} </span>
                      {c.after}
                    </ins>
                  ) : (
                    <em>{t('service:change.dropped')}</em>
                  )}
                </span>
              </li>
            ))}
          </ul>
        </Part>
      ))}
      {here.length === 0 && <p className="change-none">{t('service:change.same_spec')}</p>}
      {left > 0 && <p className="change-none">{t('service:change.elsewhere', { count: left })}</p>}
    </>
  )
}

const SHOWN = 12
const SIGN: Record<FileChange['change'], string> = { added: '+', removed: '−', changed: '~', mode_changed: '±' }

function Files({ files }: { files: FileChange[] }) {
  const { t } = useTranslation()
  if (files.length === 0) return <p className="change-none">{t('service:change.same_files')}</p>
  const line = (f: FileChange) => (
    <li key={f.path}>
      <span className={`change-sign ${f.change}`} title={t(`service:change.file.${f.change}`)}>
        <span aria-hidden="true">{SIGN[f.change]}</span>
        <span className="visually-hidden">{t(`service:change.file.${f.change}`)}</span>
      </span>{' '}
      <code className="change-text">{f.path}</code> <small>{delta(f)}</small>
    </li>
  )
  return (
    <>
      <h4>{t('service:change.files', { count: files.length })}</h4>
      <ul className="change-list">{files.slice(0, SHOWN).map(line)}</ul>
      {files.length > SHOWN && (
        <details>
          <summary>{t('service:change.more_files', { count: files.length - SHOWN })}</summary>
          <ul className="change-list">{files.slice(SHOWN, 1_000).map(line)}</ul>
          {files.length > 1_000 && <p className="change-none">{t('service:change.too_many', { count: files.length - 1_000 })}</p>}
        </details>
      )}
    </>
  )
}

const delta = (f: FileChange): string => {
  const by = (f.after_bytes ?? 0) - (f.before_bytes ?? 0)
  return by === 0 ? '' : `${by > 0 ? '+' : '−'}${count(Math.abs(by))} B`
}
