//! What a route carries while a new revision is on trial beside the one it is to replace: what the edge counts for the
//! judge, and the fixed limits that the agent enforces by itself.
//!
//! A trial is named by its route and the route's `salt`, which is the rollout's id.

use crate::{
    id::{Place, RevisionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Latency bounds a trial may have.
pub const MOST_BOUNDS: usize = 8;
/// How long the edge keeps ticks that nobody has taken.
pub const TICKS_KEPT_S: u64 = 600;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub canary: RevisionId,
    /// Where traffic returns to, and what the canary is compared with.
    pub baseline: RevisionId,
    /// Whether the edge counts units at all.
    pub counted: bool,
    /// Milliseconds, rising, at most [`MOST_BOUNDS`]: a client is slow against each bound by itself. Fixed at the start.
    pub bounds_ms: Vec<u32>,
    pub ignore: Ignore,
    pub limits: Limits,
    /// How long the agent leaves the canary its share without hearing from the server.
    pub lease_ms: u64,
}

/// Requests that are no units.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ignore {
    /// Path prefixes, on a segment boundary.
    pub paths: Vec<String>,
    /// Parts of a `User-Agent`, without regard to case.
    pub agents: Vec<String>,
}

/// Fixed limits of the canary's requests; what is `None` has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Basis points of its answers that are 5xx or could not be had; by shard, of what it counts as errors.
    pub error_rate: Option<u32>,
    /// Milliseconds that 99 of 100 answers stay within; taken to the next of [`super::edge::LATENCY_BOUNDS`], beyond the
    /// last of which nothing can be told and nothing is enforced.
    pub p99_ms: Option<u32>,
    /// The window both are taken over.
    pub for_ms: u64,
    /// Fewer in the window prove nothing.
    pub min_requests: u64,
}

/// A worker's new release has some of its shards, and the old one could have them back: each of its instances is there,
/// stopped. From the first wish that an old one stop until the rollout is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShardTrial {
    pub place: Place,
    /// The rollout's id, as in a [`DesiredScrape`](super::scrape::DesiredScrape).
    pub rollout: String,
    pub canary: RevisionId,
    pub baseline: RevisionId,
    /// Of each metric of errors that is scraped; there are no latencies.
    pub limits: Limits,
    /// How long the agent leaves the canary its shards without hearing from the server.
    pub lease_ms: u64,
}

/// The canary gives its shards back, whatever phases its instances and the baseline's are wanted in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShardTrip {
    pub place: Place,
    pub trip: Trip,
}

/// A fixed limit that was passed, or a lease that ran out: the agent has given the canary's share to the baseline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trip {
    /// The rollout it happened in: the route's salt, or the shards' trial's.
    pub rollout: String,
    pub at: Timestamp,
    pub cause: TripCause,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum TripCause {
    /// `failed` of `requests` in the window.
    ErrorRate { failed: u64, requests: u64, limit: u32, for_ms: u64 },
    /// `slow` of `requests` took longer than the limit.
    P99 { slow: u64, requests: u64, limit_ms: u32, for_ms: u64 },
    /// `failed` of `of` in the window, as the service itself counts under this name.
    Events { metric: String, failed: u64, of: u64, limit: u32, for_ms: u64 },
    /// The server was not heard of for so long.
    Lease { lease_ms: u64 },
}

/// What was counted of one trial in one second, or round, or since the last run. Ticks of one `epoch` are numbered without gaps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitTick {
    /// [`super::edge::Route::id`]: `service/env/site`.
    pub route: String,
    /// The route's salt; of what instances count themselves, a [`Purpose`](super::scrape::Purpose).
    pub rollout: String,
    /// Names the counting worker; a new one has forgotten who failed before.
    pub epoch: String,
    pub seq: u64,
    /// The end of the second.
    pub at: Timestamp,
    #[serde(default)]
    pub feed: Feed,
    /// One of `2^sampled` clients is looked at.
    pub sampled: u32,
    pub canary: UnitCounts,
    pub baseline: UnitCounts,
}

/// Who counted, and so what the numbers of a tick are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feed {
    /// The edge: clients that fail, then clients that are slow against each bound.
    #[default]
    Edge,
    /// The agent, from the instances' own counters: exposures and events of each [`ScrapedMetric`](super::scrape::ScrapedMetric).
    Scrape,
    /// The agent, from a cron service's schedule: runs that ended, and those of them that failed.
    Runs,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct UnitCounts {
    /// Clients that were active and had not failed before in this rollout; then, for each bound, not been slow before.
    pub n: Vec<u64>,
    /// Those of them for whom it was the first time.
    pub x: Vec<u64>,
    /// Clients seen for the first time on this arm in this rollout, of those that had not failed before: a client that a
    /// larger share moves to the canary is new there. Rates and the promotion's floor are per client, not per client and
    /// second, and this is what they count. Estimated from a sample where there are more than can be remembered.
    pub new: u64,
    /// Requests, units or not, and those of them that failed.
    pub requests: u64,
    pub failed: u64,
    /// Answers to them by the buckets of [`LATENCY_BOUNDS`](super::edge::LATENCY_BOUNDS), without noughts at the end; nothing
    /// from who does not see any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<u64>,
}

/// Two revisions of a cron service's place whose runs are to be counted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CountedRuns {
    pub place: Place,
    /// The rollout's id, as in a route's salt.
    pub rollout: String,
    pub canary: RevisionId,
    pub baseline: RevisionId,
}

/// Ticks up to `seq` are safe with the server and need not be kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitsTaken {
    pub route: String,
    pub rollout: String,
    pub epoch: String,
    pub seq: u64,
}
