use super::{ReleaseRef, RolloutKind, RolloutPhase, RunState, Time};
use serde::{Deserialize, Serialize};
use tradewind_model::id::{Commit, EnvName, RolloutId, RunId, ServiceName};
use utoipa::ToSchema;

/// What some words found: the likeliest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Found {
    pub services: Vec<FoundService>,
    /// Under way or queued, of the services found.
    pub rollouts: Vec<FoundRollout>,
    pub releases: Vec<FoundRelease>,
    pub runs: Vec<FoundRun>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundService {
    #[schema(value_type = String, example = "shop")]
    pub name: ServiceName,
    /// Where it has been rolled out, by name.
    #[schema(value_type = Vec<String>, example = json!(["production", "staging"]))]
    pub environments: Vec<EnvName>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundRollout {
    #[schema(value_type = uuid::Uuid)]
    pub id: RolloutId,
    #[schema(value_type = String)]
    pub service: ServiceName,
    #[schema(value_type = String)]
    pub env: EnvName,
    pub kind: RolloutKind,
    pub phase: RolloutPhase,
    pub to: ReleaseRef,
    pub created_at: Time,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundRelease {
    #[schema(value_type = String)]
    pub service: ServiceName,
    pub release: ReleaseRef,
    #[schema(value_type = String)]
    pub commit: Commit,
    /// First line of the commit's message.
    pub title: Option<String>,
    pub created_at: Time,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundRun {
    #[schema(value_type = uuid::Uuid)]
    pub id: RunId,
    #[schema(value_type = String)]
    pub service: ServiceName,
    pub number: u64,
    #[schema(value_type = String)]
    pub commit: Commit,
    pub branch: String,
    /// First line of the commit's message.
    pub title: Option<String>,
    pub state: RunState,
    pub created_at: Time,
}
