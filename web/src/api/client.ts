import createClient, { type Middleware } from 'openapi-fetch'
import { language } from '../i18n'
import { Refused, Unreachable } from './problem'
import type { Problem, paths } from './schema'

let csrf: string | null = null

/** The word that goes with a session's cookie: from whoever signed in, or from `me` after a reload. */
export const rememberCsrf = (word: string | null | undefined): void => {
  csrf = word ?? null
}

export const csrfWord = (): string | null => csrf

const ours: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', language())
    if (request.method !== 'GET' && csrf) request.headers.set('X-CSRF-Token', csrf)
    if (request.method === 'POST' && !request.headers.has('Idempotency-Key'))
      request.headers.set('Idempotency-Key', crypto.randomUUID())
    return request
  },
  onError({ error }) {
    return new Unreachable(error instanceof Error ? error.message : String(error))
  },
  async onResponse({ response }) {
    if (response.ok) return undefined
    const text = await response.clone().text()
    let problem: Problem | undefined
    try {
      problem = JSON.parse(text) as Problem
    } catch {
      // Something between us and the server answered in its place.
    }
    if (problem?.title === undefined) throw new Unreachable(`${response.status} ${response.statusText}`)
    throw new Refused(problem, response.status)
  },
}

export const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })
api.use(ours)

/** What was answered; refusals are thrown as `Refused`. */
export async function got<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T
}
