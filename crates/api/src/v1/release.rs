use super::Time;
use serde::{Deserialize, Serialize};
use tradewind_model::id::{Commit, Digest, EnvName, RevisionId, RolloutId, RunId, ServiceName, SiteName};
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
    /// At each place of the service where something completed, by environment and site.
    #[serde(default)]
    pub stands: Vec<ReleaseStand>,
}

/// Where a release stands at a place, as to going back to it. What a release is made of is kept for good: only how soon a
/// rollback gets there changes with time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReleaseStand {
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    #[schema(value_type = String, example = "default")]
    pub site: SiteName,
    pub stand: Stand,
    /// A rollback can lead to it now. What is live is a target only while a rollout is on its way to replace it.
    pub possible: bool,
    /// A sentence: why it is not possible.
    pub why: Option<String>,
    /// Of the refusal that naming it would meet.
    #[schema(example = "TW-ROLL-024")]
    pub code: Option<String>,
    /// When a rollout to it last completed here.
    pub completed_at: Option<Time>,
    /// Of a warm one: from then on a rollback has to start it first. None: until something else takes its place.
    pub warm_until: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// Runs here now.
    Live,
    /// Completed here, and going back to it starts nothing.
    Warm,
    /// Completed here; it is started and checked first.
    Cold,
    /// Completed here once, and somebody went back from it.
    Left,
    /// Did not complete here.
    Never,
    /// Completed here; its spec cannot be read any more, or has no such environment.
    Unreadable,
}

/// Where an environment can be taken back to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WaysBack {
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// The rollout that a rollback would take over.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub under_way: Option<RolloutId>,
    /// Where each site is led without a release being named; empty where nothing was ever live.
    pub sites: Vec<WayBack>,
    /// At one site at least; the last that completed first, 30 at most.
    pub possible: Vec<Release>,
    /// Of the newest releases those that are not possible; `stands` says why.
    pub others: Vec<Release>,
}

/// Where a site is led by a rollback that names no release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WayBack {
    #[schema(value_type = String)]
    pub site: SiteName,
    pub live: Option<ReleaseRef>,
    pub to: Option<ReleaseRef>,
    /// A sentence: why it is led nowhere.
    pub why: Option<String>,
    pub code: Option<String>,
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
    /// None where the repository does not have both commits.
    #[serde(default)]
    pub history: Option<History>,
    /// What the commits change in the sources; only where it is asked for, and the repository has both commits.
    #[serde(default)]
    pub sources: Option<SourceChanges>,
}

/// Commits between two releases, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// They come in.
    pub added: Vec<CommitLine>,
    /// They go out: so it is where one goes back, or to another branch.
    pub undone: Vec<CommitLine>,
    /// There are more than 200 of either.
    pub more: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CommitLine {
    #[schema(value_type = String)]
    pub commit: Commit,
    pub author: String,
    pub at: Time,
    /// First line of the message.
    pub subject: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SourceChanges {
    /// By path; 300 files and 512 KiB at most.
    pub files: Vec<SourceChange>,
    /// There is more than is told.
    pub more: bool,
}

/// A file of the sources that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SourceChange {
    pub path: String,
    pub change: FileChangeKind,
    /// Unified, from the first `@@` on; none of a binary file, or where its mode alone differs.
    pub text: Option<String>,
    pub binary: bool,
    /// Only the first 64 KiB are told.
    pub cut: bool,
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
