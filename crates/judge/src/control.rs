//! What stands in for a baseline where a site changes over whole and nothing runs beside the canary. For business counters
//! only: how much is sold in an hour is known from other hours and other places, how often a release fails is not.
//!
//! **Other sites** that sell at the same moments. They need not sell as much for each session as this one: their exposures are
//! multiplied by how many times this site's usual rate theirs is, from counts of the same time before. With `κ` that factor,
//! `λ_o` and `λ_s` the two usual rates and `m(t)` whatever happens to the market, `x_o` comes of `n_o` exposures at `λ_o m(t)`, which is
//! `κ n_o` exposures at `λ_s m(t)`: the comparison of two arms, whatever the market does. **This assumes that the sites go up
//! and down together.**
//!
//! **The same hours of earlier weeks**, where there is no other site: the canary is held against [`ALONE`] times the lower end of
//! the interval of the leanest of them. **This assumes that the hour would not have been a leaner one by itself.**
//!
//! In both the null hypothesis is [`ALONE`] times what is expected: less than a tenth fewer is never called worse.

use crate::{interval, single::Sum};

/// What a business counter may fall to by itself.
pub const ALONE: f64 = 0.9;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Control {
    /// Counts of the same hours in earlier weeks, one for each.
    Past(Vec<Sum>),
    /// The other sites' counts come as the baseline's, exposures times [`scale`].
    Elsewhere,
}

/// How many of this site's usual exposures one of the other's stands for: the upper end of the other's usual rate over the
/// lower end of this one's, so that not knowing them exactly never speaks against the canary. `None` where this site has sold
/// nothing, or too little to say.
pub fn scale(own: Sum, other: Sum, miss: f64) -> Option<f64> {
    let (low, high) = (interval::limits(own, miss).0, interval::limits(other, miss).1);
    (own.n > 0 && other.n > 0 && low > 0.0 && high > 0.0).then(|| high / low)
}

/// The least that is expected of a site whose earlier weeks were these; `None` where nothing is known.
pub fn least(weeks: &[Sum], miss: f64) -> Option<f64> {
    let lows = weeks.iter().filter(|w| w.n > 0).map(|w| ALONE * interval::limits(*w, miss).0);
    lows.reduce(f64::min).filter(|least| *least > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_never_speaks_against_the_canary() {
        let (own, other) = (Sum { n: 20_000, x: 1_000 }, Sum { n: 50_000, x: 5_000 });
        let known = scale(own, other, 0.01).unwrap();
        assert!(known > 2.0 && known < 2.5, "the other sells twice as much a session: {known}");
        let hardly = scale(Sum { n: 200, x: 10 }, other, 0.01).unwrap();
        assert!(hardly > known, "the less is known, the more is granted: {hardly}");
        for nothing in [scale(Sum { n: 100, x: 0 }, other, 0.01), scale(Sum::default(), other, 0.01)] {
            assert_eq!(nothing, None);
        }
        assert_eq!(scale(own, Sum::default(), 0.01), None);
    }

    #[test]
    fn the_leanest_week_is_what_this_one_may_be_like() {
        let usual = Sum { n: 10_000, x: 1_000 };
        let lean = Sum { n: 10_000, x: 700 };
        let least_of = |weeks: &[Sum]| least(weeks, 0.01).unwrap();
        assert!(least_of(&[usual]) < 0.09 && least_of(&[usual]) > 0.07);
        assert_eq!(least_of(&[usual, lean]), least_of(&[lean]));
        assert_eq!(least_of(&[usual, Sum::default()]), least_of(&[usual]), "an hour nobody came is no hour");
        assert_eq!(least(&[], 0.01), None);
        assert_eq!(least(&[Sum { n: 100, x: 0 }], 0.01), None);
    }
}
