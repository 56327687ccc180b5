import { expect, test } from 'vitest'
import type { ReleaseRef, WaysBack } from '../../api/schema'
import { goesBackTo } from './ways'

const release = (label: string): ReleaseRef => ({ label, digest: `sha256:${label}` })
const ways = (...to: (string | null)[]): WaysBack => ({
  env: 'production',
  possible: [],
  others: [],
  sites: to.map((label, n) => ({ site: `site-${n}`, live: release('v9'), to: label === null ? null : release(label) })),
})

test('one target only where all sites that go anywhere agree', () => {
  expect(goesBackTo(ways('v8', 'v8'))).toEqual(release('v8'))
  expect(goesBackTo(ways('v8', null))).toEqual(release('v8'))
  expect(goesBackTo(ways('v8', 'v7'))).toBe(undefined)
  expect(goesBackTo(ways())).toBe(undefined)
  expect(goesBackTo(ways(null))).toBe(undefined)
})
