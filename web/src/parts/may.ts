import { useQuery } from '@tanstack/react-query'
import { meQuery } from '../api/queries'
import type { Reach } from '../api/schema'

export type Action =
  | 'read' | 'read_logs' | 'read_audit' | 'push' | 'run' | 'deploy' | 'revert' | 'steer' | 'freeze' | 'approve' | 'secrets' | 'policy'
  | 'access' | 'system'

/** What it would be done to: this one, `*` for all of them, or left out where it is about none in particular. */
export interface Thing {
  service?: string | null | undefined
  env?: string | null | undefined
  site?: string | null | undefined
}

/** The installation as a whole. */
export const EVERYTHING: Thing = { service: '*', env: '*', site: '*' }

const within = (asked: string | null | undefined, bound: string | null | undefined): boolean => !bound || !asked || asked === bound

/** Whether what somebody has reaches there; as the server decides it. */
export const allows = (reach: readonly Reach[], action: Action, { service, env, site }: Thing = {}): boolean =>
  reach.some((one) => one.actions.includes(action) && within(service, one.service) && within(env, one.env) && within(site, one.site))

/** Whether who is signed in may do it to a thing, or, where none is named, somewhere. The server decides anew, and refuses with a reason. */
export function useMay(): (action: Action, thing?: Thing) => boolean {
  const { data: me } = useQuery(meQuery)
  return (action, thing) => allows(me?.reach ?? [], action, thing)
}
