use super::{Approvals, JudgementBrief, ReleaseRef, ServiceKind, Time};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use tradewind_model::{
    fault::Lang,
    id::{EnvName, RolloutId, ServiceName, SiteName},
};
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutKind {
    #[default]
    Normal,
    /// Its own lane with a shorter policy.
    Hotfix,
    /// To an earlier revision; ahead of queue and freeze.
    Rollback,
    /// A rehearsed rollback.
    Drill,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutPhase {
    /// Behind another rollout of this environment, or behind a freeze.
    Queued,
    Running,
    /// A person paused it; what it has done stays.
    Paused,
    /// Something failed, or a person aborted: sites go back to their own previous revisions.
    Returning,
    Completed,
    /// Failed; every site it touched is back on its previous revision.
    Failed,
    /// A person stopped it; every site it touched is back on its previous revision.
    Aborted,
    /// A rollback or a newer rollout took its place.
    Superseded,
}

impl RolloutPhase {
    /// Nothing will change any more.
    pub fn is_finished(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Paused | Self::Returning => false,
            Self::Completed | Self::Failed | Self::Aborted | Self::Superseded => true,
        }
    }
}

/// A move of an environment from revision to revision, wave by wave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Rollout {
    #[schema(value_type = uuid::Uuid)]
    pub id: RolloutId,
    #[schema(value_type = String, example = "shop")]
    pub service: ServiceName,
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    pub kind: RolloutKind,
    /// Of the new release: whether its shares are of traffic, of shards or of runs.
    #[serde(default = "web")]
    pub service_kind: ServiceKind,
    /// None: none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Approvals>,
    /// What was live when it started; none on a first rollout.
    pub from: Option<ReleaseRef>,
    pub to: ReleaseRef,
    #[schema(example = "blue_green")]
    pub strategy: String,
    pub phase: RolloutPhase,
    /// A sentence: what it waits for, why it failed, who aborted it.
    pub reason: Option<String>,
    /// Of why it failed, as the guide lists them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "TW-ROLL-010")]
    pub reason_code: Option<String>,
    pub note: Option<String>,
    pub ticket: Option<String>,
    pub requested_by: String,
    pub created_at: Time,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    /// Rollouts ahead of it in the queue; none once it has started.
    pub queue_position: Option<u32>,
    /// Number of the wave begun last; none before the first. Whoever promotes a wave names it.
    #[serde(default)]
    pub wave: Option<u32>,
    /// The plan, in order.
    pub waves: Vec<Wave>,
    pub sites: Vec<SiteRollout>,
    /// What happened so far, oldest first.
    pub timeline: Vec<TimelineEntry>,
    pub verification: Option<VerifyReport>,
    /// Only of a canary, once its first share began.
    #[serde(default)]
    pub judgement: Option<JudgementBrief>,
}

fn web() -> ServiceKind {
    ServiceKind::Web
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Wave {
    /// From 1.
    pub number: u32,
    pub steps: Vec<WaveStep>,
    /// What a person gave it in place of the plan's share, basis points.
    #[serde(default)]
    #[schema(example = 2000)]
    pub set_share: Option<u32>,
    /// It had less to give than a person gave before.
    #[serde(default)]
    pub skipped: bool,
    /// Milliseconds that it takes at least, however good the evidence is.
    #[serde(default)]
    pub least_ms: u64,
    /// Milliseconds until it ends without a verdict; none where no verdict is waited for.
    #[serde(default)]
    pub most_ms: Option<u64>,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
}

/// A site at a share of traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WaveStep {
    #[schema(value_type = String)]
    pub site: SiteName,
    /// Basis points.
    #[schema(example = 10000)]
    pub share: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SitePhase {
    /// Its wave has not begun.
    Waiting,
    /// Instances of the new revision start and become ready.
    Starting,
    /// Traffic moves to the new revision.
    Shifting,
    /// Every instance and the way through the edge are being asked.
    Verifying,
    /// Has its share; waits for evidence, or for a person.
    Judging,
    /// Serves on the new revision; watched for a while.
    Soaking,
    /// On the new revision.
    Done,
    /// Goes back to its previous revision.
    Returning,
    /// Back on its previous revision (a first release: on the maintenance page).
    Returned,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SiteRollout {
    #[schema(value_type = String)]
    pub site: SiteName,
    pub phase: SitePhase,
    /// Traffic on the new revision as the edge has acknowledged it, basis points.
    pub share: u32,
    /// What this site goes back to; none on a first release.
    pub from: Option<ReleaseRef>,
    pub to: ReleaseRef,
    pub instances_ready: u32,
    pub instances_wanted: u32,
    /// A sentence: what it waits for, what failed.
    pub reason: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    pub at: Time,
    /// The event's kind: `rollout.wave_started`.
    pub kind: String,
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
    /// Number of the wave it is about.
    #[serde(default)]
    pub wave: Option<u32>,
    /// Basis points: what the site or the wave has from then on.
    #[serde(default)]
    pub share: Option<u32>,
    /// A sentence.
    pub text: String,
}

/// Every instance and the way through the edge, asked after the traffic moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifyReport {
    pub passed: bool,
    pub checks: Vec<VerifyCheck>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifyCheck {
    #[schema(example = "edge shop.example.com/healthz")]
    pub what: String,
    pub passed: bool,
    pub took_ms: u64,
    pub detail: String,
}

impl VerifyReport {
    /// An agent's report in the caller's language.
    pub fn told(r: &tradewind_model::protocol::agent::VerifyReport, lang: Lang) -> Self {
        let check = |c: &tradewind_model::protocol::agent::VerifyCheck| VerifyCheck {
            what: c.what.get(lang).to_owned(),
            passed: c.passed,
            took_ms: c.took_ms,
            detail: c.detail.get(lang).to_owned(),
        };
        Self { passed: r.passed, checks: r.checks.iter().map(check).collect() }
    }
}

// ---------------------------------------------------------------- requests

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRollout {
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// A label (`v3`) or a digest.
    #[schema(example = "v3")]
    pub release: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// `normal` or `hotfix`; a rollback has its own verb.
    #[serde(default)]
    pub kind: RolloutKind,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// A label or a digest; none: the last revision that completed here before the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Goes into the event log.
    #[schema(example = "orders arrive twice")]
    pub reason: String,
}

/// Moves what is live in one environment on to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    #[schema(value_type = String, example = "staging")]
    pub from: EnvName,
    #[schema(value_type = String, example = "production")]
    pub to: EnvName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// Lets a wave of a canary go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteWave {
    /// Number of the wave that was seen, from 1 (`wave` of the rollout): refused when another one is under way by now.
    #[schema(value_type = u32, minimum = 1, example = 1)]
    pub wave: NonZeroU32,
    /// Goes into the event log.
    pub reason: String,
}

/// Gives a wave of a canary another share of the traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetShare {
    /// Number of the wave that was seen, from 1 (`wave` of the rollout): refused when another one is under way by now.
    #[schema(value_type = u32, minimum = 1, example = 1)]
    pub wave: NonZeroU32,
    /// Basis points, above 0 and below 10000.
    #[schema(minimum = 1, maximum = 9999, example = 2000)]
    pub share: u32,
    /// Goes into the event log.
    pub reason: String,
}

/// Opens a queue again that a failed rollout closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// Goes into the event log.
    pub note: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Acknowledged {
    #[schema(value_type = String)]
    pub env: EnvName,
    /// Rollouts that were waiting and go on now.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub released: Vec<RolloutId>,
}

/// Why a person intervenes; goes into the event log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Needed where the world is changed by it: pause, resume and abort.
    #[serde(default)]
    pub reason: String,
}
