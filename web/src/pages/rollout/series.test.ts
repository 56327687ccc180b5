import { describe, expect, it } from 'vitest'
import { asked, decades, errorRate, overTime } from './series'

const arm = (requests: number, failed = 0) => ({ requests, failed, latency: null })

describe('the error rate', () => {
  it('is unknown without requests, and never above all of them', () => {
    expect(errorRate(arm(0))).toBeNull()
    expect(errorRate(arm(200, 1))).toBe(0.005)
    // Answers to requests of the window before.
    expect(errorRate(arm(2, 3))).toBe(1)
    expect(errorRate(arm(0, 1))).toBe(1)
  })
})

describe('a series', () => {
  it('begins with the first share and has a gap where nobody asked', () => {
    const traffic = [
      { t: 5, seconds: 5, canary: arm(10, 1), baseline: arm(90) },
      { t: 10, seconds: 5, canary: arm(0), baseline: arm(100, 2) },
    ]
    expect(overTime({ traffic }, errorRate)).toEqual({ t: [0, 5, 10], of: [[0.1, 0.1, null], [0, 0, 0.02]] })
  })
  it('is empty before the first window', () => {
    expect(overTime({ traffic: [] }, errorRate)).toEqual({ t: [], of: [[], []] })
    expect(asked({ canary_requests: { requests: 0, failed: 0 }, baseline_requests: { requests: 0, failed: 0 } })).toBe(false)
  })
})

describe('decades', () => {
  it('hold what is shown, and never less than one', () => {
    expect(decades([[0.4, 12, null], [900]])).toEqual([0.1, 1_000])
    expect(decades([[1], [10_000]])).toEqual([1, 10_000])
    expect(decades([[null], []])).toEqual([1, 10])
  })
})
