use super::Time;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use tradewind_model::id::HostId;
use utoipa::ToSchema;

/// A machine with an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Host {
    #[schema(value_type = uuid::Uuid)]
    pub id: HostId,
    #[schema(example = "shop-1")]
    pub name: String,
    /// Its agent is connected and has reported since: what is shown of this host is true now.
    pub connected: bool,
    pub enrolled_at: Time,
    /// When its agent was last heard of.
    pub last_seen_at: Option<Time>,
    /// What it runs, as it last said; cron services between two runs are not counted.
    pub instances: u64,
    /// Where its edge listens; empty when no edge is there.
    #[schema(value_type = Vec<String>, example = json!(["0.0.0.0:8080"]))]
    pub edge: Vec<SocketAddr>,
}
