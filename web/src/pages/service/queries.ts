// What this page reads beyond what all pages share.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, got } from '../../api/client'
import { isRefused } from '../../api/problem'
import type { Freeze, PlaceStatus, Rollout, Secret } from '../../api/schema'

const RELEASES = 50
const A_PAGE = 25
/** How far back what completed is traced. */
const TRACED = 100

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

export const runsQuery = (service: string) =>
  infiniteQueryOptions({
    queryKey: ['service', service, 'runs'],
    queryFn: async ({ pageParam }) =>
      page(
        await got(api.GET('/api/v1/services/{service}/runs', { params: { path: { service }, query: paged(A_PAGE, pageParam) } })),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })

/** What was rolled out to an environment, newest first. It is asked for anew only when something else is live there. */
export const pastQuery = (service: string, env: string, places: PlaceStatus[]) =>
  queryOptions({
    queryKey: ['past', service, env, ...places.filter((p) => p.env === env).map((p) => p.revision ?? '')],
    queryFn: async (): Promise<{ rollouts: Rollout[]; whole: boolean }> => {
      const answer = await got(
        api.GET('/api/v1/services/{service}/rollouts', { params: { path: { service }, query: { env, limit: TRACED } } }),
      )
      return { rollouts: answer.items, whole: !answer.next }
    },
    staleTime: Infinity,
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

/** All secrets whose scope can reach this service. */
export const secretsQuery = (service: string) =>
  queryOptions({
    queryKey: ['service', service, 'secrets'],
    queryFn: async () => {
      const found: Secret[] = []
      let after = ''
      do {
        const answer = await got(api.GET('/api/v1/secrets', { params: { query: paged(200, after) } }))
        found.push(...answer.items.filter((s) => !s.scope.service || s.scope.service === service))
        after = answer.next ?? ''
      } while (after !== '')
      return found
    },
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

const NOT_LINKED = 'TW-FORGE-001'

/** `null`: it is not linked. */
export const forgeQuery = (service: string) =>
  queryOptions({
    queryKey: ['service', service, 'forge'],
    queryFn: async () => {
      try {
        return await got(api.GET('/api/v1/services/{service}/forge', { params: { path: { service } } }))
      } catch (error) {
        if (isRefused(error, 404) && error.problem.code === NOT_LINKED) return null
        throw error
      }
    },
  })

/** Several places may name the same one. */
export const distinct = (freezes: Freeze[]): Freeze[] => [...new Map(freezes.map((f) => [f.id, f])).values()]
