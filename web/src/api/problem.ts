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

/** What an answer that is none says. */
export async function refusalOf(answer: Response): Promise<Refused | Unreachable> {
  // Something between us and the server may have answered in its place.
  const problem = (await answer.clone().json().catch(() => undefined)) as Problem | undefined
  return problem?.title === undefined ? new Unreachable(`${answer.status} ${answer.statusText}`) : new Refused(problem, answer.status)
}

export const isRefused = (error: unknown, status?: number): error is Refused =>
  error instanceof Refused && (status === undefined || error.status === status)

/** Whether asking again may help. */
export const mayPass = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof Refused && error.status >= 500)
