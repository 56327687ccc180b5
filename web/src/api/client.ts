import createClient, { type Middleware } from 'openapi-fetch'
import { language } from '../i18n'
import { refusalOf, Unreachable } from './problem'
import type { paths } from './schema'

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
    throw await refusalOf(response)
  },
}

export const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })
api.use(ours)

/** What was answered; refusals are thrown as `Refused`. */
export async function got<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T
}

/** What was answered, with the tag by which the server knows it again: sent back as `If-Match`, it keeps one from overwriting
 *  what somebody else has changed meanwhile. */
export async function tagged<T>(call: Promise<{ data?: T; response: Response }>): Promise<T & { tag: string | undefined }> {
  const { data, response } = await call
  return { ...(data as T), tag: response.headers.get('ETag') ?? undefined }
}

/** As a request's options. */
export const ifMatch = (tag: string | undefined): { headers?: { 'If-Match': string } } => (tag === undefined ? {} : { headers: { 'If-Match': tag } })
