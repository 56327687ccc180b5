import { describe, expect, it } from 'vitest'
import type { Event, Judgement, Rollout, Wave } from '../../api/schema'
import { backAfter, decisions, moves, nearness, nextStep, outlook, planned, sensible, shares, standing, wavesOf, waveState } from './story'

const event = (kind: string, second: number, after: Record<string, unknown>): Event => ({
  seq: second, id: `${second}`, at: new Date(second * 1_000).toISOString(), kind, schema: 1, subject: 'rollout/r',
  actor: { type: 'system', part: 'rollout' }, after: after as Event['after'] & object, prev: '', hash: '',
})
const wave = (number: number, share: number, times: Partial<Wave> = {}): Wave => ({
  number, steps: [{ site: 'default', share }], set_share: null, skipped: false, started_at: null, finished_at: null, ...times,
})
const ref = (label: string) => ({ label, digest: `sha256:${label}` })
const rollout = (more: Partial<Rollout> = {}): Rollout => ({
  id: 'r', service: 'shop', env: 'production', kind: 'normal', strategy: 'canary', phase: 'running', requested_by: 'li.wei',
  from: ref('v1'), to: ref('v2'), created_at: '2026-11-11T00:00:00Z', started_at: '2026-11-11T00:00:00Z', wave: 1,
  waves: [wave(1, 1_000, { started_at: '2026-11-11T00:00:01Z' }), wave(2, 5_000), wave(3, 10_000)],
  sites: [{ site: 'default', phase: 'judging', share: 1_000, from: ref('v1'), to: ref('v2'), instances_ready: 1, instances_wanted: 2 }],
  timeline: [], ...more,
})

describe('shares', () => {
  it('follows each site, and ends now with what it has', () => {
    const moved = moves([
      event('rollout.traffic_returned', 30, { site: 'br' }),
      event('rollout.traffic_moved', 10, { site: 'br', share: 1_000 }),
      event('rollout.wave_started', 9, { site: 'br', share: 1_000 }),
      event('rollout.traffic_moved', 20, { site: 'us', share: 2_500 }),
    ])
    expect(shares(moved, ['br', 'us'], 0, 40_000)).toEqual({ t: [0, 10, 20, 30, 40], of: [[0, 10, 10, 0, 0], [0, 0, 25, 25, 25]] })
  })
  it('has nothing to say of malformed events', () => {
    expect(moves([event('rollout.traffic_moved', 1, { share: 5 })])).toEqual([])
  })
})

describe('waves', () => {
  it('knows where it stopped', () => {
    const over = rollout({ phase: 'failed' })
    expect(over.waves.map((w) => waveState(w, over))).toEqual(['stopped', 'never', 'never'])
    expect(rollout().waves.map((w) => waveState(w, rollout()))).toEqual(['current', 'ahead', 'ahead'])
  })
  it('leaves out what a site already has', () => {
    expect(nextStep(rollout())).toEqual({ site: 'default', share: 5_000 })
    const more = rollout({ sites: rollout().sites.map((s) => ({ ...s, share: 6_000 })) })
    expect(nextStep(more)).toEqual({ site: 'default', share: 10_000 })
    expect(nextStep(rollout({ wave: 3 }))).toBeUndefined()
  })
})

describe('standing', () => {
  const brief = { e: 1, e_needed: 100, promotion: 1, promotion_needed: 20, sentence: '' }
  it('is the verdict while it is judged', () => {
    expect(standing(rollout({ judgement: { ...brief, verdict: 'inconclusive' } }))).toBe('asks')
    expect(standing(rollout({ judgement: { ...brief, verdict: 'continue' } }))).toBe('judging')
  })
  it('is the end once there is one', () => {
    expect(standing(rollout({ phase: 'failed', judgement: { ...brief, verdict: 'worse' } }))).toBe('failed_worse')
    expect(standing(rollout({ phase: 'failed', from: null }))).toBe('failed_first')
    expect(standing(rollout({ phase: 'aborted', started_at: null }))).toBe('aborted_early')
    expect(standing(rollout({ phase: 'completed', kind: 'rollback' }))).toBe('back')
  })
})

describe('interventions', () => {
  it('offers what can be done', () => {
    expect(sensible(rollout(), true, false, 'li.wei')).toMatchObject({ promote: true, share: true, pause: true, resume: false, abort: true, rollback: false })
    expect(sensible(rollout(), false, false, 'li.wei').share).toBe(false)
    expect(sensible(rollout({ phase: 'completed' }), true, true, 'li.wei')).toMatchObject({ promote: false, abort: false, rollback: true })
  })
  it('asks each person once', () => {
    const approvals = { needed: 2, from: [], given: [{ by: 'li.wei', note: '', at: '2026-11-11T00:00:00Z' }] }
    expect(sensible(rollout({ phase: 'queued', approvals }), true, false, 'li.wei').approve).toBe(false)
    expect(sensible(rollout({ phase: 'queued', approvals }), true, false, 'wang.fang').approve).toBe(true)
  })
})

it('measures nearness by doublings', () => {
  expect(nearness(10, 100)).toBeCloseTo(0.5)
  expect(nearness(0.2, 100)).toBe(0)
  expect(nearness(500, 100)).toBe(1)
})

it('reads the outlook from the event, and only what is one', () => {
  const begun = (outlook: unknown) => [event('rollout.begun', 1, { outlook })]
  const said = begun({ expected_s: 14, hopeless: false, text: { en: 'in 14 s', zh: '14 s' } })
  expect(outlook(said, 'en')).toEqual({ expected: 14, hopeless: false, sentence: 'in 14 s' })
  expect(outlook(begun({ expected_s: null, hopeless: true }), 'en')).toEqual({ hopeless: true })
  expect(outlook(begun(null), 'en')).toBeUndefined()
})

it('measures how long traffic took to be back', () => {
  const told = [event('rollout.returning', 10, {}), event('rollout.traffic_returned', 12, { site: 'default' })]
  expect(backAfter(rollout({ phase: 'failed' }), told)).toBe(2_000)
  expect(backAfter(rollout({ phase: 'returning' }), told.slice(0, 1))).toBeUndefined()
  const back = rollout({ kind: 'rollback', created_at: new Date(1_000).toISOString() })
  expect(backAfter(back, [event('rollout.traffic_moved', 2, { site: 'default', share: 10_000 })])).toBe(1_000)
})

describe('plans and decisions', () => {
  it('says what is left of a wave under way, and nothing of one without times', () => {
    const at = Date.parse('2026-11-11T00:10:01Z')
    const timed = wave(1, 1_000, { started_at: '2026-11-11T00:00:01Z', least_ms: 60_000, most_ms: 3_600_000 })
    expect(planned(timed, rollout(), at)).toEqual({ least: 60_000, most: 3_600_000, left: 3_000_000 })
    expect(planned({ ...timed, finished_at: '2026-11-11T00:05:00Z' }, rollout(), at)).toEqual({ least: 60_000, most: 3_600_000 })
    expect(planned(wave(3, 10_000), rollout(), at)).toBe(undefined)
  })
  it('counts the waves of a site', () => {
    const done = wave(1, 1_000, { finished_at: '2026-11-11T00:05:00Z' })
    const elsewhere: Wave = { ...wave(3, 10_000), steps: [{ site: 'us', share: 10_000 }] }
    expect(wavesOf(rollout({ waves: [done, wave(2, 5_000, { skipped: true }), elsewhere] }), 'default')).toEqual({ done: 2, all: 2 })
  })
  it('takes what the log tells, and else when the line was crossed', () => {
    const judged = { over_time: [{ t: 5, e: 200, promotion: 1 }], e_needed: 100, verdict: 'worse', seconds: 9 } as unknown as Judgement
    expect(decisions(judged)).toEqual([{ kind: 'back', t: 5, text: '' }])
    const told = { kind: 'promoted' as const, t: 3, text: 'on', at: '2026-11-11T00:00:04Z', wave: 1 }
    expect(decisions({ ...judged, decisions: [told] })).toEqual([told])
  })
})
