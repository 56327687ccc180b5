import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { count } from '../../parts/marks'
import { Nothing, Page } from '../../parts/page'
import { Filters, Summary } from './bar'
import { overviewQuery } from './data'
import { FirstSteps } from './first'
import { Matrix } from './matrix'
import './overview.css'
import { inOrder, isFiltered, pruned, readSearch, type Search } from './search'

// Only what goes wrong needs it.
const Trouble = lazy(async () => ({ default: (await import('../../parts/trouble')).Trouble }))

export function Overview() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const said = useSearch({ strict: false })
  const search = useMemo(() => readSearch(said), [said])
  const query = useInfiniteQuery(overviewQuery(search))
  const go = useCallback((next: Search) => void navigate({ to: '/', search: next, replace: true, resetScroll: true }), [navigate])
  const choose = useCallback(
    (change: { [K in keyof Search]?: Search[K] | undefined }) => go(pruned({ ...search, ...change })),
    [go, search],
  )
  const pages = query.data?.pages
  const services = useMemo(() => pages?.flatMap((page) => page.items) ?? [], [pages])
  const newest = pages?.at(-1)
  const columns = useMemo(() => {
    const all = inOrder(newest?.environments ?? [])
    return search.env === undefined ? all : all.filter((env) => env === search.env)
  }, [newest, search.env])
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const more = useMemo(
    () => (hasNextPage && !isFetchingNextPage ? () => void fetchNextPage() : undefined),
    [hasNextPage, isFetchingNextPage, fetchNextPage],
  )
  const trouble = query.isError && (
    <Suspense>
      <Trouble error={query.error} again={() => void query.refetch()} />
    </Suspense>
  )
  if (newest === undefined)
    return <Page title={t('overview:title')}>{trouble || <Outline />}</Page>
  if (newest.summary.services === 0 && !isFiltered(search))
    return (
      <Page title={t('overview:title')}>
        {trouble}
        <FirstSteps />
      </Page>
    )
  return (
    <Page title={t('overview:title')}>
      {trouble}
      <Summary summary={newest.summary} search={search} choose={choose} />
      <Filters search={search} choose={choose} clear={() => go(pruned({ sort: search.sort }))} environments={inOrder(newest.environments)} owners={newest.owners} />
      <p className="visually-hidden" aria-live="polite">
        {t('overview:found', { count: newest.matching, n: count(newest.matching) })}
      </p>
      {services.length === 0 ? (
        <section className="sheet">
          <Nothing title={t('overview:no_match')}>
            <button type="button" className="plain-button" onClick={() => go({})}>
              {t('overview:clear')}
            </button>
          </Nothing>
        </section>
      ) : (
        <div className={query.isPlaceholderData ? 'ov-busy' : undefined} aria-busy={query.isPlaceholderData}>
          <Matrix services={services} columns={columns} byOwner={search.sort === 'owner'} matching={newest.matching} more={more} />
          {hasNextPage && <div className="ov-loading">{t('waiting')}</div>}
        </div>
      )}
    </Page>
  )
}

function Outline() {
  const { t } = useTranslation()
  return (
    <div className="ov-outline" role="status" aria-label={t('waiting')}>
      {Array.from({ length: 10 }, (_, i) => (
        <div key={i} />
      ))}
    </div>
  )
}
