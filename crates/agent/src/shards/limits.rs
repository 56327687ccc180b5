//! Fixed limits of a worker's release on some of its shards, from what its instances count themselves.
//!
//! What the baseline's instances pass as well, in the same window, says nothing about the release: the judge compares both.

use crate::window::{Arms, Counted, Window};
use std::{collections::BTreeMap, time::Duration};
use tradewind_model::{
    id::Place,
    protocol::{
        scrape::{DesiredScrape, MetricKind},
        trial::{ShardTrial, TripCause, UnitCounts, UnitTick},
    },
};

/// Basis points in one.
const ALL: u64 = 10_000;

#[derive(Debug, Default)]
pub struct Watches(BTreeMap<Place, Watch>);

#[derive(Debug)]
struct Watch {
    trial: ShardTrial,
    since: Duration,
    /// By metric.
    windows: BTreeMap<String, Window<Arms<Events>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Events {
    of: u64,
    failed: u64,
}

impl Events {
    /// Of this metric in a tick.
    fn of(counts: &UnitCounts, metric: usize) -> Option<Self> {
        Some(Self { of: *counts.n.get(metric)?, failed: *counts.x.get(metric)? })
    }

    /// Fewer than the limits ask for prove nothing.
    fn pass(self, limit: u32, least: u64) -> bool {
        self.of >= least.max(1) && self.failed.saturating_mul(ALL) > self.of.saturating_mul(limit.into())
    }
}

impl Counted for Events {
    fn plus(self, other: Self) -> Self {
        Self { of: self.of.saturating_add(other.of), failed: self.failed.saturating_add(other.failed) }
    }
    fn since(self, other: Self) -> Self {
        Self { of: self.of.saturating_sub(other.of), failed: self.failed.saturating_sub(other.failed) }
    }
}

impl Watches {
    /// Watches these trials, each from when it was first desired; `now` since the agent began.
    pub fn follow(&mut self, trials: &[ShardTrial], now: Duration) {
        self.0.retain(|_, watch| trials.contains(&watch.trial));
        for trial in trials {
            let begun = || Watch { trial: trial.clone(), since: now, windows: BTreeMap::new() };
            self.0.entry(trial.place.clone()).or_insert_with(begun);
        }
    }

    /// What was counted in a round of a trial's instances. The first limit that is passed with it.
    pub fn counted(&mut self, scrape: &DesiredScrape, tick: &UnitTick, now: Duration) -> Option<TripCause> {
        let watch = self.0.get_mut(&scrape.place).filter(|w| w.trial.rollout == scrape.rollout)?;
        let limits = watch.trial.limits;
        let limit = limits.error_rate?;
        let length = Duration::from_millis(limits.for_ms);
        let mut passed = None;
        for (at, metric) in scrape.scrape.metrics.iter().enumerate() {
            match metric.kind {
                MetricKind::Error => {}
                MetricKind::Latency | MetricKind::Business => continue,
            }
            let Some(canary) = Events::of(&tick.canary, at) else { continue };
            let baseline = Events::of(&tick.baseline, at).unwrap_or_default();
            let window = watch.windows.entry(metric.name.clone()).or_insert_with(|| Window::begin(length, watch.since));
            window.add(Arms { canary, baseline }, now);
            let Some(Arms { canary, baseline }) = window.full(now) else { continue };
            let pass = |events: Events| events.pass(limit, limits.min_requests);
            if pass(canary) && !pass(baseline) {
                let (metric, Events { of, failed }, for_ms) = (metric.name.clone(), canary, limits.for_ms);
                passed = passed.or(Some(TripCause::Events { metric, failed, of, limit, for_ms }));
            }
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shards::tests::trial;
    use tradewind_model::{
        protocol::{
            scrape::{Read, Scrape, ScrapedMetric, Series},
            trial::Feed,
        },
        time::Timestamp,
    };

    struct Worker {
        watches: Watches,
        scrape: DesiredScrape,
        now: u64,
    }

    impl Worker {
        /// It counts failed cycles, lost sessions and orders; its page is read every five seconds.
        fn begin() -> Self {
            let mut watches = Watches::default();
            watches.follow(&[trial()], Duration::from_secs(100));
            let series = |name: &str| Series { name: name.into(), labels: BTreeMap::new() };
            let metric = |name: &str, kind| ScrapedMetric {
                name: name.into(),
                kind,
                read: Read::Counters { count: series(name), of: Some(series("all")) },
                required: true,
            };
            let metrics = vec![
                metric("orders", MetricKind::Business),
                metric("cycles", MetricKind::Error),
                metric("sessions", MetricKind::Error),
            ];
            let scrape = DesiredScrape {
                place: trial().place,
                rollout: trial().rollout,
                canary: trial().canary,
                baseline: trial().baseline,
                scrape: Scrape { path: "/metrics".into(), every_ms: 5_000, metrics },
            };
            Self { watches, scrape, now: 100 }
        }

        /// A round: of so many cycles and sessions so many failed.
        fn round(&mut self, cycles: (u64, u64), sessions: (u64, u64)) -> Option<TripCause> {
            self.round_beside((1_000, 0), cycles, sessions)
        }

        /// The same beside the old release's cycles.
        fn round_beside(&mut self, old: (u64, u64), cycles: (u64, u64), sessions: (u64, u64)) -> Option<TripCause> {
            self.now += 5;
            let counts = |n, x| UnitCounts { n, x, ..UnitCounts::default() };
            let tick = UnitTick {
                route: trial().place.to_string(),
                rollout: self.scrape.rollout.clone(),
                epoch: "e".into(),
                seq: self.now,
                at: Timestamp(0),
                feed: Feed::Scrape,
                sampled: 0,
                canary: counts(vec![1_000, cycles.0, sessions.0], vec![1_000, cycles.1, sessions.1]),
                baseline: counts(vec![1_000, old.0, 1_000], vec![1_000, old.1, 0]),
            };
            self.watches.counted(&self.scrape, &tick, Duration::from_secs(self.now))
        }
    }

    fn cause(metric: &str, failed: u64, of: u64) -> TripCause {
        TripCause::Events { metric: metric.into(), failed, of, limit: 500, for_ms: 30_000 }
    }

    #[test]
    fn each_metric_of_errors_is_held_to_the_limit_by_itself() {
        let mut w = Worker::begin();
        for _ in 0..5 {
            assert_eq!(w.round((100, 100), (100, 0)), None, "the window is not full yet");
        }
        assert_eq!(w.round((100, 100), (100, 0)), Some(cause("cycles", 600, 600)));
        let mut w = Worker::begin();
        for _ in 0..12 {
            assert_eq!(w.round((20, 1), (1_000, 0)), None, "at the limit is not above it");
        }
        assert_eq!(w.round((20, 0), (1_000, 301)), Some(cause("sessions", 301, 6_000)));
    }

    #[test]
    fn few_cycles_prove_nothing_nor_does_what_is_of_another_rollout() {
        let mut w = Worker::begin();
        for _ in 0..20 {
            assert_eq!(w.round((16, 16), (0, 0)), None, "96 in the window, and 100 are needed");
        }
        assert_eq!(w.round((20, 20), (0, 0)), Some(cause("cycles", 100, 100)));
        w.scrape.rollout = "another".into();
        assert_eq!(w.round((900, 900), (0, 0)), None);
        // Another trial begins anew, and one without the limit has none.
        let mut other = trial();
        (other.rollout, other.limits.error_rate) = ("another".into(), None);
        w.watches.follow(&[other], Duration::from_secs(w.now));
        for _ in 0..9 {
            assert_eq!(w.round((900, 900), (0, 0)), None);
        }
        w.watches.follow(&[], Duration::from_secs(w.now));
        assert_eq!(w.round((900, 900), (0, 0)), None);
    }

    #[test]
    fn what_fails_with_the_old_release_too_is_not_held_against_the_new_one() {
        let mut w = Worker::begin();
        for _ in 0..20 {
            assert_eq!(w.round_beside((100, 30), (100, 30), (0, 0)), None, "both at 30 %");
            assert_eq!(w.round_beside((100, 30), (100, 100), (0, 0)), None, "how much worse it is, the judge says");
        }
        // Another metric is not excused by it.
        let sessions = (0..6).find_map(|_| w.round_beside((100, 30), (100, 30), (100, 50)));
        assert!(matches!(sessions, Some(TripCause::Events { metric, .. }) if metric == "sessions"));
        // Nor by an old release that has counted too little, or nothing any more.
        for (old, trips) in [((16, 16), true), ((17, 17), false), ((0, 0), true), ((100, 5), true)] {
            let mut w = Worker::begin();
            let passed = (0..6).find_map(|_| w.round_beside(old, (100, 30), (0, 0)));
            assert_eq!(passed.is_some(), trips, "{old:?}");
        }
    }
}
