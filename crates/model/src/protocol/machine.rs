//! What an agent says of its machine, now and then; nothing is decided by it.

use crate::{id::InstanceId, time::Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The agent's.
    pub version: String,
    /// `Linux 6.1.0 x86_64`.
    pub system: String,
    pub cpus: u32,
    /// Over one, five and fifteen minutes.
    pub load: [f32; 3],
    /// Bytes.
    pub memory: u64,
    /// What new processes could have of it, bytes.
    pub memory_free: u64,
    /// Of the data folder, bytes.
    pub disk: u64,
    pub disk_free: u64,
    pub booted_at: Timestamp,
    pub processes: Vec<ProcessUse>,
}

/// A process with all that runs in its session.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProcessUse {
    pub role: ProcessRole,
    pub pid: u32,
    /// Resident bytes.
    pub memory: u64,
    /// Of one processor, since the look before; none at the first.
    pub cpu: Option<f32>,
    pub since: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ProcessRole {
    Agent,
    Edge,
    Instance { id: InstanceId },
}
