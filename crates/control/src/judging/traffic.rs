//! What both releases were asked and how they answered, over time: all requests, units or not, of all sites of a rollout.

use tradewind_api::v1::Latency;
use tradewind_model::protocol::{edge::LATENCY_BOUNDS, trial::UnitCounts};

/// Windows that a rollout's time is cut into at most.
const MOST_WINDOWS: f64 = 60.0;
/// What a window may be long, in seconds.
const LENGTHS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0];

/// Of one release since the first share began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    pub requests: u64,
    pub failed: u64,
    latency: [u64; LATENCY_BOUNDS.len() + 1],
}

/// Canary and baseline from `t - seconds` to `t`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Window {
    pub t: f64,
    pub seconds: f64,
    pub arms: [Totals; 2],
}

impl Totals {
    pub fn add(&mut self, counts: &UnitCounts) {
        self.requests = self.requests.saturating_add(counts.requests);
        self.failed = self.failed.saturating_add(counts.failed);
        for (sum, n) in self.latency.iter_mut().zip(&counts.latency) {
            *sum = sum.saturating_add(*n);
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(before.requests),
            failed: self.failed.saturating_sub(before.failed),
            latency: std::array::from_fn(|i| self.latency[i].saturating_sub(before.latency[i])),
        }
    }

    /// `None` before the first answer.
    pub fn percentiles(&self) -> Option<Latency> {
        let ms = |share| self.within(share).map(|s| s * 1_000.0);
        Some(Latency { p50_ms: ms(0.5)?, p95_ms: ms(0.95)?, p99_ms: ms(0.99)? })
    }

    /// Seconds that `share` of the answers stayed within: linear within the bucket, and the last bound for what is above it, as
    /// Prometheus' `histogram_quantile` has it. The truth lies in the same bucket.
    fn within(&self, share: f64) -> Option<f64> {
        let all = self.latency.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        let rank = share * all as f64;
        let (mut below, mut from) = (0_u64, 0.0);
        for (bound, n) in LATENCY_BOUNDS.into_iter().zip(self.latency) {
            if n > 0 && (below + n) as f64 >= rank {
                return Some(from + (bound - from) * ((rank - below as f64) / n as f64).clamp(0.0, 1.0));
            }
            (below, from) = (below + n, bound);
        }
        (all > 0).then_some(from)
    }
}

/// From moments with what had been counted by then, oldest first; the last window may be shorter or longer than the others.
pub fn windows(counted: impl IntoIterator<Item = (f64, [Totals; 2])>) -> Vec<Window> {
    let counted: Vec<_> = counted.into_iter().collect();
    let Some((end, _)) = counted.last().copied() else { return Vec::new() };
    let length = LENGTHS.into_iter().find(|s| end / s <= MOST_WINDOWS).unwrap_or(end / MOST_WINDOWS);
    let mut windows: Vec<Window> = Vec::new();
    let (mut from, mut before) = (0.0, [Totals::default(); 2]);
    for (i, (t, now)) in counted.iter().enumerate() {
        if t - from < length - 1e-6 && (i + 1 < counted.len() || *t <= from) {
            continue;
        }
        let arms = std::array::from_fn(|arm| now[arm].since(&before[arm]));
        windows.push(Window { t: *t, seconds: t - from, arms });
        (from, before) = (*t, *now);
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(latency: &[u64]) -> Totals {
        let mut totals = Totals::default();
        let requests = latency.iter().sum();
        totals.add(&UnitCounts { requests, latency: latency.to_vec(), ..UnitCounts::default() });
        totals
    }

    #[test]
    fn a_percentile_lies_in_its_bucket() {
        // 90 within 1 ms, 9 within 2.5 ms, one slower than everything.
        let of = answers(&[90, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).percentiles().unwrap();
        assert!((of.p50_ms - 50.0 / 90.0).abs() < 1e-9, "{of:?}");
        assert!((of.p95_ms - (1.0 + 1.5 * 5.0 / 9.0)).abs() < 1e-9, "{of:?}");
        assert!((of.p99_ms - 2.5).abs() < 1e-9, "{of:?}");
        let slow = answers(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]).percentiles().unwrap();
        assert_eq!((slow.p50_ms, slow.p99_ms), (10_000.0, 10_000.0), "above the last bound nothing is known");
        assert_eq!(answers(&[]).percentiles(), None);
        assert!(answers(&[u64::MAX - 1]).percentiles().unwrap().p99_ms <= 1.0);
    }

    #[test]
    fn windows_are_few_and_whole() {
        for seconds in [1_u64, 7, 59, 61, 1_000, 100_000, 10_000_000] {
            let every = (seconds / 400).max(1);
            let counted = (1..=seconds.div_ceil(every)).map(|n| {
                let t = (n * every).min(seconds);
                let arm = |each| {
                    let mut totals = Totals::default();
                    totals.add(&UnitCounts { requests: t * each, failed: t, ..UnitCounts::default() });
                    totals
                };
                (t as f64, [arm(1), arm(9)])
            });
            let windows = windows(counted);
            assert!(windows.len() <= 61, "{} of {seconds} s", windows.len());
            assert_eq!(windows.last().map(|w| w.t), Some(seconds as f64));
            let mut from = 0.0;
            for w in &windows {
                assert_eq!(w.t - w.seconds, from);
                assert_eq!(w.arms.map(|a| a.requests as f64), [w.seconds, 9.0 * w.seconds]);
                from = w.t;
            }
        }
        assert_eq!(windows([]), []);
        let none = [Totals::default(); 2];
        assert_eq!(windows([(0.0, none)]), [], "a moment is no window");
    }
}
