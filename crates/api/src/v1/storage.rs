use super::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the control plane keeps on its disk, by kind, and what the next collection would free.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Storage {
    pub measured_at: Time,
    /// The disk of the data folder; none where it cannot be asked.
    pub disk: Option<Disk>,
    /// Of all kinds that there are.
    pub kinds: Vec<StoredKind>,
    /// What a collection would free if it came now; by the rules it goes by.
    pub due: Collected,
    /// How long a finished run's artifacts are kept, in seconds.
    pub artifacts_kept_s: u64,
    /// None before the first since the server began.
    pub last: Option<Collection>,
    pub next_at: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Disk {
    pub bytes: u64,
    /// For a process that is not root's.
    pub free_bytes: u64,
}

/// What is kept of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoredKind {
    pub kind: StoredAs,
    pub bytes: u64,
    /// None where they are not counted.
    pub files: Option<u64>,
}

/// `hosts`: what an agent in the same data folder keeps (unpacked releases, services' data, instances' logs); `logs`: the
/// program's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoredAs {
    Database,
    Releases,
    Artifacts,
    JobLogs,
    Sources,
    Hosts,
    Logs,
    Backups,
}

impl StoredAs {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Releases => "releases",
            Self::Artifacts => "artifacts",
            Self::JobLogs => "job_logs",
            Self::Sources => "sources",
            Self::Hosts => "hosts",
            Self::Logs => "logs",
            Self::Backups => "backups",
        }
    }
}

/// What a collection frees: job artifacts past their time, and uploads that broke off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Collected {
    pub artifacts: u64,
    pub artifact_bytes: u64,
    pub uploads: u64,
    pub upload_bytes: u64,
}

impl Collected {
    pub fn bytes(&self) -> u64 {
        self.artifact_bytes + self.upload_bytes
    }
}

/// A collection that is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Collection {
    pub at: Time,
    pub took_ms: u64,
    /// Who asked for it; none: it was time.
    pub by: Option<String>,
    pub freed: Collected,
    /// A backup was being made, and nothing went.
    pub held: bool,
    /// Why it failed.
    pub error: Option<String>,
}
