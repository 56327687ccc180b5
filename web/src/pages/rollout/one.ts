import { useQueryClient } from '@tanstack/react-query'
import type { Rollout } from '../../api/schema'

/** Of one thing that can be done to a rollout. */
export interface OneProps {
  rollout: Rollout
  /** A question that is open stays, whatever becomes of the rollout meanwhile: what was typed is not lost. */
  hold: { opened: () => void; closed: () => void }
}

/** Takes the answer in at once: the event that tells of it comes within a second. */
export function useTakeIn(id: string): (answer: Rollout) => void {
  const client = useQueryClient()
  return (answer) => {
    client.setQueryData(['rollout', id], answer)
    void client.invalidateQueries({ queryKey: ['rollout', id] })
  }
}
