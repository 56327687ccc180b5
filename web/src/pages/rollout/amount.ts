import { locale } from '../../i18n'
import { span } from '../../parts/time'

/** Evidence and ratios: three figures, and powers of ten as such where they are large. */
export const amount = (n: number): string =>
  n >= 1e5
    ? // British English writes millions with a small m, as it does metres and minutes.
      new Intl.NumberFormat(locale().replace('en-GB', 'en-US'), { notation: 'compact', maximumSignificantDigits: 3 }).format(n)
    : new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(n)

/** A rate between 0 and 1 as per cent: two decimals where it is small. */
export const rate = (n: number): string =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: n < 0.01 ? 2 : n < 0.1 ? 1 : 0 }).format(n)

/** `0.7 ms`, `42 ms`, `1.3 s`; below a tenth one figure, so that no time that passed is none. */
export const latency = (ms: number): string =>
  ms < 10
    ? new Intl.NumberFormat(locale(), {
        style: 'unit',
        unit: 'millisecond',
        ...(ms < 0.1 ? { maximumSignificantDigits: 1 } : { maximumFractionDigits: 1 }),
      }).format(ms)
    : span(Math.round(ms))
