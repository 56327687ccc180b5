//! Fixed limits of a canary's requests, from the edge's counters. Pure.
//!
//! The second line behind the judge: it needs no server. A limit is passed where the rate over a whole sliding window is
//! above it. The window is full only when the trial has been watched for as long; before that nothing is said.
//!
//! A limit that the baseline passes as well, in the same window, says nothing about the canary: the judge compares both.
//! Nor does one that a client or two pass by themselves ([`clients`](super::clients)).

use super::clients::{self, Clients, ERRORS};
use crate::window::{Arms, Counted, Window};
use std::{collections::BTreeMap, time::Duration};
use tradewind_model::{
    id::Place,
    protocol::{
        agent::DesiredRoute,
        edge::{LATENCY_BOUNDS, SplitStats, Stats},
        trial::{Limits, Trial, TripCause, UnitTick},
    },
};

/// Basis points in one.
const ALL: u64 = 10_000;
/// 99 of 100 answers may not be slow.
const ONE_IN: u64 = 100;

#[derive(Debug, Default)]
pub struct Watches {
    watches: BTreeMap<Place, Watch>,
    clients: Clients,
}

/// A canary since its trial began.
#[derive(Debug)]
struct Watch {
    rollout: String,
    trial: Trial,
    /// The edge's worker that counted last, and what it had counted.
    last: (String, Arms<Answers>),
    window: Window<Arms<Answers>>,
}

fn answers(stats: &Stats, route: &str, trial: &Trial) -> Arms<Answers> {
    let of = |revision| {
        let split = stats.splits.iter().find(|s| s.route == route && s.revision == revision);
        Answers::of(split, &trial.limits)
    };
    Arms { canary: of(trial.canary), baseline: of(trial.baseline) }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Answers {
    all: u64,
    failed: u64,
    slow: u64,
}

impl Answers {
    fn of(stats: Option<&SplitStats>, limits: &Limits) -> Self {
        let Some(stats) = stats else { return Self::default() };
        let broke = stats.upstream_failures.get("body").copied().unwrap_or_default();
        let all = stats.responses.iter().sum();
        let slow = limits.p99_ms.and_then(fast_buckets).map(|fast| stats.latency.iter().skip(fast).sum());
        // An answer that broke off was counted by its status, too.
        Self { all, failed: (stats.responses[4] + broke).min(all), slow: slow.unwrap_or_default() }
    }

    /// Fewer prove nothing.
    fn suffice(self, limits: &Limits) -> bool {
        self.all >= limits.min_requests.max(1)
    }

    /// `limit` in basis points.
    fn fail_above(self, limit: u32) -> bool {
        self.failed.saturating_mul(ALL) > self.all.saturating_mul(limit.into())
    }

    fn are_slow(self) -> bool {
        self.slow.saturating_mul(ONE_IN) > self.all
    }
}

impl Counted for Answers {
    fn plus(self, other: Self) -> Self {
        Self { all: self.all + other.all, failed: self.failed + other.failed, slow: self.slow + other.slow }
    }

    fn since(self, other: Self) -> Self {
        Self {
            all: self.all.saturating_sub(other.all),
            failed: self.failed.saturating_sub(other.failed),
            slow: self.slow.saturating_sub(other.slow),
        }
    }
}

/// Buckets of the edge's histogram up to the first bound that is not below the limit; `None` beyond the last bound, where
/// nothing can be told.
fn fast_buckets(limit_ms: u32) -> Option<usize> {
    let limit = f64::from(limit_ms) / 1_000.0;
    LATENCY_BOUNDS.iter().position(|b| *b >= limit).map(|at| at + 1)
}

impl Watches {
    /// An agent begins with these routes of an earlier one.
    pub fn begin(desired: &[DesiredRoute]) -> Self {
        Self { watches: BTreeMap::new(), clients: Clients::begin(desired) }
    }

    /// What the edge counted of clients.
    pub fn clients(&mut self, ticks: &[UnitTick]) {
        self.clients.came(ticks);
    }

    /// New counters at `now` (since the agent began). The canaries with a share that pass a limit with them.
    pub fn counted(&mut self, desired: &[DesiredRoute], stats: &Stats, now: Duration) -> Vec<(Place, TripCause)> {
        self.clients.follow(desired);
        self.watches.retain(|place, _| desired.iter().any(|r| r.place == *place && r.trial.is_some()));
        let mut passed = Vec::new();
        for route in desired {
            let Some(trial) = &route.trial else { continue };
            let id = route.place.to_string();
            let answers = answers(stats, &id, trial);
            let begun = || Watch {
                rollout: route.salt.clone(),
                trial: trial.clone(),
                last: (stats.epoch.clone(), answers),
                window: Window::begin(Duration::from_millis(trial.limits.for_ms), now),
            };
            let watch = self.watches.entry(route.place.clone()).or_insert_with(begun);
            if watch.rollout != route.salt || watch.trial != *trial {
                *watch = begun();
            }
            watch.add(&stats.epoch, answers, now);
            let has_share = route.splits.iter().any(|s| s.revision == trial.canary && s.weight > 0);
            let several = |metric| self.clients.are_several(route, metric);
            if let Some(cause) = watch.passes(now, several).filter(|_| has_share) {
                passed.push((route.place.clone(), cause));
            }
        }
        passed
    }
}

impl Watch {
    fn add(&mut self, epoch: &str, answers: Arms<Answers>, now: Duration) {
        let (worker, before) = &self.last;
        // Another worker began from nothing.
        let new = if worker == epoch { answers.since(*before) } else { answers };
        self.last = (epoch.to_owned(), answers);
        self.window.add(new, now);
    }

    /// `several`: whether it is more than a client or two, by a metric of the trial.
    fn passes(&self, now: Duration, several: impl Fn(usize) -> bool) -> Option<TripCause> {
        let Arms { canary, baseline } = self.window.full(now)?;
        let limits = &self.trial.limits;
        if !canary.suffice(limits) {
            return None;
        }
        // Both are held to a limit by the same measure.
        let alone = |over: &dyn Fn(Answers) -> bool| over(canary) && !(baseline.suffice(limits) && over(baseline));
        let (requests, for_ms) = (canary.all, limits.for_ms);
        let errors = limits
            .error_rate
            .filter(|limit| alone(&|answers| answers.fail_above(*limit)) && several(ERRORS))
            .map(|limit| TripCause::ErrorRate { failed: canary.failed, requests, limit, for_ms });
        errors.or_else(|| {
            let several = |limit_ms| clients::slower_than(limit_ms, &self.trial).is_none_or(&several);
            let limit_ms = limits.p99_ms.filter(|limit_ms| alone(&Answers::are_slow) && several(*limit_ms))?;
            Some(TripCause::P99 { slow: canary.slow, requests, limit_ms, for_ms })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::tests::{place, revision, route_on_trial};
    use tradewind_model::{
        protocol::{
            edge::Sticky,
            trial::{Feed, UnitCounts},
        },
        time::Timestamp,
    };

    /// An edge whose counters one adds to.
    struct Edge {
        watches: Watches,
        desired: Vec<DesiredRoute>,
        stats: Stats,
        now: u64,
    }

    impl Edge {
        fn new(change: impl FnOnce(&mut DesiredRoute)) -> Self {
            let mut route = route_on_trial();
            change(&mut route);
            let stats = Stats {
                epoch: "a".into(),
                at: Timestamp(0),
                table: 1,
                splits: vec![split(1), split(2)],
                targets: vec![],
            };
            Self { watches: Watches::default(), desired: vec![route], stats, now: 100 }
        }

        /// A second with so many answers of a revision, of which some failed and some took 3 s and more.
        fn second(&mut self, of: u128, all: u64, failed: u64, slow: u64) -> Vec<TripCause> {
            self.count(of, all, failed, slow);
            self.look()
        }

        fn count(&mut self, of: u128, all: u64, failed: u64, slow: u64) {
            let split = self.stats.splits.iter_mut().find(|s| s.revision == revision(of)).unwrap();
            split.requests += all;
            split.responses[1] += all - failed;
            split.responses[4] += failed;
            split.latency[3] += all - slow;
            split.latency[13] += slow;
        }

        /// Seconds with a hundred answers of each revision, of which so many failed and were slow.
        fn beside(&mut self, seconds: u64, baseline: (u64, u64), canary: (u64, u64)) -> Vec<TripCause> {
            let second = |_| {
                self.count(1, 100, baseline.0, baseline.1);
                self.second(2, 100, canary.0, canary.1)
            };
            (0..seconds).flat_map(second).collect()
        }

        /// Clients that failed, or were slow against a bound, for the first time.
        fn clients(&mut self, seq: u64, x: Vec<u64>) {
            let route = &self.desired[0];
            let counts = UnitCounts { n: vec![50; x.len()], x, ..UnitCounts::default() };
            self.watches.clients(&[UnitTick {
                route: route.place.to_string(),
                rollout: route.salt.clone(),
                epoch: "a-1".into(),
                seq,
                at: Timestamp(0),
                feed: Feed::Edge,
                sampled: 0,
                canary: counts,
                baseline: UnitCounts::default(),
            }]);
        }

        fn look(&mut self) -> Vec<TripCause> {
            self.now += 1;
            let passed = self.watches.counted(&self.desired, &self.stats, Duration::from_secs(self.now));
            passed.into_iter().map(|(at, cause)| (at == place()).then_some(cause).unwrap()).collect()
        }
    }

    fn split(of: u128) -> SplitStats {
        SplitStats {
            route: place().to_string(),
            revision: revision(of),
            label: format!("v{of}"),
            requests: 0,
            responses: [0; 5],
            upstream_failures: BTreeMap::new(),
            client_aborts: 0,
            latency: vec![0; LATENCY_BOUNDS.len() + 1],
            latency_sum_us: 0,
            last_request_at: None,
        }
    }

    #[test]
    fn errors_above_the_limit_over_a_whole_window_pass_it() {
        let mut edge = Edge::new(|_| {});
        // The limit is 5 % for 10 s.
        let mut passed = (0..10).flat_map(|_| edge.second(2, 100, 6, 0)).collect::<Vec<_>>();
        assert_eq!(passed, [], "the window is not full yet");
        passed = edge.second(2, 100, 6, 0);
        assert_eq!(passed, [TripCause::ErrorRate { failed: 60, requests: 1_000, limit: 500, for_ms: 10_000 }]);
        for _ in 0..10 {
            passed = edge.second(2, 100, 5, 0);
        }
        assert_eq!(passed, [], "at the limit is not above it");
        // One bad second does not make a bad window.
        for _ in 0..5 {
            edge.second(2, 100, 0, 0);
        }
        assert_eq!(edge.second(2, 100, 15, 0), []);
    }

    #[test]
    fn what_was_counted_before_the_trial_is_not_held_against_it() {
        let mut edge = Edge::new(|r| r.trial = None);
        for _ in 0..20 {
            edge.second(2, 100, 100, 0);
        }
        edge.desired = vec![route_on_trial()];
        for _ in 0..30 {
            assert_eq!(edge.second(2, 100, 0, 0), []);
        }
        // Another rollout of the same revision begins anew, too.
        for _ in 0..9 {
            edge.second(2, 100, 100, 0);
        }
        edge.desired[0].salt = "another".into();
        for _ in 0..10 {
            assert_eq!(edge.second(2, 100, 10, 0), []);
        }
        assert_eq!(edge.second(2, 100, 10, 0).len(), 1);
    }

    #[test]
    fn few_requests_prove_nothing_and_the_baselines_are_not_the_canarys() {
        let mut edge = Edge::new(|_| {});
        for _ in 0..30 {
            assert_eq!(edge.second(2, 4, 4, 4), [], "40 in the window, and 50 are needed");
            assert_eq!(edge.second(1, 1_000, 1_000, 1_000), []);
        }
        let mut edge = Edge::new(|r| r.splits[1].weight = 0);
        for _ in 0..30 {
            assert_eq!(edge.second(2, 100, 100, 100), [], "there is no share to take");
        }
        let mut edge = Edge::new(|r| {
            let limits = &mut r.trial.as_mut().unwrap().limits;
            (limits.error_rate, limits.p99_ms, limits.min_requests) = (None, None, 0);
        });
        for _ in 0..30 {
            assert_eq!(edge.second(2, 100, 100, 100), [], "it has no limits");
            assert_eq!(edge.look(), []);
        }
    }

    #[test]
    fn more_than_one_in_a_hundred_slow_answers_pass_the_limit() {
        for (limit_ms, slow, trips) in [(3_000, 2, true), (2_999, 2, true), (1_500, 2, true), (3_000, 1, false)] {
            let mut edge = Edge::new(|r| r.trial.as_mut().unwrap().limits.p99_ms = Some(limit_ms));
            let last = (0..12).map(|_| edge.second(2, 100, 0, slow)).last().unwrap();
            let cause = TripCause::P99 { slow: 20, requests: 1_000, limit_ms, for_ms: 10_000 };
            assert_eq!(last, if trips { vec![cause] } else { vec![] }, "{limit_ms} {slow}");
        }
        // Slower than 3 s may be slower than 5 s or not: the bucket says only up to 5 s.
        for limit_ms in [3_001, 5_000, 10_001] {
            let mut edge = Edge::new(|r| r.trial.as_mut().unwrap().limits.p99_ms = Some(limit_ms));
            assert!((0..12).all(|_| edge.second(2, 100, 0, 50).is_empty()), "{limit_ms}");
        }
    }

    #[test]
    fn counters_of_another_worker_begin_from_nothing() {
        let mut edge = Edge::new(|_| {});
        for _ in 0..12 {
            edge.second(2, 100, 0, 0);
        }
        edge.stats.epoch = "b".into();
        edge.stats.splits = vec![split(1)];
        assert_eq!(edge.look(), [], "it has not seen the canary yet");
        edge.stats.splits.push(split(2));
        let passed: Vec<_> = (0..10).map(|_| edge.second(2, 100, 10, 0)).collect();
        let first = passed.iter().position(|p| !p.is_empty()).unwrap();
        // Seconds of both workers are in one window, and an empty one: 50 of 900 are more than 5 %.
        assert_eq!(first, 4, "{passed:?}");
    }

    #[test]
    fn a_limit_that_the_baseline_passes_too_says_nothing_about_the_canary() {
        for (ill, worse, at_limit) in [((30, 0), (100, 0), (5, 0)), ((0, 30), (0, 100), (0, 1))] {
            let mut edge = Edge::new(|_| {});
            assert_eq!(edge.beside(20, ill, ill), []);
            assert_eq!(edge.beside(20, ill, worse), [], "how much worse it is, the judge says");
            assert_eq!(edge.beside(20, ill, (0, 0)), []);
            // A baseline at its limit is not past it.
            assert_eq!(Edge::new(|_| {}).beside(11, at_limit, ill).len(), 1);
            // It is over for the baseline alone.
            let mut edge = Edge::new(|_| {});
            assert_eq!(edge.beside(20, ill, ill), []);
            assert_ne!(edge.beside(10, (0, 0), ill), []);
        }
    }

    #[test]
    fn errors_excuse_no_slowness_and_slowness_no_errors() {
        for (baseline, canary) in [((0, 30), (30, 0)), ((30, 0), (0, 30))] {
            assert_eq!(Edge::new(|_| {}).beside(11, baseline, canary).len(), 1, "{canary:?}");
        }
        // Where both are passed, and one by both, the other counts.
        let passed = Edge::new(|_| {}).beside(11, (30, 0), (30, 30));
        assert!(matches!(passed[..], [TripCause::P99 { .. }]), "{passed:?}");
    }

    #[test]
    fn a_baseline_with_too_few_requests_excuses_nothing() {
        for (all, excused) in [(0, false), (4, false), (5, true)] {
            let mut edge = Edge::new(|_| {});
            let second = |_| {
                edge.count(1, all, all, 0);
                edge.second(2, 100, 100, 0)
            };
            assert_eq!((0..15).flat_map(second).next().is_none(), excused, "{all} a second, and 50 in ten are needed");
        }
        // Where any number will do, none is still none.
        let mut edge = Edge::new(|r| r.trial.as_mut().unwrap().limits.min_requests = 0);
        assert!((0..15).flat_map(|_| edge.second(2, 1, 1, 0)).next().is_some());
    }

    #[test]
    fn a_client_or_two_pass_no_limit_by_themselves() {
        for (canary, metric) in [((30, 0), 0), ((0, 30), 2)] {
            let mut edge = Edge::new(|r| {
                r.sticky = Sticky::Header { name: "X-Client-Id".into() };
                r.trial.as_mut().unwrap().bounds_ms = vec![1_000, 3_000, 5_000];
            });
            let mut x = vec![9, 9, 9, 9];
            x[metric] = 2;
            edge.clients(1, x);
            assert_eq!(edge.beside(20, (0, 0), canary), [], "{metric}");
            let mut x = vec![0; 4];
            x[metric] = 1;
            edge.clients(2, x);
            assert_eq!(edge.beside(1, (0, 0), canary).len(), 1, "{metric}");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_has_failed() {
        let mut edge = Edge::new(|_| {});
        let mut last = Vec::new();
        for _ in 0..12 {
            *edge.stats.splits[1].upstream_failures.entry("body".into()).or_default() += 6;
            *edge.stats.splits[1].upstream_failures.entry("connect".into()).or_default() += 0;
            last = edge.second(2, 100, 0, 0);
        }
        assert_eq!(last, [TripCause::ErrorRate { failed: 60, requests: 1_000, limit: 500, for_ms: 10_000 }]);
    }
}
