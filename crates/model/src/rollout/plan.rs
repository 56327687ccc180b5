//! What a rollout is to do. Fixed when it is requested; nothing in it changes while it runs.

use super::judging::{Judging, Stage};
use crate::{
    id::{RevisionId, SiteName},
    protocol::{edge::FULL_SHARE, trial::Limits},
    shards::Layout,
    workload::ServiceKind,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Normal,
    /// Has a lane and a shorter policy of its own.
    Hotfix,
    /// To an earlier revision, ahead of queue and freeze.
    Rollback,
    Drill,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Strategy {
    /// The old stops, then the new starts; the edge holds requests meanwhile.
    AllAtOnce,
    /// In steps of `max_surge` instances: start, move their share of traffic, stop as many old ones. Carriers of
    /// shards change over in such steps.
    Rolling { max_surge: u32 },
    /// A whole second set starts beside the first, traffic moves at once, the first stays warm.
    BlueGreen,
    /// A share of the traffic first, more as [`Judging`] allows; the first set stays whole until the end. Without
    /// traffic, a share of the shards.
    Canary,
}

/// Whether old and new may run at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    Overlapping,
    Exclusive,
    /// Each carrier's old instance stops before its new one starts; where carriers do not line up it is exclusive.
    ByShard,
}

/// One part of a rollout: a site at a share of its traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wave {
    pub site: SiteName,
    /// Basis points of the site's traffic, or of its shards, on the new revision when the wave is done.
    pub share: u32,
    /// Instances of the new revision this share needs; by shard, its carriers from ordinal 0 on.
    pub instances: u32,
    /// Not promoted before, and inconclusive after; only waves of a canary have them.
    #[serde(default)]
    pub min_ms: u64,
    #[serde(default)]
    pub max_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SitePlan {
    pub site: SiteName,
    /// What the site runs; `None` for a first release.
    pub from: Option<RevisionId>,
    pub from_label: Option<String>,
    /// `from` never completed here: a rollback took over a rollout under way. There is no returning to it.
    #[serde(default)]
    pub from_half_made: bool,
    pub to: RevisionId,
    pub to_label: String,
    /// Instances when all is done.
    pub instances: u32,
    /// What the previous revision is brought back to on a return; as many as the new one where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_instances: Option<u32>,
    /// What the instances of a service with shards carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_layout: Option<Layout>,
}

impl SitePlan {
    /// Instances of the previous revision after a return.
    pub fn back_instances(&self) -> u32 {
        self.from_instances.unwrap_or(self.instances)
    }

    /// Instances of the new revision that a share of the traffic needs, rounded up.
    pub fn instances_for(&self, share: u32) -> u32 {
        let n = self.instances.max(1);
        part_of(n, share).clamp(1, n)
    }

    /// Whether its carriers can change over one by one without two revisions on one shard.
    fn lines_up(&self) -> bool {
        match (self.from, &self.layout, &self.from_layout) {
            (Some(_), Some(new), Some(old)) => new.carriers() > 1 && new.lines_up_with(old),
            (None, _, _) | (_, None, _) | (_, _, None) => false,
        }
    }
}

/// Durations are milliseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub kind: Kind,
    pub service_kind: ServiceKind,
    pub strategy: Strategy,
    pub flow: Flow,
    pub sites: Vec<SitePlan>,
    /// In order. A rollback works on all of them at once.
    pub waves: Vec<Wave>,
    pub parallel: bool,
    pub timing: Timing,
    /// `None` where no wave waits for a verdict.
    #[serde(default)]
    pub judging: Option<Judging>,
    /// Limits of the new revision while the old one could take its traffic or its shards back.
    #[serde(default)]
    pub limits: Option<Limits>,
    pub verify: bool,
    /// A failure freezes the queue of (service, environment) until a person acknowledges it.
    pub freeze_queue_on_failure: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Timing {
    /// From the wish for an instance to its readiness.
    pub start_ms: u64,
    /// Until the edge acknowledges a table.
    pub shift_ms: u64,
    pub verify_ms: u64,
    /// How long the new revision is watched at full share before the rollout completes.
    pub soak_ms: u64,
    /// Beyond it, after the last wave of a canary; ends early when another rollout waits.
    #[serde(default)]
    pub watch_ms: u64,
    /// How long fewer ready instances than wanted are borne after traffic moved.
    pub degraded_ms: u64,
    /// How long the predecessor stays warm.
    pub warm_ms: u64,
    /// How long the edge holds requests while an exclusive service changes over.
    pub pause_ms: u64,
    /// How long a new revision beside the old one keeps its share without the server.
    #[serde(default = "lease_ms")]
    pub lease_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            start_ms: 60_000,
            shift_ms: 30_000,
            verify_ms: 30_000,
            soak_ms: 0,
            watch_ms: 0,
            degraded_ms: 10_000,
            warm_ms: 15 * 60_000,
            pause_ms: 30_000,
            lease_ms: lease_ms(),
        }
    }
}

fn lease_ms() -> u64 {
    10 * 60_000
}

/// What [`Plan::new`] needs to know.
#[derive(Clone, Debug)]
pub struct Request {
    pub kind: Kind,
    pub service_kind: ServiceKind,
    pub strategy: Strategy,
    /// The waves of [`Strategy::Canary`].
    pub stages: Vec<Stage>,
    pub judging: Option<Judging>,
    pub limits: Option<Limits>,
    pub sites: Vec<SitePlan>,
    pub timing: Timing,
    pub verify: bool,
    pub freeze_queue_on_failure: bool,
}

impl Plan {
    /// Lays out the waves, none for a site that is where it is to go. A rollback takes the shortest path: one wave a site, all sites at once, no soak.
    pub fn new(r: Request) -> Self {
        let rollback = match r.kind {
            Kind::Rollback => true,
            Kind::Normal | Kind::Hotfix | Kind::Drill => false,
        };
        // A site that is on the revision already has nothing to be done.
        let moving = r.sites.iter().filter(|s| s.from != Some(s.to));
        let flow = match (r.service_kind, r.strategy) {
            (ServiceKind::Worker | ServiceKind::Cron, Strategy::Rolling { .. } | Strategy::Canary)
                if !rollback && moving.clone().any(SitePlan::lines_up) =>
            {
                Flow::ByShard
            }
            (ServiceKind::Worker | ServiceKind::Cron, _) | (ServiceKind::Web, Strategy::AllAtOnce) => Flow::Exclusive,
            (ServiceKind::Web, Strategy::Rolling { .. } | Strategy::BlueGreen | Strategy::Canary) => Flow::Overlapping,
        };
        let canary = r.strategy == Strategy::Canary && !rollback;
        // A first release has nothing beside it to be compared with.
        let beside = |s: &SitePlan| match flow_at(flow, s) {
            Flow::Overlapping => s.from.is_some(),
            Flow::ByShard => true,
            Flow::Exclusive => false,
        };
        let business = r.judging.as_ref().is_some_and(Judging::judges_business);
        let judged = canary && moving.clone().any(|s| beside(s) || business && s.from.is_some());
        let waves = moving
            .flat_map(|s| match canary && beside(s) {
                true => stages_of(s, &r.stages),
                false => waves_of(s, r.strategy, flow_at(flow, s), rollback),
            })
            .collect();
        let mut timing = r.timing;
        if rollback {
            timing.soak_ms = 0;
        }
        if !judged {
            timing.watch_ms = 0;
        }
        Self {
            kind: r.kind,
            service_kind: r.service_kind,
            strategy: r.strategy,
            flow,
            sites: r.sites,
            waves,
            parallel: rollback,
            timing,
            judging: r.judging.filter(|_| judged),
            limits: r.limits.filter(|_| flow != Flow::Exclusive && !rollback),
            verify: r.verify || rollback,
            freeze_queue_on_failure: r.freeze_queue_on_failure,
        }
    }

    /// Whether failing or aborting leads back. Out of a half-made change the only way is on.
    pub fn returns(&self) -> bool {
        !self.sites.iter().any(|s| s.from_half_made)
    }

    /// Whether a site of a worker or a cron service was to move shard by shard, if it can.
    pub fn wished_by_shard(&self, site: &SitePlan) -> bool {
        match (self.service_kind, self.strategy, self.kind) {
            (
                ServiceKind::Worker | ServiceKind::Cron,
                Strategy::Canary | Strategy::Rolling { .. },
                Kind::Normal | Kind::Hotfix | Kind::Drill,
            ) => site.from.is_some(),
            (
                ServiceKind::Web | ServiceKind::Worker | ServiceKind::Cron,
                Strategy::AllAtOnce | Strategy::Rolling { .. } | Strategy::BlueGreen | Strategy::Canary,
                Kind::Normal | Kind::Hotfix | Kind::Drill | Kind::Rollback,
            ) => false,
        }
    }

    /// Whether some of what is judged can be held against other hours and places.
    pub fn judges_business(&self) -> bool {
        self.judging.as_ref().is_some_and(Judging::judges_business)
    }

    /// How one site moves.
    pub fn flow_at(&self, site: &SitePlan) -> Flow {
        flow_at(self.flow, site)
    }

    pub fn site(&self, site: &SiteName) -> Option<&SitePlan> {
        self.sites.iter().find(|s| s.site == *site)
    }
}

fn flow_at(flow: Flow, site: &SitePlan) -> Flow {
    match flow {
        Flow::ByShard if !site.lines_up() => Flow::Exclusive,
        Flow::Overlapping | Flow::Exclusive | Flow::ByShard => flow,
    }
}

fn waves_of(s: &SitePlan, strategy: Strategy, flow: Flow, rollback: bool) -> Vec<Wave> {
    let n = s.instances.max(1);
    let step = match (flow, strategy) {
        (Flow::Overlapping | Flow::ByShard, Strategy::Rolling { max_surge }) if !rollback && s.from.is_some() => {
            max_surge.clamp(1, n)
        }
        (
            Flow::Overlapping | Flow::Exclusive | Flow::ByShard,
            Strategy::Rolling { .. } | Strategy::BlueGreen | Strategy::Canary | Strategy::AllAtOnce,
        ) => n,
    };
    let mut waves = Vec::new();
    let mut instances = 0;
    while instances < n {
        instances = (instances + step).min(n);
        let share = share_of(s, instances);
        waves.push(Wave { site: s.site.clone(), share, instances, min_ms: 0, max_ms: None });
    }
    waves
}

/// A canary's waves: as many instances as the share needs, rounded up. By shard, the share is that of the carriers it
/// needs, and a step that needs no more of them than the one before is none.
fn stages_of(s: &SitePlan, stages: &[Stage]) -> Vec<Wave> {
    let mut waves: Vec<Wave> = Vec::new();
    for stage in stages {
        let (instances, share) = match &s.layout {
            Some(layout) => {
                let carriers = layout.carriers_of_first(part_of(layout.shards(), stage.share));
                (carriers, share_of(s, carriers))
            }
            None => (s.instances_for(stage.share), stage.share),
        };
        if s.layout.is_some() && waves.last().is_some_and(|before| before.instances >= instances) {
            continue;
        }
        waves.push(Wave { site: s.site.clone(), share, instances, min_ms: stage.min_ms, max_ms: Some(stage.max_ms) });
    }
    waves
}

fn part_of(whole: u32, share: u32) -> u32 {
    let part = (u64::from(whole) * u64::from(share)).div_ceil(u64::from(FULL_SHARE));
    u32::try_from(part).unwrap_or(whole)
}

/// Basis points that so many instances stand for.
fn share_of(s: &SitePlan, instances: u32) -> u32 {
    let (part, whole) = match &s.layout {
        Some(layout) => (layout.shards_of_first(instances), layout.shards()),
        None => (instances, s.instances),
    };
    if instances >= s.instances {
        return FULL_SHARE;
    }
    u32::try_from(u64::from(FULL_SHARE) * u64::from(part) / u64::from(whole.max(1))).unwrap_or(FULL_SHARE)
}
