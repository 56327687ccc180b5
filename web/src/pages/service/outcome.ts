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

/** The last one; `rollouts` newest first. Going back leaves all that came after where it leads, as the server sees it. */
export function outcomeOf(rollouts: readonly Rollout[], digest: string, env: string): Outcome | undefined {
  let away: Rollout | undefined
  for (const rollout of rollouts) {
    if (rollout.env !== env || rollout.kind === 'drill') continue
    const { to, kind, phase } = rollout
    if (to.digest === digest) {
      const fate = fateOf(rollout)
      return away && fate === 'completed' ? { fate: away.phase === 'completed' ? 'back' : 'returning', rollout: away } : { fate, rollout }
    }
    if (kind === 'rollback' && (phase === 'completed' || phase === 'running' || phase === 'paused')) away ??= rollout
    // It is older than what one went back to.
    else if (to.digest === away?.to.digest) away = undefined
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
