import { locale } from '../../i18n'

/** Evidence and ratios: three figures, and powers of ten as such where they are large. */
export const amount = (n: number): string =>
  n >= 1e6
    ? new Intl.NumberFormat(locale(), { notation: 'compact', maximumSignificantDigits: 3 }).format(n)
    : new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(n)

/** A rate between 0 and 1 as per cent, two figures where it is small. */
export const rate = (n: number): string =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumSignificantDigits: n < 0.1 ? 2 : 3 }).format(n)
