import type { ArmTraffic, Judgement, Latency } from '../../api/schema'

export type Arm = 'canary' | 'baseline'
export const ARMS: Arm[] = ['canary', 'baseline']
export const PERCENTILES = ['p50_ms', 'p95_ms', 'p99_ms'] as const satisfies (keyof Latency)[]

/** Of what came in a window; nothing came: nothing is known. */
export const errorRate = ({ requests, failed }: Pick<ArmTraffic, 'requests' | 'failed'>): number | null =>
  requests > 0 ? Math.min(1, failed / requests) : failed > 0 ? 1 : null

/** Each value holds from the end of the window before it to its own: the first one is there twice. */
export function overTime(judged: Pick<Judgement, 'traffic'>, of: (arm: ArmTraffic) => number | null): { t: number[]; of: (number | null)[][] } {
  const windows = judged.traffic ?? []
  const values = (arm: Arm): (number | null)[] => windows.map((w) => of(w[arm]))
  const twice = <T,>(all: T[]): T[] => [...all.slice(0, 1), ...all]
  return { t: windows.length > 0 ? [0, ...windows.map((w) => w.t)] : [], of: ARMS.map((arm) => twice(values(arm))) }
}

/** Whether anybody asked at all: a worker is asked nothing. */
export const asked = ({ canary_requests, baseline_requests }: Pick<Judgement, 'canary_requests' | 'baseline_requests'>): boolean =>
  canary_requests.requests + baseline_requests.requests > 0

/** The decades that hold all of them. */
export function decades(values: (number | null)[][]): [number, number] {
  const known = values.flat().filter((v): v is number => v !== null && v > 0)
  const low = Math.floor(Math.log10(Math.min(1, ...known)) + 1e-9)
  const high = Math.ceil(Math.log10(Math.max(10, ...known)) - 1e-9)
  return [10 ** low, 10 ** high]
}
