import { useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { locale } from '../i18n'

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

// Making one of these costs far more than using it, and lists show hundreds of times.
const made = new Map<string, Intl.RelativeTimeFormat | Intl.DateTimeFormat>()
function kept<T extends Intl.RelativeTimeFormat | Intl.DateTimeFormat>(what: string, make: (lang: string) => T): T {
  const lang = locale()
  const key = `${what} ${lang}`
  const known = made.get(key) as T | undefined
  if (known) return known
  const fresh = make(lang)
  made.set(key, fresh)
  return fresh
}

/** `3 minutes ago`; to the second below a minute. */
export function ago(at: number, now: number): string {
  const s = (at - now) / 1000
  const words = kept('ago', (lang) => new Intl.RelativeTimeFormat(lang, { numeric: 'auto', style: 'short' }))
  for (const [unit, size] of STEPS) if (Math.abs(s) >= size) return words.format(Math.trunc(s / size), unit)
  return words.format(Math.trunc(s), 'second')
}

/** `1 h 4 min`, `12 s`, `340 ms`. */
export function span(ms: number): string {
  const part = (n: number, unit: string): string =>
    new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: unit === 'second' && n < 10 ? 1 : 0 }).format(n)
  if (ms < 1_000) return part(ms, 'millisecond')
  const s = ms / 1_000
  if (s < 60) return part(s, 'second')
  const m = Math.floor(s / 60)
  const two = (large: string, n: number, unit: string): string => (n === 0 ? large : `${large} ${part(n, unit)}`)
  if (m < 60) return two(part(m, 'minute'), Math.floor(s % 60), 'second')
  const h = Math.floor(m / 60)
  return h < 48 ? two(part(h, 'hour'), m % 60, 'minute') : part(Math.floor(h / 24), 'day')
}

export const exact = (at: number | string): string =>
  kept('exact', (lang) => new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'medium' })).format(new Date(at))

let now = Date.now()
const watchers = new Set<() => void>()
let clock: ReturnType<typeof setInterval> | undefined
const watch = (w: () => void): (() => void) => {
  watchers.add(w)
  clock ??= setInterval(() => {
    now = Date.now()
    watchers.forEach((x) => x())
  }, 1_000)
  return () => {
    watchers.delete(w)
    if (watchers.size === 0) {
      clearInterval(clock)
      clock = undefined
    }
  }
}

/** The time, each second. */
export const useNow = (): number => useSyncExternalStore(watch, () => now)

/** How long ago, with the exact time behind it. */
export function When({ at }: { at: number | string | null | undefined }) {
  useTranslation()
  const time = useNow()
  if (at === null || at === undefined) return <span>–</span>
  const ms = new Date(at).getTime()
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact(ms)}>
      {ago(ms, Math.max(time, ms))}
    </time>
  )
}

/** In how long it will be. */
export function Until({ at }: { at: number | string }) {
  useTranslation()
  const time = useNow()
  const ms = new Date(at).getTime()
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact(ms)}>
      {ago(ms, Math.min(time, ms))}
    </time>
  )
}

/** How long it took, or has taken so far. */
export function Took({ from, to }: { from: string | null | undefined; to?: string | null | undefined }) {
  useTranslation()
  const time = useNow()
  if (!from) return <span>–</span>
  const end = to ? new Date(to).getTime() : Math.max(time, Date.parse(from))
  return <span>{span(end - Date.parse(from))}</span>
}
