// What this page reads beyond what all pages share.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, got } from '../../api/client'
import { whole } from '../../api/queries'
import type { Freeze, Secret } from '../../api/schema'

const RELEASES = 50
const A_PAGE = 25

const page = <T>(answer: { items: T[]; next?: string | null }) => ({ items: answer.items, next: answer.next ?? undefined })

/** `after` only where there is one: the server takes no empty cursor. */
const paged = (limit: number, after: string) => ({ limit, ...(after !== '' && { after }) })

export const releasesQuery = (service: string) =>
  infiniteQueryOptions({
    queryKey: ['service', service, 'releases'],
    queryFn: async ({ pageParam }) =>
      page(
        await got(
          api.GET('/api/v1/services/{service}/releases', { params: { path: { service }, query: paged(RELEASES, pageParam) } }),
        ),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })

export const rolloutsQuery = (service: string, env: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['service', service, 'rollouts', env ?? ''],
    queryFn: async ({ pageParam }) =>
      page(
        await got(
          api.GET('/api/v1/services/{service}/rollouts', {
            params: { path: { service }, query: { ...paged(A_PAGE, pageParam), ...(env !== undefined && { env }) } },
          }),
        ),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  })

export const runsQuery = (service: string, state: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['service', service, 'runs', state],
    queryFn: async ({ pageParam }) => {
      // Of one state a page may be empty and others behind it.
      for (let after = pageParam; ; ) {
        const query = { ...paged(A_PAGE, after), ...(state && { state }) }
        const found = page(await got(api.GET('/api/v1/services/{service}/runs', { params: { path: { service }, query } })))
        if (found.items.length > 0 || found.next === undefined) return found
        after = found.next
      }
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })

/** Where an environment can be rolled back to, and why not elsewhere. */
export const waysBackQuery = (service: string, env: string) =>
  queryOptions({
    queryKey: ['service', service, 'ways', env],
    queryFn: () => got(api.GET('/api/v1/services/{service}/rollback', { params: { path: { service }, query: { env } } })),
  })

export const releaseQuery = (service: string, release: string) =>
  queryOptions({
    // A release never changes; only where it is live does, and that is not read from here.
    queryKey: ['release', service, release],
    queryFn: () =>
      got(api.GET('/api/v1/services/{service}/releases/{release}', { params: { path: { service, release } } })),
    staleTime: Infinity,
  })

export const diffQuery = (service: string, from: string, to: string) =>
  queryOptions({
    queryKey: ['diff', service, from, to],
    queryFn: () =>
      got(api.GET('/api/v1/services/{service}/diff', { params: { path: { service }, query: { from, to } } })),
    staleTime: Infinity,
  })

/** The same with what differs in the sources, as text. */
export const sourcesQuery = (service: string, from: string, to: string) =>
  queryOptions({
    queryKey: ['diff', service, from, to, 'text'],
    queryFn: async () => {
      const diff = await got(api.GET('/api/v1/services/{service}/diff', { params: { path: { service }, query: { from, to, text: true } } }))
      return diff.sources ?? { files: [], more: false }
    },
    staleTime: Infinity,
  })

/** What is asked for: a release or what is live elsewhere to an environment, or the way back. */
export interface Asked {
  env: string
  release?: string
  from?: string
  kind?: 'normal' | 'hotfix' | 'rollback'
}

/** What a rollout would do; under the service's key, for it depends on all that happens there. */
export const planQuery = (service: string, asked: Asked) =>
  queryOptions({
    queryKey: ['service', service, 'plan', asked],
    queryFn: () => got(api.GET('/api/v1/services/{service}/plan', { params: { path: { service }, query: asked } })),
    placeholderData: keepPreviousData,
  })

/** All secrets whose scope can reach this service. */
export const secretsQuery = (service: string) =>
  queryOptions({
    queryKey: ['service', service, 'secrets'],
    queryFn: () => whole((after) => got(api.GET('/api/v1/secrets', { params: { query: { ...paged(200, after ?? ''), service } } }))),
  })

export const versionsQuery = (service: string, secret: Secret) =>
  queryOptions({
    queryKey: ['service', service, 'secrets', secret.id, 'versions'],
    queryFn: () =>
      got(
        api.GET('/api/v1/secrets/{secret}/versions', {
          params: { path: { secret: secret.name }, query: scopeOf(secret) },
        }),
      ),
  })

export const scopeOf = ({ scope }: Secret) => ({
  ...(scope.service && { service: scope.service }),
  ...(scope.env && { env: scope.env }),
  ...(scope.site && { site: scope.site }),
})

/** `null`: it is not linked. */
export const forgeQuery = (service: string) =>
  queryOptions({
    queryKey: ['service', service, 'forge'],
    queryFn: async () => {
      // Not by its own address: what is not there is an error to a browser.
      const { items } = await got(api.GET('/api/v1/forges', { params: { query: { service } } }))
      return items[0] ?? null
    },
  })

/** Several places may name the same one. */
export const distinct = (freezes: Freeze[]): Freeze[] => [...new Map(freezes.map((f) => [f.id, f])).values()]

/** Rollouts that have not begun, oldest first. */
export const waitingQuery = (service: string, env: string) =>
  queryOptions({
    queryKey: ['service', service, 'waiting', env],
    queryFn: async () => {
      const { items } = await got(api.GET('/api/v1/services/{service}/rollouts', { params: { path: { service }, query: { env, limit: 25 } } }))
      return items.filter((r) => r.phase === 'queued').reverse()
    },
  })
