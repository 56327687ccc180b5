// What one can go back to: the same reckoning as the server's, over the rollouts that completed. Going back forgets what
// came after, so that going back twice goes further back.
import type { PlaceStatus, ReleaseRef, Rollout } from '../../api/schema'

export interface Track {
  /** What completed at a place and was not left by going back, oldest first; the last is live. */
  kept: ReleaseRef[]
  /** What completed once, and was left by going back. */
  left: ReleaseRef[]
  /** From the first rollout on; otherwise there may be more before. */
  whole: boolean
}

const same = (a: ReleaseRef, b: ReleaseRef): boolean => a.digest === b.digest

/** Of rollouts as they are listed: newest first. */
export function trackOf(rollouts: Rollout[], site: string, whole: boolean): Track {
  let kept: ReleaseRef[] = []
  let left: ReleaseRef[] = []
  for (const rollout of [...rollouts].reverse()) {
    const here = rollout.sites.find((s) => s.site === site)
    if (rollout.phase !== 'completed' || !here) continue
    const to = here.to
    if (rollout.kind === 'rollback') {
      const at = kept.findIndex((r) => same(r, to))
      // It lies before the first that is known: all that is known came after it.
      const gone = at < 0 ? kept : kept.slice(at + 1)
      left = [...left.filter((r) => !gone.some((g) => same(g, r)) && !same(r, to)), ...gone]
      kept = at < 0 ? [to] : kept.slice(0, at + 1)
    } else {
      kept = [...kept.filter((r) => !same(r, to)), to]
      left = left.filter((r) => !same(r, to))
    }
  }
  return { kept, left, whole }
}

/** `left`: completed here once, but one went back from it. `never`: it did not complete here. */
export type Stand = 'live' | 'warm' | 'cold' | 'left' | 'never' | 'unknown'

/** Where a release stands at a place, as to going back to it. */
export function standOf(release: ReleaseRef, place: PlaceStatus, track: Track | undefined): Stand {
  if (place.release && same(release, place.release)) return 'live'
  if (!track || !agrees(place, track)) return 'unknown'
  if (track.kept.some((r) => same(r, release)))
    return place.warm && same(place.warm.release, release) ? 'warm' : 'cold'
  if (track.left.some((r) => same(r, release))) return 'left'
  return track.whole ? 'never' : 'unknown'
}

/** Whether what was reckoned is what the server says is live. */
const agrees = (place: PlaceStatus, track: Track): boolean => {
  const last = track.kept.at(-1)
  return place.release ? last !== undefined && same(last, place.release) : last === undefined
}

/** What a rollback without a target leads to; `undefined`: the server alone can say. */
export function previousAt(place: PlaceStatus, track: Track | undefined): ReleaseRef | null | undefined {
  if (!track || !agrees(place, track)) return undefined
  const before = track.kept.at(-2)
  return before ?? (track.whole ? null : undefined)
}

/** What can be gone back to at a place, newest first, without what is live. */
export const targetsAt = (place: PlaceStatus, track: Track | undefined): ReleaseRef[] =>
  track && agrees(place, track) ? track.kept.slice(0, -1).reverse() : []
