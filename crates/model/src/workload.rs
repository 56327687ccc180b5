//! What an agent has to know to run a release: the resolved form of a spec's `run`, `prepare` and `health`.

use crate::secret::SecretUse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Takes requests: the edge splits its traffic.
    Web,
    /// Takes none: its share is a share of shards, and exactly one release works a shard at a time.
    Worker,
    /// Runs on a schedule and ends.
    Cron,
}

impl ServiceKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Worker => "worker",
            Self::Cron => "cron",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Web, Self::Worker, Self::Cron].into_iter().find(|k| k.as_str() == text)
    }
}

/// Everything a host needs to run one instance. Durations are milliseconds throughout.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Workload {
    pub kind: ServiceKind,
    /// Argument vector; never handed to a shell.
    pub command: Vec<String>,
    /// The spec's and the environment's variables. `PORT`, `TRADEWIND_*` and `HOME` are added by the agent.
    pub env: BTreeMap<String, String>,
    /// What more it is given when it begins: names here, values from the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretUse>,
    pub port: Port,
    pub health: Option<HealthCheck>,
    pub stop: StopPolicy,
    pub limits: Limits,
    pub restart: RestartPolicy,
    /// Runs once per release and host, at the release's final path, before the first instance starts.
    pub prepare: Option<Prepare>,
    /// Only for [`ServiceKind::Cron`]: five fields, in the given IANA time zone.
    pub schedule: Option<Schedule>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// The service listens on nothing.
    None,
    /// The agent picks a free port and passes it as `PORT`.
    Assigned,
    /// The service insists on this one; two instances of it cannot share a host.
    Fixed(u16),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Prepare {
    pub command: Vec<String>,
    pub timeout_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HealthCheck {
    #[serde(flatten)]
    pub probe: HealthProbe,
    pub interval_ms: u64,
    pub timeout_ms: u64,
    /// Passes in a row that make an instance ready.
    pub healthy_after: u32,
    /// Failures in a row that make a ready instance unhealthy.
    pub unhealthy_after: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HealthProbe {
    /// GET; any 2xx or 3xx passes.
    Http { path: String },
    /// A connection that is accepted passes.
    Tcp,
    /// Run as the instance's user in its folder; exit code 0 passes.
    Command { command: Vec<String> },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StopPolicy {
    /// Signal number: SIGTERM unless the spec says otherwise.
    pub signal: i32,
    /// How long requests in flight may take before the signal is sent.
    pub drain_ms: u64,
    /// From the signal to the kill of the whole group.
    pub grace_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Limits {
    pub memory_bytes: Option<u64>,
    /// Thousandths of a core.
    pub cpu_millis: Option<u64>,
    pub pids: Option<u64>,
    pub open_files: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RestartPolicy {
    pub backoff_min_ms: u64,
    pub backoff_max_ms: u64,
    /// This many exits within `window_ms` are a crash loop: the instance is `failed` and still retried at the longest back-off.
    pub crash_loop_exits: u32,
    pub window_ms: u64,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self { backoff_min_ms: 200, backoff_max_ms: 30_000, crash_loop_exits: 5, window_ms: 120_000 }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Schedule {
    pub expression: String,
    pub timezone: String,
    /// A run longer than this is stopped; a run that is due while one works is skipped and recorded.
    pub timeout_ms: u64,
}
