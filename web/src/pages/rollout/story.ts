// What a rollout's rows and events mean to a reader: no React, no server.
import type { DecisionKind, Event, Judgement, Rollout, RolloutPhase, Wave, WaveStep } from '../../api/schema'

export const isLive = (phase: RolloutPhase): boolean =>
  phase === 'queued' || phase === 'running' || phase === 'paused' || phase === 'returning'

export const FULL = 10_000

/** What an event says of the change; its shape is the event's own. */
const told = ({ after }: Event): Record<string, unknown> => (after ?? {}) as Record<string, unknown>

const number = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

export interface Moved {
  /** Milliseconds. */
  at: number
  site: string
  /** Basis points on the new release, from then on. */
  share: number
}

/** When the edge gave which share of a site to the new release. */
export function moves(events: Event[]): Moved[] {
  const found: Moved[] = []
  for (const event of events) {
    const { kind, at } = event
    const after = told(event)
    const site = text(after['site'])
    if (site === undefined) continue
    if (kind === 'rollout.traffic_moved' || kind === 'rollout.shards_moved')
      found.push({ at: Date.parse(at), site, share: number(after['share']) ?? 0 })
    else if (kind === 'rollout.traffic_returned') found.push({ at: Date.parse(at), site, share: 0 })
  }
  return found.sort((a, b) => a.at - b.at)
}

/** Steps for a plot: seconds since `from`, and for each site what it had from then on, in per cent. */
export function shares(moved: Moved[], sites: string[], from: number, to: number): { t: number[]; of: number[][] } {
  const t = [0]
  const has = new Map(sites.map((site) => [site, 0]))
  const of = sites.map(() => [0])
  const put = (at: number): void => {
    t.push(Math.max((at - from) / 1_000, t[t.length - 1] ?? 0))
    sites.forEach((site, n) => of[n]?.push((has.get(site) ?? 0) / 100))
  }
  for (const move of moved) {
    if (!has.has(move.site)) continue
    has.set(move.site, move.share)
    put(move.at)
  }
  put(to)
  return { t, of }
}

export type WaveState = 'done' | 'current' | 'stopped' | 'skipped' | 'ahead' | 'never'

export function waveState(wave: Wave, rollout: Rollout): WaveState {
  if (wave.skipped) return 'skipped'
  if (wave.finished_at) return 'done'
  const live = rollout.phase === 'running' || rollout.phase === 'paused'
  if (wave.started_at) return live ? 'current' : rollout.phase === 'completed' ? 'done' : 'stopped'
  return live || rollout.phase === 'queued' ? 'ahead' : 'never'
}

/** Until when a wave took, where it is over. */
export const waveEnd = (wave: Wave, rollout: Rollout): string | null =>
  wave.finished_at ?? (isLive(rollout.phase) ? null : (rollout.finished_at ?? null))

export const waveShare = (wave: Wave): number => wave.set_share ?? Math.max(0, ...wave.steps.map((s) => s.share))

export const currentWave = (rollout: Rollout): Wave | undefined => rollout.waves.find((w) => w.number === rollout.wave)

/** What traffic a site has after this wave, when the next wave of that site begins. */
export function nextStep(rollout: Rollout): { site: string; share: number } | undefined {
  const now = currentWave(rollout)
  const site = rollout.sites.find((s) => s.phase === 'judging')?.site ?? now?.steps[0]?.site
  if (!now || site === undefined) return undefined
  const has = rollout.sites.find((s) => s.site === site)?.share ?? 0
  for (const wave of rollout.waves) {
    if (wave.number <= now.number || wave.skipped) continue
    const step: WaveStep | undefined = wave.steps.find((s) => s.site === site) ?? wave.steps[0]
    if (step && (step.site !== site || step.share > has)) return step
  }
  return undefined
}

export interface Outlook {
  /** Seconds until half of such faults are found; none: never, or nothing to go by. */
  expected?: number
  hopeless: boolean
  /** The same for a person, in the reader's language. */
  sentence?: string
}

/** How long the judge was expected to need, as it was said before the first wave. */
export function outlook(events: Event[], language: string): Outlook | undefined {
  const begun = events.find((e) => e.kind === 'rollout.begun')
  const said = begun && told(begun)['outlook']
  if (typeof said !== 'object' || said === null) return undefined
  const fields: Record<string, unknown> = { ...said }
  const expected = number(fields['expected_s'])
  const words = fields['text']
  const sentence = typeof words === 'object' && words !== null ? text((words as Record<string, unknown>)[language]) : undefined
  return { ...(expected !== undefined && { expected }), hopeless: fields['hopeless'] === true, ...(sentence && { sentence }) }
}

/** How long traffic took to be where it had to be, in milliseconds: of a rollback from its request, else from the verdict on. */
export function backAfter(rollout: Rollout, events: Event[]): number | undefined {
  const went = rollout.kind === 'rollback' ? 'rollout.traffic_moved' : 'rollout.traffic_returned'
  const since = rollout.kind === 'rollback' ? rollout.created_at : events.find((e) => e.kind === 'rollout.returning')?.at
  const last = events.filter((e) => e.kind === went).map((e) => Date.parse(e.at))
  if (since === undefined || last.length < rollout.sites.length || last.length === 0) return undefined
  return Math.max(...last) - Date.parse(since)
}

/** How a rollout stands, as its headline needs to know it. */
export type Standing =
  | 'waits_approval' | 'waits' | 'starting' | 'shifting' | 'verifying' | 'judging' | 'better' | 'asks' | 'worse' | 'soaking' | 'running'
  | 'paused' | 'returning' | 'live' | 'was_live' | 'back' | 'failed_worse' | 'failed' | 'failed_first' | 'failed_rollback' | 'aborted' | 'aborted_early'
  | 'superseded'

const SITE_STANDING = { starting: 'starting', shifting: 'shifting', verifying: 'verifying', soaking: 'soaking' } as const

export function standing(rollout: Rollout): Standing {
  const { phase, judgement, approvals, kind, from } = rollout
  const worse = judgement?.verdict === 'worse'
  switch (phase) {
    case 'queued':
      return approvals && approvals.given.length < approvals.needed ? 'waits_approval' : 'waits'
    case 'paused':
      return 'paused'
    case 'returning':
      return worse ? 'worse' : 'returning'
    case 'completed':
      return kind === 'rollback' ? 'back' : 'live'
    case 'failed':
      return kind === 'rollback' ? 'failed_rollback' : !from ? 'failed_first' : worse ? 'failed_worse' : 'failed'
    case 'aborted':
      return rollout.started_at ? 'aborted' : 'aborted_early'
    case 'superseded':
      return 'superseded'
    case 'running': {
      const at = rollout.sites.map((s) => s.phase)
      if (at.includes('judging') && judgement)
        return ({ worse: 'worse', better: 'better', inconclusive: 'asks', continue: 'judging' } as const)[judgement.verdict]
      for (const one of at) if (one in SITE_STANDING) return SITE_STANDING[one as keyof typeof SITE_STANDING]
      return 'running'
    }
  }
}

/** How near evidence is to what is needed, 0 to 1, as logarithms: each doubling is the same step. */
export function nearness(e: number, needed: number): number {
  if (e <= 1 || needed <= 1) return 0
  return Math.min(1, Math.log(e) / Math.log(needed))
}

/** When the evidence crossed what is needed: seconds since the first share. */
export const crossed = (judged: Judgement): number | undefined =>
  judged.over_time.find((p) => p.e >= judged.e_needed)?.t ?? (judged.verdict === 'worse' ? judged.seconds : undefined)

/** What was decided, by its time. Of rollouts whose log says nothing of it, when the evidence crossed what is needed. */
export function decisions(judged: Judgement): { kind: DecisionKind; t: number; text: string }[] {
  const told = judged.decisions ?? []
  const at = crossed(judged)
  return told.length === 0 && at !== undefined ? [{ kind: 'back', t: at, text: '' }] : told
}

export interface Planned {
  least: number
  most?: number
  /** Milliseconds that are left until it ends without a verdict; less than none where it is over its time. */
  left?: number
}

/** What a wave was to take. */
export function planned(wave: Wave, rollout: Rollout, now: number): Planned | undefined {
  const { least_ms: least = 0, most_ms: most } = wave
  if (least === 0 && (most === null || most === undefined)) return undefined
  const current = waveState(wave, rollout) === 'current' && wave.started_at
  const left = current && most != null ? Date.parse(wave.started_at ?? '') + most - now : undefined
  return { least, ...(most != null && { most }), ...(left !== undefined && { left }) }
}

/** How many waves of a site are done, of how many. */
export function wavesOf(rollout: Rollout, site: string): { done: number; all: number } {
  const own = rollout.waves.filter((w) => w.steps.some((s) => s.site === site))
  return { done: own.filter((w) => w.finished_at || w.skipped).length, all: own.length }
}

export interface May {
  approve: boolean
  promote: boolean
  share: boolean
  pause: boolean
  resume: boolean
  abort: boolean
  rollback: boolean
}

/** Which interventions make sense now; whether one is allowed to is another matter. */
export function sensible(rollout: Rollout, web: boolean, liveHere: boolean, who: string | undefined): May {
  const { phase, approvals, kind } = rollout
  const judged = (phase === 'running' || phase === 'paused') && rollout.sites.some((s) => s.phase === 'judging')
  const given = approvals?.given ?? []
  return {
    approve: phase === 'queued' && approvals != null && given.length < approvals.needed && !given.some((a) => a.by === who),
    promote: judged,
    share: judged && web && rollout.strategy === 'canary',
    pause: phase === 'running' && kind !== 'rollback',
    resume: phase === 'paused',
    abort: (phase === 'queued' || phase === 'running' || phase === 'paused') && kind !== 'rollback',
    // From a rollback one goes on by deploying: what it came from was left for a reason.
    rollback: phase === 'completed' && kind !== 'rollback' && liveHere && rollout.from != null,
  }
}
