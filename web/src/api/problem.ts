import type { Problem } from './schema'

/** The server refused, and says why and what to do. */
export class Refused extends Error {
  readonly problem: Problem
  readonly status: number
  constructor(problem: Problem, status: number) {
    super(problem.title)
    this.problem = problem
    this.status = status
  }
}

/** There was no answer, or none that the server would give. */
export class Unreachable extends Error {}

export const isRefused = (error: unknown, status?: number): error is Refused =>
  error instanceof Refused && (status === undefined || error.status === status)

/** Whether asking again may help. */
export const mayPass = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof Refused && error.status >= 500)
