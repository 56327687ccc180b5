import { locale } from '../../i18n'

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** `312 bytes`, `4.8 MB`. */
export function bytesOf(n: number): string {
  let step = 0
  let value = n
  while (value >= 1_000 && step < UNITS.length - 1) {
    value /= 1_000
    step++
  }
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value)
}
