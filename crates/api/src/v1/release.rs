use super::Time;
use serde::{Deserialize, Serialize};
use tradewind_model::id::{Commit, Digest, EnvName, RevisionId, RunId, ServiceName, SiteName};
use utoipa::ToSchema;

/// A release by its name for people and its name for machines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReleaseRef {
    /// Counts within the service.
    #[schema(example = "v3")]
    pub label: String,
    #[schema(value_type = String, example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub digest: Digest,
}

/// Immutable, whole, and without knowledge of any environment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Release {
    #[serde(flatten)]
    pub name: ReleaseRef,
    #[schema(value_type = String, example = "shop")]
    pub service: ServiceName,
    #[schema(value_type = String)]
    pub commit: Commit,
    /// First line of the commit's message.
    pub title: Option<String>,
    /// The run that made it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub run: Option<RunId>,
    pub created_at: Time,
    pub created_by: String,
    /// The compressed archive.
    #[schema(value_type = String)]
    pub bundle: Digest,
    pub bundle_bytes: u64,
    pub files: u64,
    /// Environments it is live in now.
    #[schema(value_type = Vec<String>)]
    pub live_in: Vec<EnvName>,
}

/// A release with all it is made of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReleaseDetail {
    #[serde(flatten)]
    pub release: Release,
    /// `tradewind.yaml` as pushed.
    pub spec: String,
    /// Sorted by path.
    pub manifest: Vec<ReleaseFile>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReleaseFile {
    #[schema(example = "app/server.py")]
    pub path: String,
    /// Content of a file; none for a symbolic link.
    #[schema(value_type = Option<String>)]
    pub digest: Option<Digest>,
    /// Bytes; none for a symbolic link.
    pub bytes: Option<u64>,
    pub executable: bool,
    /// Target of a symbolic link.
    pub link: Option<String>,
}

/// What changes from one release to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReleaseDiff {
    pub from: ReleaseRef,
    pub to: ReleaseRef,
    #[schema(value_type = String)]
    pub from_commit: Commit,
    #[schema(value_type = String)]
    pub to_commit: Commit,
    /// Sorted by path.
    pub files: Vec<FileChange>,
    /// Sorted by key.
    pub spec: Vec<SpecChange>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FileChange {
    pub path: String,
    pub change: FileChangeKind,
    /// Bytes; none where there was or is no such file.
    pub before_bytes: Option<u64>,
    pub after_bytes: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    Added,
    Removed,
    Changed,
    /// Same content; another mode, or a link became a file.
    ModeChanged,
}

/// A value of `tradewind.yaml` that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpecChange {
    #[schema(example = "run.env.LOG_LEVEL")]
    pub key: String,
    /// As written; none where it was or is absent.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A release with a configuration version for one place: what runs, and what one goes back to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Revision {
    #[schema(value_type = uuid::Uuid)]
    pub id: RevisionId,
    #[schema(value_type = String)]
    pub service: ServiceName,
    #[schema(value_type = String)]
    pub env: EnvName,
    #[schema(value_type = String)]
    pub site: SiteName,
    pub release: ReleaseRef,
    pub config_version: u64,
    pub created_at: Time,
    /// When its rollout completed here; only a completed revision is one to go back to.
    pub completed_at: Option<Time>,
}
