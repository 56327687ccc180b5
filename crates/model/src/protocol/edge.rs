//! Agent and edge, over the Unix socket `run/edge.sock` of the data folder.
//!
//! The agent dials; the edge greets with [`FromEdge::Hello`]. Every table is complete: there are no deltas, so a table
//! may be sent twice or skipped. The edge serves its last table, from disk after a restart, with or without an agent.

use super::trial::{Trial, UnitTick, UnitsTaken};
use crate::{
    id::{Digest, InstanceId, RevisionId},
    time::Timestamp,
    workload::HealthCheck,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr};

pub const VERSION: u32 = 1;

/// Shares are basis points: 10,000 is all traffic.
pub const FULL_SHARE: u32 = 10_000;

/// Upper bounds of the latency histogram, seconds; a last bucket takes the rest. The same everywhere in Tradewind.
pub const LATENCY_BOUNDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 3.0, 5.0, 10.0];

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToEdge {
    Hello {
        protocol: u32,
    },
    Table(Table),
    /// Beside the table: it changes on another day, and holds keys.
    Certificates(Certificates),
    /// Answers [`FromEdge::Units`]; what was not answered is sent again to the next agent.
    UnitsTaken {
        taken: Vec<UnitsTaken>,
    },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromEdge {
    /// `table` is the version being served, 0 when none was ever received.
    Hello { protocol: u32, pid: u32, table: u64, listen: Vec<SocketAddr> },
    /// From here on no new request follows an older table.
    Ack { version: u64 },
    /// The table was older than the one being served, or not valid; the one being served stays.
    Refused { version: u64, serving: u64, reason: String },
    /// An instance that left the table has no request in flight any more.
    Drained { instance: InstanceId },
    /// Sent every second, and at once after a table change that moved traffic.
    Stats(Stats),
    /// What was counted of the routes' trials since the last time, once a second while there is any.
    Units { ticks: Vec<UnitTick> },
    /// What came with [`ToEdge::Certificates`] is shown from now on: digests of chains, tokens of challenges.
    Certificates { shown: Vec<Digest>, challenges: Vec<String> },
}

/// All certificates that Tradewind itself keeps, and what the edge answers authorities that ask whether a name is ours.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Certificates {
    pub chains: Vec<KeyedChain>,
    /// Chains that are wanted, too, and could not be fetched yet: an edge that has them goes on showing them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Digest>,
    pub challenges: Vec<Challenge>,
}

/// A certificate with its chain, and its key. Never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedChain {
    /// PEM, the certificate first.
    pub chain: String,
    /// PEM.
    pub key: String,
}

impl KeyedChain {
    /// Names it without its key.
    pub fn digest(&self) -> Digest {
        Digest::of(self.chain.as_bytes())
    }
}

impl std::fmt::Debug for KeyedChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyedChain({})", self.digest())
    }
}

/// RFC 8555 (HTTP-01) and RFC 8737 (TLS-ALPN-01): either may be asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Challenge {
    /// Lower case.
    pub host: String,
    /// Part of the path that is asked for.
    pub token: String,
    /// What is answered there.
    pub authorization: String,
}

/// What the edge serves. Versions only rise; a lower one is refused, an equal one is acknowledged again.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Table {
    pub version: u64,
    pub routes: Vec<Route>,
    /// A request whose `x-tradewind-probe` header equals this is a verification: it names the revision it wants in
    /// `x-tradewind-want` (or takes what the split gives), and the answer names in `x-tradewind-revision` and
    /// `x-tradewind-instance` who served it. Other requests can neither choose nor see.
    pub probe_token: String,
}

/// Requests for one (service, environment, site).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// `service/env/site`.
    pub id: String,
    /// Host names, lower case, without port; empty matches every host. `*.example.com` matches one label.
    pub hosts: Vec<String>,
    /// Begins with `/`; the longest prefix (on a segment boundary) of the most exact host wins.
    pub path_prefix: String,
    pub mode: Mode,
    pub sticky: Sticky,
    /// Key of the assignment hash; a rollout's id, so that raising a share never moves a client back.
    pub salt: String,
    /// Weights sum to [`FULL_SHARE`], or all are 0 and the route answers 503.
    pub splits: Vec<Split>,
    pub limits: RouteLimits,
    pub health: Option<HealthCheck>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Mode {
    Serve,
    /// Hold requests for up to `max_ms` and at most `max_requests` of them, then answer 503 with `Retry-After`.
    Pause {
        max_ms: u64,
        max_requests: u32,
    },
    /// Answer the maintenance page at once.
    Maintenance {
        retry_after_s: u32,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Sticky {
    /// Each request is assigned by itself.
    None,
    /// The edge mints a client id and offers it as this cookie; the cookie never names a release.
    Cookie { name: String, max_age_s: u64, secure: bool },
    /// Machine clients: the value of this header is the client id; without it the request is assigned by itself.
    Header { name: String },
}

/// One revision's part of a route.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Split {
    pub revision: RevisionId,
    /// For people and metrics: `v3`.
    pub label: String,
    /// Basis points; 0 keeps the targets checked and warm without traffic.
    pub weight: u32,
    pub targets: Vec<Target>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    pub instance: InstanceId,
    pub addr: SocketAddr,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteLimits {
    pub connect_ms: u64,
    /// Until the response's head.
    pub response_ms: u64,
    /// How long what is in flight on a removed target may go on.
    pub drain_ms: u64,
    pub max_body_bytes: u64,
    /// Requests at once per instance; beyond it they wait, bounded by `connect_ms`.
    pub max_in_flight: u32,
}

impl Default for RouteLimits {
    fn default() -> Self {
        Self {
            connect_ms: 2_000,
            response_ms: 60_000,
            drain_ms: 30_000,
            max_body_bytes: 64 << 20,
            max_in_flight: 4_096,
        }
    }
}

/// Counters since the edge's worker began; they only rise within one `epoch`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Stats {
    /// Names the worker process; a new one starts from zero.
    pub epoch: String,
    pub at: Timestamp,
    pub table: u64,
    pub splits: Vec<SplitStats>,
    pub targets: Vec<TargetStats>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SplitStats {
    pub route: String,
    pub revision: RevisionId,
    pub label: String,
    pub requests: u64,
    /// Answers by class of the status: index 0 is 1xx, 4 is 5xx.
    pub responses: [u64; 5],
    /// Answers the edge made itself because the upstream failed, by cause: `connect`, `timeout`, `reset`, `overload`,
    /// `no_target`; and `body`, answers that broke off after their head (counted as responses, too).
    pub upstream_failures: BTreeMap<String, u64>,
    /// Clients that went away first. Not a failure of the release.
    pub client_aborts: u64,
    /// Counts per bucket of [`LATENCY_BOUNDS`], request head in to response head out; one more for the rest.
    pub latency: Vec<u64>,
    pub latency_sum_us: u64,
    /// When the last request was assigned to this revision.
    pub last_request_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TargetStats {
    pub instance: InstanceId,
    pub in_flight: u64,
    pub healthy: bool,
    /// It left the table and waits for its last answers.
    pub draining: bool,
}
