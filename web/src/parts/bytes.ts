import { locale } from '../i18n'

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']

/** `999 B`, `3.1 MB`, in steps of a thousand. */
export const size = (bytes: number): string => {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1)
  if (step === 0) return `${new Intl.NumberFormat(locale()).format(bytes)} B`
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: UNITS[step] ?? 'byte', maximumFractionDigits: 1 }).format(bytes / 1_000 ** step)
}
