// What is read, and under which key it is kept. Keys begin with what events are about (see `live.ts`).
import { QueryClient, queryOptions } from '@tanstack/react-query'
import { api, got, rememberCsrf } from './client'
import { mayPass } from './problem'

export const makeClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        // Events say when something changed; this is for what was missed all the same.
        staleTime: 30_000,
        retry: (times, error) => mayPass(error) && times < 3,
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  })

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async () => {
    const me = await got(api.GET('/api/v1/me'))
    rememberCsrf(me.csrf)
    return me
  },
  staleTime: 60_000,
})

export const versionQuery = queryOptions({
  queryKey: ['version'],
  queryFn: () => got(api.GET('/api/v1/version')),
  staleTime: Infinity,
})

export const freezesQuery = queryOptions({ queryKey: ['freezes'], queryFn: () => got(api.GET('/api/v1/freezes')) })

export const serviceQuery = (service: string) =>
  queryOptions({
    queryKey: ['service', service],
    queryFn: () => got(api.GET('/api/v1/services/{service}', { params: { path: { service } } })),
  })

/** What runs in each place of a service. */
export const placesQuery = (service: string) =>
  queryOptions({
    queryKey: ['service', service, 'places'],
    queryFn: async () => (await got(api.GET('/api/v1/status', { params: { query: { service } } }))).items,
  })

export const rolloutQuery = (rollout: string) =>
  queryOptions({
    queryKey: ['rollout', rollout],
    queryFn: () => got(api.GET('/api/v1/rollouts/{rollout}', { params: { path: { rollout } } })),
  })

export const runQuery = (run: string) =>
  queryOptions({
    queryKey: ['run', run],
    queryFn: () => got(api.GET('/api/v1/runs/{run}', { params: { path: { run } } })),
  })

/** A list that is short enough to be read whole, page by page. */
export async function whole<T>(read: (after: string | undefined) => Promise<{ items: T[]; next?: string | null }>): Promise<T[]> {
  const all: T[] = []
  let after: string | undefined
  do {
    const page = await read(after)
    all.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined)
  return all
}

/** What some words find, over all services; a few of each kind. */
export const searchQuery = (words: string) =>
  queryOptions({
    queryKey: ['overview', 'search', words],
    queryFn: () => got(api.GET('/api/v1/search', { params: { query: { q: words.slice(0, 200), limit: 8 } } })),
  })

export const servicesQuery = queryOptions({
  queryKey: ['service', '', 'all'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/services', { params: { query: { limit: 200, ...(after && { after }) } } }))),
})
