//! `tradewind.yaml`: what a service is, how it runs, and where.
//!
//! [`Spec::parse`] reads the file and reports everything that is wrong with it at once; [`Spec::resolve`] says what it
//! means for one environment. [`keys`] documents every key, [`defaults`] what holds where a key is missing.

mod canary;
mod check;
pub mod defaults;
pub mod faults;
mod flat;
pub mod keys;
mod levels;
mod metrics;
mod parse;
pub mod policy;
pub mod policy_faults;
mod read;
mod render;
mod resolve;
mod strategy;
pub mod values;

pub use crate::rollout::plan::Strategy;
pub use canary::CanaryRule;
pub use flat::flatten;
pub(crate) use read::{listed, near};
pub use render::{problem, render_faults};
pub use resolve::{Canary, ResolvedSpec, Route};
pub use strategy::{StrategyRule, StrategyType};

use crate::{
    id::{EnvName, ServiceName, SiteName},
    protocol::{
        edge::{RouteLimits, Sticky},
        scrape::Scrape,
    },
    secret::SecretUse,
    shards::Shards,
    workload::{HealthCheck, Limits, Port, Prepare, Schedule, ServiceKind, StopPolicy},
};
use std::collections::BTreeMap;

/// A spec that was found sound.
#[derive(Clone, PartialEq, Debug)]
pub struct Spec {
    pub service: ServiceName,
    pub kind: ServiceKind,
    pub pipeline: Pipeline,
    pub artifact: Artifact,
    pub prepare: Option<Prepare>,
    pub run: Run,
    /// Given exactly for [`ServiceKind::Cron`].
    pub schedule: Option<Schedule>,
    /// At least one, in the order of the file.
    pub environments: Vec<Environment>,
    pub strategy: StrategyRule,
    /// What the service itself counts.
    pub metrics: Option<Scrape>,
    pub freeze_queue: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pipeline {
    /// [`defaults::PIPELINE_FILE`] where the commit has it, nothing otherwise.
    IfPresent,
    /// This file; a commit without it is refused.
    File(String),
    None,
}

/// Patterns as `globset` reads them, relative to the repository's root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Artifact {
    pub paths: Vec<String>,
    pub exclude: Vec<String>,
}

impl Default for Artifact {
    fn default() -> Self {
        Self { paths: vec!["**".into()], exclude: Vec::new() }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub command: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub secrets: Vec<SecretUse>,
    pub port: Port,
    pub health: Option<HealthCheck>,
    pub start_timeout_ms: u64,
    pub stop: StopPolicy,
    /// `None` was not said.
    pub instances: Option<u32>,
    pub shards: Option<Shards>,
    pub limits: LimitsRule,
}

/// What is `None` was not said here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LimitsRule {
    pub memory_bytes: Option<u64>,
    pub cpu_millis: Option<u64>,
    pub pids: Option<u64>,
    pub open_files: Option<u64>,
}

impl LimitsRule {
    fn over(&self, base: &Self) -> Limits {
        Limits {
            memory_bytes: self.memory_bytes.or(base.memory_bytes),
            cpu_millis: self.cpu_millis.or(base.cpu_millis),
            pids: self.pids.or(base.pids),
            open_files: self.open_files.or(base.open_files),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Environment {
    pub name: EnvName,
    /// A branch, or a pattern with `*`.
    pub branch: Option<String>,
    pub instances: Option<u32>,
    pub shards: Option<Shards>,
    pub env: BTreeMap<String, String>,
    pub secrets: Vec<SecretUse>,
    pub limits: LimitsRule,
    /// Meaningless unless the service is [`ServiceKind::Web`].
    pub route: RouteRule,
    pub strategy: StrategyRule,
    pub freeze_queue: Option<bool>,
    /// At least one, in the order a release reaches them.
    pub sites: Vec<SiteName>,
}

impl Environment {
    fn named(name: EnvName) -> Self {
        Self {
            name,
            branch: None,
            instances: None,
            shards: None,
            env: BTreeMap::new(),
            secrets: Vec::new(),
            limits: LimitsRule::default(),
            route: RouteRule::default(),
            strategy: StrategyRule::default(),
            freeze_queue: None,
            sites: vec![SiteName::default_site()],
        }
    }

    fn shards<'a>(&'a self, run: &'a Run) -> Option<&'a Shards> {
        self.shards.as_ref().or(run.shards.as_ref())
    }

    /// Instances per site: one a shard up to a number where nothing is said, and never more than shards.
    fn carriers(&self, run: &Run) -> u32 {
        let given = self.instances.or(run.instances);
        match self.shards(run).map(Shards::count) {
            Some(shards) => given.unwrap_or(defaults::MOST_CARRIERS).min(shards),
            None => given.unwrap_or(defaults::INSTANCES),
        }
    }

    /// Of a spec that names none.
    fn default_one() -> Self {
        let name = defaults::ENVIRONMENT.parse().expect("the default environment's name is a name");
        Self { branch: Some(defaults::BRANCH.into()), ..Self::named(name) }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct RouteRule {
    /// Lower case; empty takes every host that no other route names.
    pub hosts: Vec<String>,
    pub path: String,
    /// `None` follows the strategy.
    pub sticky: Option<Sticky>,
    pub limits: RouteLimits,
}

impl Default for RouteRule {
    fn default() -> Self {
        Self { hosts: Vec::new(), path: defaults::ROUTE_PATH.into(), sticky: None, limits: defaults::route_limits() }
    }
}
