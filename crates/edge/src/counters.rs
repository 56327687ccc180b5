//! What is counted per split. Serving threads add to their own shard without locks; readers sum the shards.

use crate::shard::Sharded;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tradewind_model::{
    id::RevisionId,
    protocol::edge::{LATENCY_BOUNDS, SplitStats},
    time::Timestamp,
};

/// A latency histogram: one count for each of [`LATENCY_BOUNDS`], and one for the rest.
pub type Buckets = [u64; BUCKETS];

const BUCKETS: usize = LATENCY_BOUNDS.len() + 1;

/// Why an upstream gave no (whole) answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// No instance accepted the connection.
    Connect,
    /// No response head in time.
    Timeout,
    /// The connection ended before the response's head.
    Reset,
    /// All instances had `max_in_flight` requests.
    Overload,
    /// The split had no target.
    NoTarget,
    /// The connection ended within the response's body: the client saw a broken answer.
    Body,
}

impl Cause {
    pub const ALL: [Self; 6] = [Self::Connect, Self::Timeout, Self::Reset, Self::Overload, Self::NoTarget, Self::Body];

    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Overload => "overload",
            Self::NoTarget => "no_target",
            Self::Body => "body",
        }
    }
}

#[derive(Debug, Default)]
struct Shard {
    requests: AtomicU64,
    responses: [AtomicU64; 5],
    failures: [AtomicU64; Cause::ALL.len()],
    client_aborts: AtomicU64,
    retries: AtomicU64,
    cut: AtomicU64,
    spilled: AtomicU64,
    latency: [AtomicU64; BUCKETS],
    latency_sum_us: AtomicU64,
    last_request_at: AtomicI64,
}

/// Counters of one revision on one route, for as long as the worker lives.
#[derive(Debug)]
pub struct Counters {
    pub route: Box<str>,
    pub revision: RevisionId,
    pub label: Box<str>,
    shards: Sharded<Shard>,
}

impl Counters {
    pub fn new(shards: usize, route: &str, revision: RevisionId, label: &str) -> Self {
        Self { route: route.into(), revision, label: label.into(), shards: Sharded::new(shards, Shard::default) }
    }

    pub fn request(&self, at: Timestamp) {
        let shard = self.shards.mine();
        shard.requests.fetch_add(1, Relaxed);
        shard.last_request_at.store(at.0, Relaxed);
    }

    /// The response's head goes out.
    pub fn response(&self, status: u16, after: Duration) {
        let shard = self.shards.mine();
        let class = usize::from((status / 100).clamp(1, 5) - 1);
        shard.responses[class].fetch_add(1, Relaxed);
        let us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        shard.latency[bucket(us)].fetch_add(1, Relaxed);
        shard.latency_sum_us.fetch_add(us, Relaxed);
    }

    pub fn failure(&self, cause: Cause) {
        self.shards.mine().failures[cause as usize].fetch_add(1, Relaxed);
    }

    pub fn client_abort(&self) {
        self.shards.mine().client_aborts.fetch_add(1, Relaxed);
    }

    pub fn retry(&self) {
        self.shards.mine().retries.fetch_add(1, Relaxed);
    }

    /// The drain time of its target ended before the request did.
    pub fn cut(&self) {
        self.shards.mine().cut.fetch_add(1, Relaxed);
    }

    /// A client of this split went to another, because this one has no target.
    pub fn spilled(&self) {
        self.shards.mine().spilled.fetch_add(1, Relaxed);
    }

    fn sum(&self, field: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.shards.iter().map(|s| field(s).load(Relaxed)).sum()
    }

    pub fn requests(&self) -> u64 {
        self.sum(|s| &s.requests)
    }

    /// Answers that were 5xx, whoever made them, and those that broke off.
    pub fn failed(&self) -> u64 {
        self.sum(|s| &s.responses[4]) + self.sum(|s| &s.failures[Cause::Body as usize])
    }

    pub fn latency(&self) -> Buckets {
        std::array::from_fn(|i| self.sum(|s| &s.latency[i]))
    }

    pub fn retries(&self) -> u64 {
        self.sum(|s| &s.retries)
    }

    pub fn cuts(&self) -> u64 {
        self.sum(|s| &s.cut)
    }

    pub fn spills(&self) -> u64 {
        self.sum(|s| &s.spilled)
    }

    pub fn snapshot(&self) -> SplitStats {
        let last = self.shards.iter().map(|s| s.last_request_at.load(Relaxed)).max().unwrap_or(0);
        let failures: BTreeMap<String, u64> = Cause::ALL
            .into_iter()
            .map(|c| (c.name().to_owned(), self.sum(|s| &s.failures[c as usize])))
            .filter(|(_, n)| *n > 0)
            .collect();
        SplitStats {
            route: self.route.to_string(),
            revision: self.revision,
            label: self.label.to_string(),
            requests: self.sum(|s| &s.requests),
            responses: std::array::from_fn(|i| self.sum(|s| &s.responses[i])),
            upstream_failures: failures,
            client_aborts: self.sum(|s| &s.client_aborts),
            latency: self.latency().to_vec(),
            latency_sum_us: self.sum(|s| &s.latency_sum_us),
            last_request_at: (last > 0).then_some(Timestamp(last)),
        }
    }
}

/// The first bucket whose bound is not below `us`.
fn bucket(us: u64) -> usize {
    const BOUNDS_US: [u64; LATENCY_BOUNDS.len()] = {
        let mut out = [0; LATENCY_BOUNDS.len()];
        let mut i = 0;
        while i < out.len() {
            out[i] = (LATENCY_BOUNDS[i] * 1e6 + 0.5) as u64;
            i += 1;
        }
        out
    };
    BOUNDS_US.iter().position(|b| us <= *b).unwrap_or(LATENCY_BOUNDS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(1_000), 0);
        assert_eq!(bucket(1_001), 1);
        assert_eq!(bucket(10_000_000), 14);
        assert_eq!(bucket(10_000_001), 15);
    }
}
