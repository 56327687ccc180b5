// What came of a release in an environment, as far as the rollouts tell that are known.
import type { Release, Rollout } from '../../api/schema'

export type Fate = 'waits' | 'going' | 'returning' | 'back' | 'failed' | 'aborted' | 'completed'

export interface Outcome {
  fate: Fate
  rollout: Rollout
}

const fateOf = ({ phase, kind, from }: Rollout): Fate => {
  switch (phase) {
    case 'queued':
      return 'waits'
    case 'running':
    case 'paused':
      return 'going'
    case 'failed':
      // A first release has nothing behind it, and a rollback that failed never led there.
      return from && kind !== 'rollback' ? 'back' : 'failed'
    case 'superseded':
      return 'back'
    default:
      return phase
  }
}

/** The last one; `rollouts` newest first. */
export function outcomeOf(rollouts: readonly Rollout[], digest: string, env: string): Outcome | undefined {
  for (const rollout of rollouts) {
    if (rollout.env !== env || rollout.kind === 'drill') continue
    if (rollout.to.digest === digest) return { fate: fateOf(rollout), rollout }
    if (rollout.kind !== 'rollback' || rollout.from?.digest !== digest) continue
    if (rollout.phase === 'completed') return { fate: 'back', rollout }
    if (rollout.phase === 'running' || rollout.phase === 'paused') return { fate: 'returning', rollout }
  }
  return undefined
}

const BAD = new Set<Fate>(['returning', 'back', 'failed'])

/** It went there and did not stay. */
export const isBad = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && (BAD.has(outcome.fate) || (outcome.fate === 'aborted' && outcome.rollout.started_at != null))

/** The newest that did not go wrong there; where all did, the newest. */
export const toOffer = (releases: readonly Release[], rollouts: readonly Rollout[], env: string): Release | undefined =>
  releases.find((r) => !isBad(outcomeOf(rollouts, r.digest, env))) ?? releases[0]
