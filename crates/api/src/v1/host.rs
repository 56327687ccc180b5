use super::Time;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use tradewind_model::id::{HostId, InstanceId};
use utoipa::ToSchema;

/// A machine with an agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
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
    /// As its agent last said; none where it has not since the server began, or is older than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
}

/// The machine itself, and what runs on it for Tradewind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Machine {
    pub at: Time,
    /// The agent's.
    #[schema(example = "0.1.0")]
    pub version: String,
    #[schema(example = "Linux 6.1.0 x86_64")]
    pub system: String,
    pub cpus: u32,
    /// Processes that ran or wanted to, on average over one, five and fifteen minutes.
    pub load: [f32; 3],
    pub memory_bytes: u64,
    /// What new processes could have of it.
    pub memory_free_bytes: u64,
    /// Of the agent's data folder.
    pub disk_bytes: u64,
    pub disk_free_bytes: u64,
    pub booted_at: Time,
    pub processes: Vec<HostProcess>,
}

/// A process of Tradewind's, or one that it started, with those below it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HostProcess {
    pub role: ProcessRole,
    /// Which machine; none: the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Of an instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub instance: Option<InstanceId>,
    pub pid: u32,
    /// What it holds in memory; of an instance, with its children.
    pub memory_bytes: u64,
    /// Of one processor, lately: 1.5 is one and a half. None at the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f32>,
    pub since: Time,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcessRole {
    Server,
    Agent,
    Edge,
    Instance,
}
