// What changes from one release to another, forwards or backwards.
import { ArrowRightOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FileChange, ReleaseDiff, ReleaseRef, SourceChange, SpecChange } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { ReleaseName, count } from '../../parts/marks'
import { When } from '../../parts/time'
import { type Area, areasOf, elsewhere, linesOf } from './diff'
import { Differences, Planned } from './plan'
import { type Asked, diffQuery, planQuery, sourcesQuery } from './queries'

/** What a rollout will do: how it goes, and what it changes. `from`: what goes, where something is live. */
export function Change({ service, asked, from, to }: { service: string; asked: Asked; from: ReleaseRef | undefined; to: ReleaseRef | undefined }) {
  const { t } = useTranslation()
  const plan = useQuery(planQuery(service, asked))
  const target = to ?? plan.data?.to
  return (
    <section className="change" aria-label={t('service:change.title')}>
      <h3>
        {t('service:change.title')}
        {from && target && <Way from={from} to={target} />}
      </h3>
      <Loaded of={plan} rows={3}>
        {(found) => (
          <>
            <Planned plan={found} />
            <Differences plan={found} />
          </>
        )}
      </Loaded>
      {from && target && from.digest !== target.digest && <Between service={service} env={asked.env} from={from} to={target} planned />}
    </section>
  )
}

/** Whether the server would refuse it, once its plan is shown; this asks for nothing itself. */
export function useRefused(service: string, asked: Asked): boolean {
  const { data, isPlaceholderData } = useQuery({ ...planQuery(service, asked), enabled: false })
  return !isPlaceholderData && data?.refused != null
}

/** The same of two releases, wherever they go. */
export function Comparison({ service, from, to }: { service: string; from: ReleaseRef; to: ReleaseRef }) {
  const { t } = useTranslation()
  return (
    <section className="change" aria-label={t('service:change.differs')}>
      <h3>
        {t('service:change.differs')}
        <Way from={from} to={to} />
      </h3>
      <Between service={service} from={from} to={to} />
    </section>
  )
}

const Way = ({ from, to }: { from: ReleaseRef; to: ReleaseRef }) => {
  const { t } = useTranslation()
  return (
    <span className="change-way">
      <ReleaseName release={from} />
      <ArrowRightOutlined aria-label={t('service:change.to')} />
      <ReleaseName release={to} />
    </span>
  )
}

/** `planned`: what instances are given is told by the plan already. */
function Between({ service, env, from, to, planned = false }: { service: string; env?: string; from: ReleaseRef; to: ReleaseRef; planned?: boolean }) {
  const diff = useQuery(diffQuery(service, from.label, to.label))
  return (
    <Loaded of={diff} rows={3}>
      {(found) => (
        <>
          <Commits diff={found} />
          <Spec changes={found.spec} env={env} planned={planned} />
          <Files files={found.files} />
          {found.history && <Sources service={service} from={from} to={to} />}
        </>
      )}
    </Loaded>
  )
}

const SHOWN = 12

function Commits({ diff }: { diff: ReleaseDiff }) {
  const { t } = useTranslation()
  const { history } = diff
  if (!history)
    return (
      <>
        <h4>{t('service:change.commits_unknown')}</h4>
        <p className="change-none">
          <code>{diff.from_commit.slice(0, 8)}</code> → <code>{diff.to_commit.slice(0, 8)}</code>
        </p>
      </>
    )
  const list = (commits: typeof history.added, undone: boolean) => {
    const line = (c: (typeof commits)[number]) => (
      <li key={c.commit} className={undone ? 'change-undone' : ''}>
        <span className="change-text">{c.subject || '–'}</span>{' '}
        <small>
          <code title={c.commit}>{c.commit.slice(0, 8)}</code> {c.author} · <When at={c.at} />
        </small>
      </li>
    )
    return (
      <>
        <h4>{t(undone ? 'service:change.undone' : 'service:change.commits', { count: commits.length })}</h4>
        <ul className="change-list">{commits.slice(0, SHOWN).map(line)}</ul>
        {commits.length > SHOWN && (
          <details>
            <summary>{t('service:change.more_commits', { count: commits.length - SHOWN })}</summary>
            <ul className="change-list">{commits.slice(SHOWN).map(line)}</ul>
            {history.more && <p className="change-none">{t('service:change.older')}</p>}
          </details>
        )}
      </>
    )
  }
  return (
    <>
      {history.added.length > 0 && list(history.added, false)}
      {history.undone.length > 0 && list(history.undone, true)}
      {history.added.length + history.undone.length === 0 && <p className="change-none">{t('service:change.same_commit')}</p>}
    </>
  )
}

/** What rarely decides whether one goes ahead. */
const QUIET = new Set<Area>(['strategy', 'rest'])
/** What the plan tells as it will be in the environment, after all that overrides it. */
const PLANNED = new Set<Area>(['env', 'limits', 'secrets'])

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

function Spec({ changes, env, planned }: { changes: SpecChange[]; env: string | undefined; planned: boolean }) {
  const { t } = useTranslation()
  const here = changes.filter((c) => !elsewhere(c.key, env))
  const left = changes.length - here.length
  const areas = areasOf(here).filter((a) => !planned || !PLANNED.has(a.area))
  return (
    <>
      {areas.map(({ area, changes: of }) => (
        <Part key={area} title={t(`service:change.area.${area}`, { count: of.length })} shut={QUIET.has(area) && of.length > 3}>
          <ul className="change-list">
            {of.map((c) => (
              <Value key={c.key} name={c.key} before={c.before} after={c.after} />
            ))}
          </ul>
        </Part>
      ))}
      {here.length === 0 && <p className="change-none">{t('service:change.same_spec')}</p>}
      {left > 0 && <p className="change-none">{t('service:change.elsewhere', { count: left })}</p>}
    </>
  )
}

export function Value({ name, before, after }: { name: string; before?: string | null | undefined; after?: string | null | undefined }) {
  const { t } = useTranslation()
  return (
    <li className="change-value">
      <code className="change-key">{name}</code>
      <span>
        {before !== null && before !== undefined && (
          <del>
            <span className="visually-hidden">{t('service:change.was')} </span>
            {before}
          </del>
        )}{' '}
        {after !== null && after !== undefined ? (
          <ins>
            <span className="visually-hidden">{t('service:change.becomes')} </span>
            {after}
          </ins>
        ) : (
          <em>{t('service:change.dropped')}</em>
        )}
      </span>
    </li>
  )
}

const SIGN: Record<FileChange['change'], string> = { added: '+', removed: '−', changed: '~', mode_changed: '±' }

function Sign({ change }: { change: FileChange['change'] }) {
  const { t } = useTranslation()
  return (
    <span className={`change-sign ${change}`} title={t(`service:change.file.${change}`)}>
      <span aria-hidden="true">{SIGN[change]}</span>
      <span className="visually-hidden">{t(`service:change.file.${change}`)}</span>
    </span>
  )
}

function Files({ files }: { files: FileChange[] }) {
  const { t } = useTranslation()
  if (files.length === 0) return <p className="change-none">{t('service:change.same_files')}</p>
  const line = (f: FileChange) => (
    <li key={f.path}>
      <Sign change={f.change} /> <code className="change-text">{f.path}</code> <small>{delta(f)}</small>
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

/** Read when somebody wants to see them. */
function Sources({ service, from, to }: { service: string; from: ReleaseRef; to: ReleaseRef }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const sources = useQuery({ ...sourcesQuery(service, from.label, to.label), enabled: open })
  return (
    <details className="sources" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="change-shut">{t('service:change.sources')}</summary>
      {open && (
        <Loaded of={sources} rows={5}>
          {(found) => (
            <>
              {found.files.length === 0 && <p className="change-none">{t('service:change.same_sources')}</p>}
              {found.files.map((file) => (
                <Source key={file.path} file={file} />
              ))}
              {found.more && <p className="change-none">{t('service:change.more_sources')}</p>}
            </>
          )}
        </Loaded>
      )}
    </details>
  )
}

function Source({ file }: { file: SourceChange }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const head = (
    <>
      <Sign change={file.change} /> <code>{file.path}</code> {file.binary && <small>{t('service:change.binary')}</small>}
    </>
  )
  if (file.text === null || file.text === undefined) return <p className="source">{head}</p>
  return (
    <details className="source" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{head}</summary>
      {open && (
        <div className="code-box" tabIndex={0} role="region" aria-label={file.path}>
          <pre className="patch">
            {linesOf(file.text).map((line, n) => (
              <span key={n} className={line.sort}>
                {line.text}
                {'\n'}
              </span>
            ))}
          </pre>
        </div>
      )}
      {file.cut && <p className="change-none">{t('service:change.more_sources')}</p>}
    </details>
  )
}
