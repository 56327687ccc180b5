import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api, rememberCsrf } from '../api/client'

/** Ends the session here and on the server; nothing that was read stays. */
export function useLeave(): () => Promise<void> {
  const client = useQueryClient()
  const navigate = useNavigate()
  return async () => {
    await api.DELETE('/api/v1/session').catch(() => {})
    rememberCsrf(null)
    client.clear()
    await navigate({ to: '/login' })
  }
}
