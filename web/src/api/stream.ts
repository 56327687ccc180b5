// Server-sent events by `fetch`: unlike `EventSource` it tells what was refused, and when nothing is heard any more.
import { language } from '../i18n'
import { refusalOf } from './problem'

/** The server says something every 10 s. */
const SILENCE_MS = 25_000

export interface Message {
  id: string | undefined
  kind: string
  data: string
}

/** What a stream of server-sent events says, piece by piece (WHATWG HTML, 9.2.6). */
export class Parser {
  private rest = ''
  private id: string | undefined
  private kind = ''
  private data: string[] = [];

  *feed(text: string): Generator<Message> {
    const lines = (this.rest + text).split(/\r\n|\n|\r/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (this.data.length) yield { id: this.id, kind: this.kind || 'message', data: this.data.join('\n') }
        this.kind = ''
        this.data = []
        continue
      }
      const colon = line.indexOf(':')
      if (colon === 0) continue
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'data') this.data.push(value)
      else if (field === 'event') this.kind = value
      else if (field === 'id') this.id = value
    }
  }
}

interface Wanted {
  /** What was heard last: goes on behind it. */
  last: string | undefined
  signal: AbortSignal
  /** The server answers. */
  opened?: () => void
}

/** What comes until the end; refusals, breaks and silence are thrown. */
export async function* messages(url: string, { last, signal, opened }: Wanted): AsyncGenerator<Message> {
  const attempt = new AbortController()
  const stop = (): void => attempt.abort()
  signal.addEventListener('abort', stop)
  let silence: ReturnType<typeof setTimeout> | undefined
  const heard = (): void => {
    clearTimeout(silence)
    silence = setTimeout(stop, SILENCE_MS)
  }
  try {
    heard()
    const answer = await fetch(url, {
      headers: { Accept: 'text/event-stream', 'Accept-Language': language(), ...(last !== undefined && { 'Last-Event-ID': last }) },
      signal: attempt.signal,
    })
    if (!answer.ok || !answer.body) throw await refusalOf(answer)
    opened?.()
    const parser = new Parser()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      heard()
      yield* parser.feed(value)
    }
  } finally {
    clearTimeout(silence)
    signal.removeEventListener('abort', stop)
    stop()
  }
}
