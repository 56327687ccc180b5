import { describe, expect, it } from 'vitest'
import type { OverviewSite } from '../../api/schema'
import { inOrder, isFiltered, readSearch } from './search'
import { folded } from './sites'

const site = (more: Partial<OverviewSite>): OverviewSite => ({
  name: 'default', release: null, since: null, health: 'healthy', reason: null, instances_ready: 1, instances_wanted: 1, traffic: [], warm: null, ...more,
})
const release = (label: string) => ({ label, digest: `sha256:${label}` })

describe('an address', () => {
  it('says what is understood of it', () => {
    const said = { q: 11, env: 'production', health: 'fine', attention: 'failing', sort: 'size', x: 'y' }
    expect(readSearch(said)).toEqual({ q: '11', env: 'production', attention: 'failing' })
    expect(readSearch({ sort: 'name', q: '' })).toEqual({})
    expect([isFiltered({ sort: 'owner' }), isFiltered({ q: 'a' })]).toEqual([false, true])
  })
  it('is told environments as releases travel', () => {
    expect(inOrder(['production', 'dev', 'brazil', 'staging', 'qa'])).toEqual(['dev', 'qa', 'staging', 'brazil', 'production'])
  })
})

describe('sites', () => {
  it('are told as one by the worst of them', () => {
    const all = [
      site({ release: release('v2'), since: '2026-11-01T00:00:00Z' }),
      site({ release: release('v1'), since: '2026-11-03T00:00:00Z', health: 'degraded', reason: 'slow' }),
      site({ release: release('v2'), since: '2026-11-02T00:00:00Z' }),
    ]
    expect(folded(all)).toEqual({
      health: 'degraded', reason: 'slow', releases: [{ label: 'v2', sites: 2 }, { label: 'v1', sites: 1 }], since: '2026-11-03T00:00:00Z', split: 0,
    })
    expect(folded([]).health).toBe('empty')
  })
})
