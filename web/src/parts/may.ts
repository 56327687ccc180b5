import { useQuery } from '@tanstack/react-query'
import { meQuery } from '../api/queries'

export type Action =
  | 'read' | 'read_logs' | 'read_audit' | 'push' | 'run' | 'deploy' | 'revert' | 'steer' | 'freeze' | 'approve' | 'secrets' | 'policy'
  | 'access' | 'system'

/** Whether who is signed in may do it somewhere; the server says for each thing, and refuses with a reason. */
export function useMay(): (action: Action) => boolean {
  const { data: me } = useQuery(meQuery)
  return (action) => me?.actions.includes(action) ?? false
}
