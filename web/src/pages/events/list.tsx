import { useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import { Button, Skeleton } from 'antd'
import { Fragment, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { onEvent } from '../../api/live'
import type { Event } from '../../api/schema'
import { locale } from '../../i18n'
import { count } from '../../parts/marks'
import { Nothing } from '../../parts/page'
import { sayFault } from '../../parts/toast'
import { Trouble } from '../../parts/trouble'
import { type EventPage, type Filters, fits, headed } from './filters'
import { EventRow } from './row'
import { useHosts, useOpen } from './rows'

const PAGE = 50
const MOST_NEW = 200

// Not under `events`: what one reads must not move because something happened elsewhere.
const trailQuery = (filters: Filters) => ({
  queryKey: ['trail', filters],
  queryFn: ({ pageParam }: { pageParam: string | undefined }): Promise<EventPage> => read(filters, PAGE, pageParam),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page: EventPage) => page.next ?? undefined,
  staleTime: Number.POSITIVE_INFINITY,
  refetchOnWindowFocus: false,
  gcTime: 0,
})

const read = (filters: Filters, limit: number, after?: string): Promise<EventPage> =>
  got(api.GET('/api/v1/events', { params: { query: { ...filters, order: 'newest', limit, ...(after !== undefined && { after }) } } }))

export function Trail({ filters, seen }: { filters: Filters; /** Told what is shown. */ seen: (events: Event[]) => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const hosts = useHosts()
  const query = trailQuery(filters)
  const trail = useInfiniteQuery(query)
  const [fresh, setFresh] = useState(0)
  const [open, toggle] = useOpen()
  const [fetching, setFetching] = useState(false)
  const newest = useRef(0)
  const events = trail.data?.pages.flatMap((p) => p.items) ?? []
  newest.current = Math.max(newest.current, events[0]?.seq ?? 0)

  useEffect(
    () =>
      onEvent((event) => {
        if (event.seq > newest.current && fits(event, filters)) setFresh((n) => n + 1)
      }),
    [filters],
  )
  const shown = useRef(seen)
  shown.current = seen
  useEffect(() => shown.current(events), [trail.data])

  const showNew = async (): Promise<void> => {
    setFetching(true)
    try {
      const page = await read(filters, MOST_NEW)
      setFresh(0)
      client.setQueryData<InfiniteData<EventPage, string | undefined>>(query.queryKey, (old) => old && headed(old, page))
    } catch (error) {
      sayFault(error)
    } finally {
      setFetching(false)
    }
  }

  const end = useRef<HTMLDivElement>(null)
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = trail
  const loaded = trail.data?.pages.length ?? 0
  useEffect(() => {
    if (!end.current || !hasNextPage || isFetchingNextPage || isFetchNextPageError) return
    const near = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage(), { rootMargin: '600px' })
    near.observe(end.current)
    return () => near.disconnect()
    // Once a page: what is shown of it may be little, and then the end is still in sight.
  }, [loaded, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage])

  if (trail.isPending) return <Skeleton active title={false} paragraph={{ rows: 10 }} />
  if (trail.isError && events.length === 0) return <Trouble error={trail.error} again={() => void trail.refetch()} />
  const day = new Intl.DateTimeFormat(locale(), { dateStyle: 'full' })
  let before = ''
  return (
    <>
      <div className="events-new" aria-live="polite">
        {fresh > 0 && (
          <Button shape="round" loading={fetching} onClick={() => void showNew()}>
            {t('events:new', { count: fresh, n: count(fresh) })}
          </Button>
        )}
      </div>
      {events.length === 0 && !hasNextPage ? (
        <Nothing title={t(Object.keys(filters).length ? 'events:none_found' : 'events:none')}>
          {t(Object.keys(filters).length ? 'events:none_found_how' : 'events:none_how')}
        </Nothing>
      ) : (
        <ol className="events-list">
          {events.map((event) => {
            const date = day.format(new Date(event.at))
            const heads = date !== before
            before = date
            return (
              <Fragment key={event.seq}>
                {heads && <li className="events-day"><h2>{date}</h2></li>}
                <EventRow event={event} hosts={hosts} open={open.has(event.seq)} toggle={toggle} />
              </Fragment>
            )
          })}
        </ol>
      )}
      <div ref={end} className="events-end">
        {isFetchNextPageError ? (
          <Trouble error={trail.error} again={() => void fetchNextPage()} />
        ) : hasNextPage ? (
          <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t('more')}
          </Button>
        ) : (
          events.length > 0 && <span className="event-soft">{t('events:end')}</span>
        )}
      </div>
    </>
  )
}
