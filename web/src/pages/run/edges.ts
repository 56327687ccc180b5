// The lines between the jobs of a graph.
import type { Job } from '../../api/schema'

export interface Edge {
  from: string
  to: string
}

/** What each job says it needs. Jobs that wait for all earlier stages have no lines: the order of the stages says it. */
export function edgesOf(jobs: readonly Pick<Job, 'id' | 'name' | 'needs'>[]): Edge[] {
  const ids = new Map(jobs.map((j) => [j.name, j.id]))
  return jobs.flatMap((job) =>
    [...new Set(job.needs ?? [])].flatMap((name) => {
      const from = ids.get(name)
      return from === undefined || from === job.id ? [] : [{ from, to: job.id }]
    }),
  )
}

export interface Box {
  left: number
  top: number
  width: number
  height: number
}

/** From the right of one box to the left of another; within a column round their left. */
export function pathOf(a: Box, b: Box): string {
  const [ay, by] = [a.top + a.height / 2, b.top + b.height / 2]
  if (Math.abs(a.left - b.left) < 1) {
    const out = a.left - 14
    return `M${a.left} ${ay}C${out} ${ay} ${out} ${by} ${b.left} ${by}`
  }
  const [ax, bx] = [a.left + a.width, b.left]
  const bend = Math.min(Math.max((bx - ax) / 2, 12), 48)
  return `M${ax} ${ay}C${ax + bend} ${ay} ${bx - bend} ${by} ${bx} ${by}`
}
