import { queryOptions } from '@tanstack/react-query'
import { api, got } from '../../api/client'
import { whole } from '../../api/queries'

const page = (after: string | undefined) => ({ params: { query: { limit: 200, ...(after && { after }) } } })

export const hostsQuery = queryOptions({
  queryKey: ['hosts', 'all'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/hosts', page(after)))),
})

/** What runs everywhere, with its instances. */
export const everywhereQuery = queryOptions({
  queryKey: ['overview', 'everywhere'],
  queryFn: async () => (await got(api.GET('/api/v1/status'))).items,
})

export const certificatesQuery = queryOptions({
  queryKey: ['certificates', 'all'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/certificates', page(after)))),
})

export const forgesQuery = queryOptions({
  queryKey: ['service', '', 'forges'],
  queryFn: () => whole((after) => got(api.GET('/api/v1/forges', page(after)))),
})

export const auditQuery = queryOptions({ queryKey: ['audit', 'status'], queryFn: () => got(api.GET('/api/v1/audit/status')) })

export const checkpointsQuery = queryOptions({
  queryKey: ['audit', 'checkpoints'],
  queryFn: async () => (await got(api.GET('/api/v1/audit/checkpoints', { params: { query: { limit: 10 } } }))).items,
})

export const backupsQuery = queryOptions({
  queryKey: ['system', 'backups'],
  queryFn: async () => (await got(api.GET('/api/v1/events', { params: { query: { kind: 'admin.', order: 'newest', limit: 50 } } }))).items,
})

export const planeQuery = queryOptions({
  queryKey: ['system', 'plane'],
  queryFn: () => got(api.GET('/api/v1/plane')),
  // No event says that the store is slow, or that a loop hangs.
  refetchInterval: 15_000,
})

export const storageQuery = queryOptions({ queryKey: ['system', 'storage'], queryFn: () => got(api.GET('/api/v1/storage')) })

export const backupStateQuery = queryOptions({ queryKey: ['system', 'backups', 'state'], queryFn: () => got(api.GET('/api/v1/backups')) })
