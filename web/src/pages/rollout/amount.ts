import { locale } from '../../i18n'

/** Evidence and ratios: three figures, and powers of ten as such where they are large. */
export const amount = (n: number): string =>
  n >= 1e5
    ? // British English writes millions with a small m, as it does metres and minutes.
      new Intl.NumberFormat(locale().replace('en-GB', 'en-US'), { notation: 'compact', maximumSignificantDigits: 3 }).format(n)
    : new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(n)

/** A rate between 0 and 1 as per cent: two decimals where it is small. */
export const rate = (n: number): string =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: n < 0.01 ? 2 : n < 0.1 ? 1 : 0 }).format(n)
