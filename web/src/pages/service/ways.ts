// Where one can go back to, as the server says it.
import type { Release, ReleaseRef, ReleaseStand, WaysBack } from '../../api/schema'

export const atEnv = (release: Release, env: string): ReleaseStand[] => (release.stands ?? []).filter((s) => s.env === env)

/** What a rollback without a name leads to, where all sites that are led somewhere agree on it. */
export function goesBackTo(ways: WaysBack): ReleaseRef | undefined {
  const to = ways.sites.flatMap((s) => (s.to ? [s.to] : []))
  return to.every((r) => r.digest === to[0]?.digest) ? to[0] : undefined
}
