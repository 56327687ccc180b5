import { queryOptions } from '@tanstack/react-query'
import { api, got, tagged } from '../../api/client'
import { whole } from '../../api/queries'

const page = (after: string | undefined) => ({ params: { query: { limit: 200, ...(after && { after }) } } })

export const usersQuery = queryOptions({
  queryKey: ['people', 'users'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/users', page(after)))),
})

export const groupsQuery = queryOptions({
  queryKey: ['people', 'groups'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/groups', page(after)))),
})

export const grantsQuery = queryOptions({
  queryKey: ['people', 'grants'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/grants', page(after)))),
})

export const invitationsQuery = queryOptions({
  queryKey: ['people', 'invitations'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/invitations', page(after)))),
})

export const tokensQuery = queryOptions({
  queryKey: ['people', 'tokens'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/tokens', page(after)))),
})

export const accessPolicyQuery = queryOptions({
  queryKey: ['people', 'access'],
  queryFn: () => tagged(api.GET('/api/v1/access-policy')),
})

export const policyQuery = (env: string) =>
  queryOptions({
    queryKey: ['policies', env],
    queryFn: () => tagged(api.GET('/api/v1/environments/{env}/policy', { params: { path: { env } } })),
  })
