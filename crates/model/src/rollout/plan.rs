//! What a rollout is to do. Fixed when it is requested; nothing in it changes while it runs.

use super::judging::{Judging, Stage};
use crate::{
    id::{RevisionId, SiteName},
    protocol::{edge::FULL_SHARE, trial::Limits},
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
    /// In steps of `max_surge` instances: start, move their share of traffic, stop as many old ones.
    Rolling { max_surge: u32 },
    /// A whole second set starts beside the first, traffic moves at once, the first stays warm.
    BlueGreen,
    /// A share of the traffic first, more as [`Judging`] allows; the first set stays whole until the end.
    Canary,
}

/// Whether old and new may run at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    Overlapping,
    Exclusive,
}

/// One part of a rollout: a site at a share of its traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wave {
    pub site: SiteName,
    /// Basis points of the site's traffic on the new revision when the wave is done.
    pub share: u32,
    /// Instances of the new revision this share needs.
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
    /// Instances when all is done, and what the previous revision is brought back to on a return.
    pub instances: u32,
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
    /// Limits of the new revision while the old one could take its traffic back.
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
        let flow = match (r.service_kind, r.strategy) {
            (ServiceKind::Worker | ServiceKind::Cron, _) | (ServiceKind::Web, Strategy::AllAtOnce) => Flow::Exclusive,
            (ServiceKind::Web, Strategy::Rolling { .. } | Strategy::BlueGreen | Strategy::Canary) => Flow::Overlapping,
        };
        let rollback = match r.kind {
            Kind::Rollback => true,
            Kind::Normal | Kind::Hotfix | Kind::Drill => false,
        };
        let canary = r.strategy == Strategy::Canary && flow == Flow::Overlapping && !rollback;
        // A site that is on the revision already has nothing to be done.
        let moving = r.sites.iter().filter(|s| s.from != Some(s.to));
        // A first release has nothing beside it to be compared with.
        let judged = canary && moving.clone().any(|s| s.from.is_some());
        let waves = moving
            .flat_map(|s| match canary && s.from.is_some() {
                true => stages_of(s, &r.stages),
                false => waves_of(s, r.strategy, flow, rollback),
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
            limits: r.limits.filter(|_| flow == Flow::Overlapping && !rollback),
            verify: r.verify || rollback,
            freeze_queue_on_failure: r.freeze_queue_on_failure,
        }
    }

    /// Whether failing or aborting leads back. Out of a half-made change the only way is on.
    pub fn returns(&self) -> bool {
        !self.sites.iter().any(|s| s.from_half_made)
    }

    pub fn site(&self, site: &SiteName) -> Option<&SitePlan> {
        self.sites.iter().find(|s| s.site == *site)
    }
}

fn waves_of(s: &SitePlan, strategy: Strategy, flow: Flow, rollback: bool) -> Vec<Wave> {
    let n = s.instances.max(1);
    let step = match (flow, strategy) {
        (Flow::Overlapping, Strategy::Rolling { max_surge }) if !rollback && s.from.is_some() => max_surge.clamp(1, n),
        (
            Flow::Overlapping | Flow::Exclusive,
            Strategy::Rolling { .. } | Strategy::BlueGreen | Strategy::Canary | Strategy::AllAtOnce,
        ) => n,
    };
    let mut waves = Vec::new();
    let mut instances = 0;
    while instances < n {
        instances = (instances + step).min(n);
        let share = u32::try_from(u64::from(FULL_SHARE) * u64::from(instances) / u64::from(n)).unwrap_or(FULL_SHARE);
        waves.push(Wave { site: s.site.clone(), share, instances, min_ms: 0, max_ms: None });
    }
    waves
}

/// A canary's waves: as many instances as the share needs, rounded up.
fn stages_of(s: &SitePlan, stages: &[Stage]) -> Vec<Wave> {
    let n = s.instances.max(1);
    let needed =
        |share: u32| u32::try_from((u64::from(n) * u64::from(share)).div_ceil(u64::from(FULL_SHARE))).unwrap_or(n);
    let wave = |stage: &Stage| Wave {
        site: s.site.clone(),
        share: stage.share,
        instances: needed(stage.share).clamp(1, n),
        min_ms: stage.min_ms,
        max_ms: Some(stage.max_ms),
    };
    stages.iter().map(wave).collect()
}
