//! How many clients a canary has failed, from what the edge counts for the judge. Pure.
//!
//! One client whose request fails under every release, and who sends it again and again, fills a window of requests by
//! itself. So where clients can be told apart, a limit asks for several of them, too. What cannot be told holds nothing
//! back: an agent that began in the middle of a trial, or missed a tick, goes by requests alone until the trial is over.

use std::collections::{BTreeMap, BTreeSet};
use tradewind_model::protocol::{
    agent::DesiredRoute,
    edge::Sticky,
    trial::{Trial, UnitTick},
};

/// Clients a canary has to have failed in its rollout. One may be alone with its fault, and two may be one person with two
/// devices; more would leave a canary with few clients without its second line.
pub const LEAST: u64 = 3;
/// Of the metrics in [`UnitCounts`](tradewind_model::protocol::trial::UnitCounts).
pub const ERRORS: usize = 0;

#[derive(Debug, Default)]
pub struct Clients {
    counts: BTreeMap<Key, Counts>,
    /// Under way when the agent began: who failed before, nobody here knows.
    forgotten: BTreeSet<Key>,
}

/// A route, and the rollout it is in.
type Key = (String, String);

#[derive(Debug, Default)]
struct Counts {
    missed: bool,
    epochs: BTreeMap<String, Epoch>,
}

#[derive(Debug, Default)]
struct Epoch {
    seq: u64,
    /// Clients of the canary, by metric.
    x: Vec<u64>,
}

fn key(route: &DesiredRoute) -> Key {
    (route.place.to_string(), route.salt.clone())
}

impl Clients {
    /// An agent begins with these routes of an earlier one.
    pub fn begin(desired: &[DesiredRoute]) -> Self {
        let forgotten = desired.iter().filter(|r| r.trial.is_some()).map(key).collect();
        Self { counts: BTreeMap::new(), forgotten }
    }

    /// Lets go of what is not on trial any more.
    pub fn follow(&mut self, desired: &[DesiredRoute]) {
        let on_trial: BTreeSet<_> = desired.iter().filter(|r| r.trial.is_some()).map(key).collect();
        self.counts.retain(|key, _| on_trial.contains(key));
        self.forgotten.retain(|key| on_trial.contains(key));
    }

    /// What the edge says, maybe again.
    pub fn came(&mut self, ticks: &[UnitTick]) {
        for tick in ticks {
            let counts = self.counts.entry((tick.route.clone(), tick.rollout.clone())).or_default();
            let epoch = counts.epochs.entry(tick.epoch.clone()).or_default();
            if tick.seq <= epoch.seq {
                continue;
            }
            counts.missed |= tick.seq != epoch.seq + 1;
            epoch.seq = tick.seq;
            epoch.x.resize(epoch.x.len().max(tick.canary.x.len()), 0);
            for (sum, x) in epoch.x.iter_mut().zip(&tick.canary.x) {
                *sum = sum.saturating_add(*x);
            }
        }
    }

    /// Whether what fails of a canary by this metric is more than a client or two, or may be for all that is known.
    pub fn are_several(&self, route: &DesiredRoute, metric: usize) -> bool {
        let tells_clients = match route.sticky {
            // Each request is one.
            Sticky::None => false,
            Sticky::Cookie { .. } | Sticky::Header { .. } => route.trial.as_ref().is_some_and(|t| t.counted),
        };
        let key = key(route);
        let known = self.counts.get(&key).filter(|c| tells_clients && !c.missed && !self.forgotten.contains(&key));
        let Some(counts) = known else { return true };
        // A worker after another may count the same clients again, so it is the most of one.
        counts.epochs.values().any(|epoch| epoch.x.get(metric).is_none_or(|x| *x >= LEAST))
    }
}

/// The metric of those clients who are slow against the highest bound that every answer beyond this limit crosses; `None`
/// where there is no such bound.
pub fn slower_than(limit_ms: u32, trial: &Trial) -> Option<usize> {
    trial.bounds_ms.iter().rposition(|bound| *bound <= limit_ms).map(|at| ERRORS + 1 + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::tests::route_on_trial;
    use tradewind_model::{protocol::trial::UnitCounts, time::Timestamp};

    fn shop(change: impl FnOnce(&mut DesiredRoute)) -> DesiredRoute {
        let mut route = route_on_trial();
        route.sticky = Sticky::Header { name: "X-Client-Id".into() };
        change(&mut route);
        route
    }

    fn tick(epoch: &str, seq: u64, x: &[u64]) -> UnitTick {
        let DesiredRoute { place, salt, .. } = route_on_trial();
        UnitTick {
            route: place.to_string(),
            rollout: salt,
            epoch: epoch.into(),
            seq,
            at: Timestamp(0),
            feed: Default::default(),
            sampled: 0,
            canary: UnitCounts { n: vec![50; x.len()], x: x.to_vec(), ..UnitCounts::default() },
            baseline: UnitCounts { n: vec![50; x.len()], x: vec![50; x.len()], ..UnitCounts::default() },
        }
    }

    #[test]
    fn three_clients_of_the_canary_are_several_whenever_they_failed() {
        let (mut clients, shop) = (Clients::default(), shop(|_| {}));
        clients.came(&[tick("a", 1, &[1]), tick("a", 2, &[0]), tick("a", 3, &[1])]);
        assert!(!clients.are_several(&shop, ERRORS));
        // The edge says again what nobody took.
        clients.came(&[tick("a", 1, &[1]), tick("a", 3, &[1]), tick("a", 4, &[0])]);
        assert!(!clients.are_several(&shop, ERRORS));
        clients.came(&[tick("a", 5, &[1])]);
        assert!(clients.are_several(&shop, ERRORS));
        clients.follow(&[DesiredRoute { version: 8, ..shop.clone() }]);
        clients.came(&[tick("a", 6, &[0])]);
        assert!(clients.are_several(&shop, ERRORS));
    }

    #[test]
    fn a_worker_that_forgot_who_failed_makes_no_clients() {
        let (mut clients, shop) = (Clients::default(), shop(|_| {}));
        for epoch in ["a", "b", "c", "d"] {
            clients.came(&[tick(epoch, 1, &[1])]);
        }
        assert!(!clients.are_several(&shop, ERRORS));
        clients.came(&[tick("d", 2, &[2])]);
        assert!(clients.are_several(&shop, ERRORS));
    }

    #[test]
    fn what_cannot_be_told_holds_nothing_back() {
        let one = [tick("a", 1, &[1])];
        let several = |mut clients: Clients, ticks: &[UnitTick], shop: &DesiredRoute| {
            clients.came(ticks);
            clients.are_several(shop, ERRORS)
        };
        let shop = shop(|_| {});
        assert!(!several(Clients::default(), &one, &shop));
        assert!(several(Clients::default(), &[], &shop), "nobody counts");
        assert!(several(Clients::default(), &[tick("a", 2, &[1])], &shop), "the first is missed");
        assert!(several(Clients::default(), &[tick("a", 1, &[1]), tick("a", 3, &[0])], &shop), "one is missed");
        assert!(several(Clients::begin(std::slice::from_ref(&shop)), &one, &shop), "it began before the agent");
        for change in [
            (|r| r.sticky = Sticky::None) as fn(&mut DesiredRoute),
            |r| r.trial.as_mut().unwrap().counted = false,
            |r| r.salt = "another".into(),
        ] {
            let mut other = shop.clone();
            change(&mut other);
            assert!(several(Clients::default(), &one, &other), "{other:?}");
        }
        // Another trial is counted from its beginning.
        let mut clients = Clients::begin(std::slice::from_ref(&shop));
        clients.follow(&[DesiredRoute { trial: None, ..shop.clone() }]);
        assert!(!several(clients, &one, &shop));
    }

    #[test]
    fn slow_clients_are_those_of_the_highest_bound_that_is_not_above_the_limit() {
        let with = |bounds: &[u32]| shop(|r| r.trial.as_mut().unwrap().bounds_ms = bounds.to_vec()).trial.unwrap();
        assert_eq!(slower_than(3_000, &with(&[100, 1_000, 3_000])), Some(3));
        assert_eq!(slower_than(2_999, &with(&[100, 1_000, 3_000])), Some(2));
        assert_eq!(slower_than(99, &with(&[100, 1_000, 3_000])), None);
        assert_eq!(slower_than(3_000, &with(&[])), None);
        let mut clients = Clients::default();
        clients.came(&[tick("a", 1, &[0, 40, 2]), tick("a", 2, &[0, 0, 0])]);
        assert_eq!([1, 2].map(|metric| clients.are_several(&shop(|_| {}), metric)), [true, false]);
    }
}
