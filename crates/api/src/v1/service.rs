use super::{Freeze, Time};
use serde::{Deserialize, Serialize};
use tradewind_model::id::{EnvName, RolloutId, ServiceName, SiteName};
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Takes requests through the edge.
    Web,
    /// Takes none: order sync, repricing, stock push.
    Worker,
    /// Runs on a schedule.
    Cron,
}

impl From<tradewind_model::workload::ServiceKind> for ServiceKind {
    fn from(k: tradewind_model::workload::ServiceKind) -> Self {
        use tradewind_model::workload::ServiceKind as K;
        match k {
            K::Web => Self::Web,
            K::Worker => Self::Worker,
            K::Cron => Self::Cron,
        }
    }
}

/// One deployable thing with one `tradewind.yaml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Service {
    #[schema(value_type = String, example = "shop")]
    pub name: ServiceName,
    /// Unknown until the first spec was accepted.
    pub kind: Option<ServiceKind>,
    /// Where to push, relative to the server: `/git/shop.git`.
    #[schema(example = "/git/shop.git")]
    pub git_path: String,
    pub created_at: Time,
    /// Who answers for it: a user or a group; at first whoever made it.
    #[serde(default)]
    pub owner: String,
    /// Who made it: a token's name.
    pub created_by: String,
    /// In the spec's order; empty until the first spec was accepted.
    pub environments: Vec<Environment>,
}

/// dev, staging, production: separate hosts, secrets, databases.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    #[schema(value_type = String, example = "production")]
    pub name: EnvName,
    /// A push to this branch rolls out here; none: by `rollout start` and `promote` only.
    #[schema(example = "main")]
    pub branch: Option<String>,
    #[schema(value_type = Vec<String>, example = json!(["default"]))]
    pub sites: Vec<SiteName>,
    /// Set when a failed rollout closed the queue until a person acknowledges it. A rollback is never held up.
    pub frozen: Option<ClosedQueue>,
    /// What people froze it by, oldest first. A rollback is never held up.
    #[serde(default)]
    pub freezes: Vec<Freeze>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClosedQueue {
    pub since: Time,
    /// A sentence.
    pub reason: String,
    /// The rollout whose failure closed the queue.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub rollout: Option<RolloutId>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateService {
    /// 1 to 40 characters of a-z, 0-9 and `-`, starting with a letter. It never changes.
    #[schema(value_type = String, example = "shop")]
    pub name: ServiceName,
}

/// Hands a service to somebody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOwner {
    /// A user or a group.
    #[schema(example = "order-team")]
    pub owner: String,
    /// Goes into the event log.
    #[serde(default)]
    pub reason: String,
}
