//! How the control plane itself fares.

use super::{HostProcess, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was looked at, and what was found; the worst first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlaneHealth {
    pub at: Time,
    /// The worst of the findings.
    pub verdict: FindingVerdict,
    pub findings: Vec<Finding>,
    #[schema(example = "0.1.0")]
    pub version: String,
    pub began_at: Time,
    pub database: DatabaseHealth,
    pub log: LogHealth,
    pub queues: Vec<Queue>,
    /// What goes on in the background.
    pub loops: Vec<LoopHealth>,
    /// The server, and agents and edges as their hosts last said.
    pub processes: Vec<HostProcess>,
    pub hosts: u64,
    pub hosts_connected: u64,
}

/// Something that was looked at. The same checks as those of `tradewind doctor`, where both make them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// For programs: stays what it is.
    #[schema(example = "room")]
    pub id: String,
    pub verdict: FindingVerdict,
    /// What was found, in the language of `Accept-Language` (en, zh).
    pub found: String,
    /// What follows from it, and what to do; none where all is well.
    pub fix: Option<String>,
}

/// `less`: it works, with less than there could be. `bad`: it does not work, or not safely.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingVerdict {
    Good,
    Less,
    Bad,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DatabaseHealth {
    /// `sqlite` or `postgres`.
    #[schema(example = "sqlite")]
    pub kind: String,
    pub bytes: u64,
    /// The schema's last step.
    pub step: i64,
    /// How long one small reading took just now, in microseconds.
    pub read_us: u64,
    /// Of the last commits: how many, and how long they took, in microseconds. None before the first.
    pub writes: Option<Writes>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Writes {
    pub count: u64,
    pub median_us: u64,
    pub slowest_us: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogHealth {
    /// The number of the last sealed event; 0 before the first.
    pub head: i64,
    /// Events that have no number yet: within a second they have.
    pub unsealed: u64,
    pub unsealed_since: Option<Time>,
    pub last_checkpoint: Option<i64>,
    pub last_checkpoint_at: Option<Time>,
}

/// What waits for its turn: `runs`, `rollouts`, `deliveries` of forges, `checkpoints` for places that fail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    #[schema(example = "runs")]
    pub id: String,
    pub waiting: u64,
    /// Since when the oldest waits.
    pub since: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoopHealth {
    #[schema(example = "collector")]
    pub id: String,
    /// When its last round ended.
    pub at: Time,
    /// The longest pause until the next, in seconds.
    pub every_s: u64,
    /// It should have ended another round long ago.
    pub overdue: bool,
    pub failing_since: Option<Time>,
    /// Why its last round failed.
    pub error: Option<String>,
}

/// Backups: what makes them, and what there is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Backups {
    /// False on PostgreSQL, whose own program makes the copy of the database.
    pub supported: bool,
    /// None: nobody makes them but people.
    pub schedule: Option<BackupSchedule>,
    /// The last that was made, by whomever.
    pub last: Option<LastBackup>,
    /// The last scheduled one failed, and none succeeded since.
    pub failed: Option<FailedBackup>,
    /// Files in the schedule's folder, newest first.
    pub kept: Vec<KeptBackup>,
}

/// As the settings say: `backup_every`, `backup_to`, `backup_keep`, `backup_passphrase_file`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupSchedule {
    pub every_s: u64,
    pub to: String,
    pub keep: u64,
    /// The keys go along, locked with a passphrase; otherwise they are left out.
    pub with_keys: bool,
    pub next_at: Time,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LastBackup {
    pub at: Time,
    pub by: String,
    /// Before it was packed.
    pub bytes: Option<u64>,
    /// `left_out`, `open` or `locked`.
    pub keys: Option<String>,
    /// Older than it should be.
    pub is_old: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FailedBackup {
    pub at: Time,
    #[schema(example = "TW-BACK-002")]
    pub code: Option<String>,
    pub why: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeptBackup {
    pub name: String,
    pub at: Time,
    /// As it lies there, packed.
    pub bytes: u64,
}
