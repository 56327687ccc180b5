//! How many requests a route has lately, and how many of them fail: from the counters of a host's edge.

use std::collections::{BTreeMap, VecDeque};
use tradewind_model::{protocol::edge::Stats, time::Timestamp};

/// Between two looks that are kept, and how many are: half a minute, so that traffic which has just begun is not taken for
/// a tenth of it.
const EVERY_S: f64 = 5.0;
const KEPT: usize = 7;

/// The counters of the last half minute.
#[derive(Debug, Default)]
pub struct Past {
    epoch: String,
    looks: VecDeque<(Timestamp, BTreeMap<String, Counts>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Counts {
    requests: u64,
    failed: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Flow {
    pub requests_per_s: f64,
    pub failed_per_s: f64,
    /// What it was taken over.
    pub seconds: f64,
}

impl Flow {
    /// Both hosts' together.
    pub fn and(self, other: Self) -> Self {
        Self {
            requests_per_s: self.requests_per_s + other.requests_per_s,
            failed_per_s: self.failed_per_s + other.failed_per_s,
            seconds: self.seconds.min(other.seconds),
        }
    }
}

impl Past {
    /// A new worker counts from zero: what was before it is no use.
    pub fn note(&mut self, stats: &Stats) {
        if self.epoch != stats.epoch {
            self.epoch.clone_from(&stats.epoch);
            self.looks.clear();
        }
        if self.looks.back().is_some_and(|(at, _)| stats.at.since(*at).as_secs_f64() < EVERY_S) {
            return;
        }
        let mut now: BTreeMap<String, Counts> = BTreeMap::new();
        for split in &stats.splits {
            let counts = now.entry(split.route.clone()).or_default();
            counts.requests += split.requests;
            // Answers of the edge itself for an upstream that failed are 5xx, too.
            counts.failed += split.responses[4];
        }
        self.looks.push_back((stats.at, now));
        if self.looks.len() > KEPT {
            self.looks.pop_front();
        }
    }

    pub fn of(&self, route: &str) -> Option<Flow> {
        let (first, last) = (self.looks.front()?, self.looks.back()?);
        let seconds = last.0.since(first.0).as_secs_f64();
        let at = |look: &BTreeMap<String, Counts>| look.get(route).copied().unwrap_or_default();
        let (before, now) = (at(&first.1), at(&last.1));
        // Counters of revisions long gone are dropped, so sums may fall.
        let (requests, failed) = (now.requests.checked_sub(before.requests)?, now.failed.checked_sub(before.failed)?);
        (seconds > 0.0).then(|| Flow {
            requests_per_s: requests as f64 / seconds,
            failed_per_s: failed as f64 / seconds,
            seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tradewind_model::{id::RevisionId, protocol::edge::SplitStats};

    fn stats(epoch: &str, second: u64, requests: u64, failed: u64) -> Stats {
        let at = Timestamp(0).plus(Duration::from_secs(second));
        let split = SplitStats {
            route: "shop/production/default".into(),
            revision: RevisionId::at(Timestamp(1)),
            label: "v1".into(),
            requests,
            responses: [0, 0, requests - failed, 0, failed],
            upstream_failures: BTreeMap::new(),
            client_aborts: 0,
            latency: Vec::new(),
            latency_sum_us: 0,
            last_request_at: None,
        };
        Stats { epoch: epoch.into(), at, table: 1, splits: vec![split], targets: Vec::new() }
    }

    #[test]
    fn a_rate_is_taken_over_the_last_half_minute_of_one_worker() {
        let mut past = Past::default();
        assert_eq!(past.of("shop/production/default"), None);
        for second in 0..400 {
            past.note(&stats("a", second, second * 100, second));
        }
        let flow = past.of("shop/production/default").unwrap();
        assert_eq!((flow.requests_per_s, flow.failed_per_s, flow.seconds), (100.0, 1.0, 30.0));
        past.note(&stats("b", 400, 10, 0));
        assert_eq!(past.of("shop/production/default"), None, "one look is no rate");
        past.note(&stats("b", 410, 30, 0));
        assert_eq!(past.of("shop/production/default").unwrap().requests_per_s, 2.0);
        assert_eq!(past.of("other").unwrap().requests_per_s, 0.0);
    }
}
