use super::Time;
use serde::{Deserialize, Serialize};
use tradewind_model::id::EnvName;
use utoipa::ToSchema;

/// What an environment demands, whatever a pushed spec says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentPolicy {
    #[schema(value_type = String)]
    pub env: EnvName,
    /// YAML, as it was written; empty: nothing is demanded.
    pub text: String,
    /// Who wrote it; not known of one that is older than that is kept.
    #[serde(default)]
    pub set_by: Option<String>,
    #[serde(default)]
    pub set_at: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// YAML; its keys are in the guide. Empty: nothing is demanded any more.
    #[schema(example = "approvals: { count: 1, from: [leads] }")]
    pub text: String,
    pub reason: String,
}

/// What a rollout needs before it begins, by the policy of its environment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Approvals {
    pub needed: u32,
    /// Users and groups whose word counts; empty: everybody whose role allows it.
    pub from: Vec<String>,
    pub given: Vec<Approval>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    pub by: String,
    pub note: String,
    pub at: Time,
}
