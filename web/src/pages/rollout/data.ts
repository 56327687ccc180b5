// What the page reads beside the rollout itself. Keys begin with the rollout's, so an event of it renews them all.
import { queryOptions } from '@tanstack/react-query'
import { api, got } from '../../api/client'
import type { Event, Rollout } from '../../api/schema'

/** Evidence is no event: it comes each second while clients are counted, so a live judgement has to be asked for. */
const JUDGEMENT_EVERY_MS = 2_000
const PAGE = 200
/** A rollout writes tens of events; this is against one that was stepped through for days. */
const MOST_PAGES = 10

export const judgementQuery = (rollout: string, live: boolean) =>
  queryOptions({
    queryKey: ['rollout', rollout, 'judgement'],
    queryFn: () => got(api.GET('/api/v1/rollouts/{rollout}/judgement', { params: { path: { rollout } } })),
    refetchInterval: live ? JUDGEMENT_EVERY_MS : false,
  })

/** Events have no filter for what they are about: those of the place while the rollout lasted, and of them its own. */
export const rolloutEventsQuery = ({ id, service, env, created_at, finished_at }: Rollout) =>
  queryOptions({
    queryKey: ['rollout', id, 'events', finished_at ?? null],
    queryFn: async (): Promise<Event[]> => {
      const all: Event[] = []
      let after: string | undefined
      const until = finished_at ? new Date(Date.parse(finished_at) + 1_000).toISOString() : undefined
      for (let page = 0; page < MOST_PAGES; page++) {
        const query = { service, env, kind: 'rollout.', since: created_at, limit: PAGE, ...(until && { until }), ...(after && { after }) }
        const read = await got(api.GET('/api/v1/events', { params: { query } }))
        all.push(...read.items.filter((event) => event.subject === `rollout/${id}`))
        after = read.next ?? undefined
        if (after === undefined) break
      }
      return all
    },
  })
