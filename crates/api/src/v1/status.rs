use super::{ClosedQueue, Freeze, ReleaseRef, ServiceKind, Time};
use serde::{Deserialize, Serialize};
use tradewind_model::{
    id::{EnvName, InstanceId, RevisionId, RolloutId, ServiceName, SiteName},
    protocol::agent as wire,
};
use utoipa::ToSchema;

/// What runs in one place, since when, how healthy, and who changed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlaceStatus {
    #[schema(value_type = String, example = "shop")]
    pub service: ServiceName,
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    #[schema(value_type = String, example = "default")]
    pub site: SiteName,
    pub kind: ServiceKind,
    /// Live now; none before the first completed rollout.
    pub release: Option<ReleaseRef>,
    #[schema(value_type = Option<uuid::Uuid>)]
    pub revision: Option<RevisionId>,
    pub since: Option<Time>,
    pub changed_by: Option<String>,
    pub health: Health,
    /// A sentence when the health is not `healthy`.
    pub reason: Option<String>,
    /// Of all revisions here, the live one's first.
    pub instances: Vec<Instance>,
    /// As the edge has acknowledged it; empty for services without traffic.
    pub traffic: Vec<TrafficShare>,
    /// What a rollback returns to without starting anything.
    pub warm: Option<WarmRelease>,
    /// The rollout under way here.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub rollout: Option<RolloutId>,
    /// Set when a failed rollout closed the queue until a person acknowledges it.
    pub frozen: Option<ClosedQueue>,
    /// What people froze it by, oldest first. A rollback is never held up.
    #[serde(default)]
    pub freezes: Vec<Freeze>,
    /// Where the edge answers for it.
    #[schema(example = json!(["shop.example.com/"]))]
    pub routes: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Every wanted instance of the live revision is ready.
    Healthy,
    /// Some are.
    Degraded,
    /// None is.
    Down,
    /// Nothing is live here.
    Empty,
    /// The host's agent has not reported; what was last seen may not hold.
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    #[schema(value_type = uuid::Uuid)]
    pub id: InstanceId,
    pub release: ReleaseRef,
    pub phase: InstancePhase,
    pub since: Option<Time>,
    #[schema(example = "127.0.0.1:20001")]
    pub addr: Option<String>,
    pub pid: Option<u32>,
    pub restarts: u32,
    /// How it ended last, as a sentence.
    pub last_exit: Option<String>,
    /// What a person should know.
    pub message: Option<String>,
    /// Name of the host it runs on.
    pub host: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstancePhase {
    /// Its release is being fetched or prepared, or no agent has reported on it yet.
    Pending,
    Starting,
    Ready,
    Unhealthy,
    Draining,
    Stopping,
    Stopped,
    Backoff,
    Failed,
}

impl From<wire::InstancePhase> for InstancePhase {
    fn from(p: wire::InstancePhase) -> Self {
        use wire::InstancePhase as P;
        match p {
            P::Pending => Self::Pending,
            P::Starting => Self::Starting,
            P::Ready => Self::Ready,
            P::Unhealthy => Self::Unhealthy,
            P::Draining => Self::Draining,
            P::Stopping => Self::Stopping,
            P::Stopped => Self::Stopped,
            P::Backoff => Self::Backoff,
            P::Failed => Self::Failed,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrafficShare {
    pub release: ReleaseRef,
    /// Basis points.
    pub share: u32,
    pub ready_instances: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WarmRelease {
    pub release: ReleaseRef,
    /// Stopped after this; a rollback then has to start it first.
    pub until: Option<Time>,
}
