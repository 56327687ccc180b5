// Several sites told as one.
import type { Health, OverviewSite } from '../../api/schema'
import { HEALTHS } from './search'

export interface Folded {
  /** The worst there is. */
  health: Health
  reason: string | null | undefined
  /** Labels with how many sites are on each, most first; the empty label stands for nothing live. */
  releases: { label: string; sites: number }[]
  /** When one of them changed last. */
  since: string | null | undefined
  /** Sites whose traffic goes to more than one release. */
  split: number
}

export function folded(sites: readonly OverviewSite[]): Folded {
  const health = HEALTHS.find((h) => sites.some((site) => site.health === h)) ?? 'empty'
  const counts = new Map<string, number>()
  for (const site of sites) {
    const label = site.release?.label ?? ''
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }
  const releases = [...counts].map(([label, n]) => ({ label, sites: n })).sort((a, b) => b.sites - a.sites || a.label.localeCompare(b.label))
  const since = sites.map((site) => site.since ?? '').reduce((a, b) => (Date.parse(a) > Date.parse(b) || !b ? a : b), '')
  return {
    health,
    reason: sites.find((site) => site.health === health)?.reason,
    releases,
    since: since || null,
    split: sites.filter((site) => site.traffic.length > 1).length,
  }
}
