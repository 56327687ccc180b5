use super::{
    ClosedQueue, Freeze, Health, ReleaseRef, RolloutKind, RolloutPhase, ServiceKind, Time, TrafficShare, WarmRelease,
};
use serde::{Deserialize, Serialize};
use tradewind_model::id::{EnvName, RolloutId, ServiceName, SiteName};
use utoipa::ToSchema;

/// Services by environments: a part of the rows, and what holds for all that the caller sees.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    pub items: Vec<OverviewService>,
    /// Opaque; `null` on the last page.
    pub next: Option<String>,
    /// Services that the filters let through, on all pages.
    pub matching: u32,
    /// Environments in which the caller sees anything, by name: the columns. Filters do not narrow them.
    #[schema(value_type = Vec<String>, example = json!(["production", "staging"]))]
    pub environments: Vec<EnvName>,
    /// Whoever answers for a service that the caller sees, by name.
    pub owners: Vec<String>,
    pub summary: OverviewSummary,
}

/// Numbers of services the caller sees, whatever the filters; one service may count in several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct OverviewSummary {
    pub services: u32,
    pub failing: u32,
    pub degraded: u32,
    pub unknown: u32,
    pub under_way: u32,
    pub frozen: u32,
}

/// A row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverviewService {
    #[schema(value_type = String, example = "shop")]
    pub name: ServiceName,
    /// Who answers for it: a person or a team.
    pub owner: String,
    /// Unknown until a first rollout was asked for.
    pub kind: Option<ServiceKind>,
    pub created_at: Time,
    /// When something last became live, began or failed anywhere.
    pub changed_at: Time,
    /// What its environments call for, the gravest first.
    pub attention: Vec<Attention>,
    /// Those in which something is live, under way, closed, or failed; by name.
    pub environments: Vec<OverviewEnvironment>,
}

/// A cell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverviewEnvironment {
    #[schema(value_type = String, example = "production")]
    pub name: EnvName,
    /// The gravest first; empty where all is well.
    pub attention: Vec<Attention>,
    /// Those of this environment that the service ever was in, by name.
    pub sites: Vec<OverviewSite>,
    /// The rollout under way, or the first that waits.
    pub rollout: Option<OverviewRollout>,
    /// Rollouts that wait behind it.
    pub waiting: u32,
    pub last_failure: Option<LastFailure>,
    /// Set when a failed rollout closed the queue until a person acknowledges it.
    pub closed: Option<ClosedQueue>,
    /// What people froze it by, oldest first. A rollback is never held up.
    pub freezes: Vec<Freeze>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverviewSite {
    #[schema(value_type = String, example = "default")]
    pub name: SiteName,
    /// Live now; none before the first completed rollout.
    pub release: Option<ReleaseRef>,
    pub since: Option<Time>,
    pub health: Health,
    /// A sentence when the health is not `healthy`.
    pub reason: Option<String>,
    /// Of the live release.
    pub instances_ready: u32,
    pub instances_wanted: u32,
    /// As the edge has acknowledged it; empty for services without traffic.
    pub traffic: Vec<TrafficShare>,
    /// What a rollback returns to without starting anything.
    pub warm: Option<WarmRelease>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverviewRollout {
    #[schema(value_type = uuid::Uuid)]
    pub id: RolloutId,
    pub kind: RolloutKind,
    pub phase: RolloutPhase,
    pub to: ReleaseRef,
    /// Number of the wave begun last, from 1; none before the first.
    pub wave: Option<u32>,
    /// How many waves there are.
    pub waves: u32,
    pub requested_by: String,
    pub created_at: Time,
    pub started_at: Option<Time>,
}

/// The last rollout of an environment that failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LastFailure {
    #[schema(value_type = uuid::Uuid)]
    pub rollout: RolloutId,
    pub kind: RolloutKind,
    pub to: ReleaseRef,
    pub at: Time,
    /// A sentence.
    pub reason: Option<String>,
    #[schema(example = "TW-ROLL-010")]
    pub reason_code: Option<String>,
    /// A later rollout completed here, or a person acknowledged the failure.
    pub settled: bool,
}

/// What calls for a look, the gravest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Nothing of the live release is ready, or the last failure is not settled.
    Failing,
    /// Some instances of the live release are not ready.
    Degraded,
    /// A host's agent is not connected.
    Unknown,
    /// A rollout is under way, or waits.
    UnderWay,
    /// A person froze it, or a failure closed its queue.
    Frozen,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverviewSort {
    #[default]
    Name,
    /// What changed last comes first.
    Changed,
    /// The gravest comes first, and by name among equals.
    Attention,
    /// By owner, and by name among theirs.
    Owner,
}
