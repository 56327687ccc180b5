import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query'
import { api, got } from '../../api/client'
import type { Search } from './search'

/** Enough for the tallest screen, so that the first page is there soon. */
const FIRST = 60
const NEXT = 200

export const overviewQuery = (search: Search) =>
  infiniteQueryOptions({
    queryKey: ['overview', 'services', search],
    queryFn: ({ pageParam }) =>
      got(
        api.GET('/api/v1/overview', {
          params: { query: { ...search, ...(pageParam === undefined ? { limit: FIRST } : { after: pageParam, limit: NEXT }) } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  })
