//! What a spec means where it says nothing. The reference pages print these as written in [`super::keys`]; a test
//! compares a spec that writes every one of them out with one that writes none.

use crate::protocol::edge::{RouteLimits, Sticky};

/// The spec's name in a repository.
pub const FILE: &str = "tradewind.yaml";
/// Used where the commit has it and the spec names no other.
pub const PIPELINE_FILE: &str = ".gitlab-ci.yml";
/// The one environment of a spec without `environments`, and its branch.
pub const ENVIRONMENT: &str = "production";
pub const BRANCH: &str = "main";

pub const PREPARE_TIMEOUT_MS: u64 = 5 * 60_000;
pub const START_TIMEOUT_MS: u64 = 60_000;

pub const HEALTH_INTERVAL_MS: u64 = 1_000;
pub const HEALTH_TIMEOUT_MS: u64 = 2_000;
pub const HEALTHY_AFTER: u32 = 1;
pub const UNHEALTHY_AFTER: u32 = 3;

/// SIGTERM.
pub const STOP_SIGNAL: i32 = 15;
pub const STOP_DRAIN_MS: u64 = 30_000;
pub const STOP_GRACE_MS: u64 = 10_000;

pub const INSTANCES: u32 = 1;
/// Instances of a worker with shards, unless there are fewer shards.
pub const MOST_CARRIERS: u32 = 8;

pub const SCHEDULE_TIMEZONE: &str = "UTC";
pub const SCHEDULE_TIMEOUT_MS: u64 = 3_600_000;

pub const MAX_SURGE: u32 = 1;
pub const SOAK_MS: u64 = 5_000;
pub const WARM_MS: u64 = 15 * 60_000;
pub const VERIFY: bool = true;
pub const FREEZE_QUEUE: bool = true;

/// Basis points.
pub const CANARY_STEPS: [u32; 3] = [1_000, 5_000, 10_000];
pub const WAVE_MIN_MS: u64 = 60_000;
pub const WAVE_MAX_MS: u64 = 30 * 60_000;
pub const WATCH_MS: u64 = 30 * 60_000;
pub const JUDGE_ALPHA_PPM: u32 = 10_000;
pub const JUDGE_BETA_PPM: u32 = 50_000;
pub const JUDGE_R0_MILLI: u32 = 1_000;
pub const JUDGE_R1_MILLI: u32 = 2_000;
pub const JUDGE_FLOOR_PPM: u32 = 10_000;
pub const JUDGE_LATENCY_MS: [u32; 5] = [100, 250, 500, 1_000, 3_000];
pub const JUDGE_WARMUP_MS: u64 = 15_000;
/// Basis points.
pub const LIMIT_ERROR_RATE: u32 = 500;
pub const LIMIT_P99_MS: u32 = 3_000;
pub const LIMIT_FOR_MS: u64 = 30_000;
pub const LIMIT_MIN_REQUESTS: u64 = 100;
/// How long a canary keeps its share without the server.
pub const LEASE_MS: u64 = 10 * 60_000;

pub const METRICS_PATH: &str = "/metrics";
pub const METRICS_INTERVAL_MS: u64 = 5_000;

pub const ROUTE_PATH: &str = "/";
pub const STICKY_COOKIE: &str = "tradewind_client";
pub const STICKY_MAX_AGE_MS: u64 = 30 * 86_400_000;

pub fn sticky_cookie() -> Sticky {
    Sticky::Cookie { name: STICKY_COOKIE.into(), max_age_s: STICKY_MAX_AGE_MS / 1_000, secure: false }
}

/// `drain_ms` follows `run.stop.drain`.
pub fn route_limits() -> RouteLimits {
    RouteLimits { drain_ms: STOP_DRAIN_MS, ..RouteLimits::default() }
}
