//! What a spec means for one environment.

use super::{Environment, Spec, Strategy, defaults, faults, read::listed};
use crate::{
    fault::Fault,
    id::{EnvName, SiteName},
    protocol::{
        edge::{RouteLimits, Sticky},
        scrape::Scrape,
        trial::Limits,
    },
    rollout::judging::{Judging, Stage},
    shards::{COUNT_VARIABLE, Layout, SHARDS_VARIABLE, Shards},
    workload::{RestartPolicy, ServiceKind, Workload},
};
use serde::{Deserialize, Serialize};

/// One environment's view of a spec, every default and override applied. Durations are milliseconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResolvedSpec {
    pub workload: Workload,
    /// Per site; 1 for a cron service without shards.
    pub instances: u32,
    /// Only of a worker or cron service that names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<Shards>,
    /// Exactly for services that take requests.
    pub route: Option<Route>,
    pub strategy: Strategy,
    /// Exactly for [`Strategy::Canary`].
    #[serde(default)]
    pub canary: Option<Canary>,
    #[serde(default = "no_limits")]
    pub limits: Limits,
    /// What the service itself counts.
    #[serde(default)]
    pub scrape: Option<Scrape>,
    pub start_timeout_ms: u64,
    pub soak_ms: u64,
    pub warm_ms: u64,
    pub verify: bool,
    pub freeze_queue: bool,
    /// At least one, in the order a release reaches them.
    pub sites: Vec<SiteName>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Canary {
    pub stages: Vec<Stage>,
    pub judging: Judging,
    pub watch_ms: u64,
}

/// Specs that were resolved before there were limits have none.
fn no_limits() -> Limits {
    Limits { error_rate: None, p99_ms: None, for_ms: defaults::LIMIT_FOR_MS, min_requests: 1 }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// Lower case; empty takes every host that no other route names.
    pub hosts: Vec<String>,
    pub path: String,
    pub sticky: Sticky,
    pub limits: RouteLimits,
}

impl ResolvedSpec {
    /// Who works what, where the work is divided into shards.
    pub fn layout(&self) -> Option<Layout> {
        self.shards.clone().map(|shards| Layout::new(shards, self.instances))
    }

    /// What the instance with this ordinal runs: it is told its shards.
    pub fn workload_of(&self, ordinal: u32) -> Workload {
        let mut workload = self.workload.clone();
        if let Some(layout) = self.layout() {
            workload.env.insert(SHARDS_VARIABLE.into(), layout.carried_by(ordinal).join(","));
            workload.env.insert(COUNT_VARIABLE.into(), layout.shards().to_string());
        }
        workload
    }
}

impl Spec {
    /// Refused when the spec has no such environment.
    pub fn resolve(&self, env: &EnvName) -> Result<ResolvedSpec, Fault> {
        let Some(place) = self.environment(env) else {
            return Err(Fault::new(&faults::NO_ENVIRONMENT)
                .with("service", &self.service)
                .with("env", env)
                .with("known", listed(self.environments().map(EnvName::as_str))));
        };
        let rule = place.strategy.over(&self.strategy);
        let mut variables = self.run.env.clone();
        variables.extend(place.env.clone());
        // What the environment says of a variable replaces what `run` says, be it open or secret.
        let mut secrets = self.run.secrets.clone();
        secrets
            .retain(|s| !place.env.contains_key(&s.variable) && place.secrets.iter().all(|p| p.variable != s.variable));
        secrets.extend(place.secrets.clone());
        variables.retain(|name, _| secrets.iter().all(|s| s.variable != *name));
        let workload = Workload {
            kind: self.kind,
            command: self.run.command.clone(),
            env: variables,
            secrets,
            port: self.run.port,
            health: self.run.health.clone(),
            stop: self.run.stop.clone(),
            limits: place.limits.over(&self.run.limits),
            restart: RestartPolicy::default(),
            prepare: self.prepare.clone(),
            schedule: self.schedule.clone(),
        };
        let strategy = rule.strategy(self.kind);
        let instances = place.carriers(&self.run);
        let shards = place.shards(&self.run).cloned();
        let layout = shards.clone().map(|shards| Layout::new(shards, instances));
        let canary = (strategy == Strategy::Canary).then(|| Canary {
            stages: rule.canary.stages(layout.as_ref()),
            judging: Judging { scrape: self.metrics.clone(), ..rule.canary.judging() },
            watch_ms: rule.canary.watch_ms.unwrap_or(defaults::WATCH_MS),
        });
        let route = match self.kind {
            ServiceKind::Web => Some(Route {
                hosts: place.route.hosts.clone(),
                path: place.route.path.clone(),
                sticky: place.route.sticky.clone().unwrap_or_else(|| sticky_of(strategy)),
                limits: RouteLimits { drain_ms: self.run.stop.drain_ms, ..place.route.limits },
            }),
            ServiceKind::Worker | ServiceKind::Cron => None,
        };
        Ok(ResolvedSpec {
            workload,
            instances,
            shards,
            route,
            strategy,
            canary,
            limits: rule.canary.limits(),
            scrape: self.metrics.clone(),
            start_timeout_ms: self.run.start_timeout_ms,
            soak_ms: rule.soak_ms.unwrap_or(defaults::SOAK_MS),
            warm_ms: rule.warm_ms.unwrap_or(defaults::WARM_MS),
            verify: rule.verify.unwrap_or(defaults::VERIFY),
            freeze_queue: place.freeze_queue.unwrap_or(self.freeze_queue),
            sites: place.sites.clone(),
        })
    }

    /// In the order of the file.
    pub fn environments(&self) -> impl Iterator<Item = &EnvName> {
        self.environments.iter().map(|e| &e.name)
    }

    pub fn environment(&self, name: &EnvName) -> Option<&Environment> {
        self.environments.iter().find(|e| e.name == *name)
    }

    /// Where a push to this branch (without `refs/heads/`) goes: an exact name first, then the first pattern.
    pub fn environment_of_branch(&self, branch: &str) -> Option<&EnvName> {
        let exact = |e: &&Environment| e.branch.as_deref() == Some(branch);
        let pattern = |e: &&Environment| e.branch.as_deref().is_some_and(|p| p.contains('*') && fits(p, branch));
        let found = self.environments.iter().find(exact).or_else(|| self.environments.iter().find(pattern));
        found.map(|e| &e.name)
    }

    /// Refused when the spec is another service's.
    pub fn check_service(&self, service: &crate::id::ServiceName) -> Result<(), Fault> {
        if self.service == *service {
            return Ok(());
        }
        Err(Fault::new(&faults::SERVICE_DIFFERS).with("found", &self.service).with("service", service))
    }
}

/// The judge counts clients: where two releases share traffic by its evidence, a client has to be known again.
fn sticky_of(strategy: Strategy) -> Sticky {
    match strategy {
        Strategy::Canary => defaults::sticky_cookie(),
        Strategy::AllAtOnce | Strategy::Rolling { .. } | Strategy::BlueGreen => Sticky::None,
    }
}

/// `*` stands for any run of characters, `/` included.
pub(super) fn fits(pattern: &str, branch: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = branch.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = "";
    for part in parts {
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
        last = part;
    }
    rest.is_empty() || branch.ends_with(last)
}
