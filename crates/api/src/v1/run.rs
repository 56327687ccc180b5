use super::{ForgePush, ReleaseRef, Time};
use serde::{Deserialize, Serialize};
use tradewind_model::id::{Commit, Digest, EnvName, JobId, RolloutId, RunId, ServiceName};
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for an agent to take its first job.
    Pending,
    Running,
    /// Nothing runs; a job waits for a person.
    Manual,
    Success,
    /// Succeeded, though a job that may fail did.
    SuccessWithWarnings,
    Failed,
    /// A cancel was asked for; something still ends.
    Canceling,
    Canceled,
    /// No job was due.
    Skipped,
}

impl RunState {
    /// Nothing will change any more.
    pub fn is_finished(self) -> bool {
        match self {
            Self::Pending | Self::Running | Self::Manual | Self::Canceling => false,
            Self::Success | Self::SuccessWithWarnings | Self::Failed | Self::Canceled | Self::Skipped => true,
        }
    }

    /// A release came of it, or may.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::SuccessWithWarnings)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for earlier jobs.
    Created,
    /// Due; waits for an agent.
    Pending,
    Running,
    /// Waits for a person.
    Manual,
    Success,
    Failed,
    Canceling,
    Canceled,
    Skipped,
}

impl JobState {
    pub fn is_finished(self) -> bool {
        match self {
            Self::Created | Self::Pending | Self::Running | Self::Manual | Self::Canceling => false,
            Self::Success | Self::Failed | Self::Canceled | Self::Skipped => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// From the pipeline file.
    Script,
    /// Makes the release's bundle; the last of a run.
    Package,
}

/// One execution of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Run {
    #[schema(value_type = uuid::Uuid)]
    pub id: RunId,
    #[schema(value_type = String, example = "shop")]
    pub service: ServiceName,
    /// Counts within the service, from 1.
    pub number: u64,
    #[schema(value_type = String, example = "6c1f0b1f4f3a4d1e9c0a7b2d5e8f90123456789a")]
    pub commit: Commit,
    #[schema(example = "main")]
    pub branch: String,
    /// First line of the commit's message.
    pub title: Option<String>,
    /// Where the branch leads; none: a release is made and rolled out nowhere.
    #[schema(value_type = Option<String>, example = "production")]
    pub env: Option<EnvName>,
    pub state: RunState,
    /// A sentence: why it failed, or what it waits for.
    pub reason: Option<String>,
    pub requested_by: String,
    /// Where the push came from, where that was a forge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge: Option<ForgePush>,
    pub created_at: Time,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    /// In the order of stages and of the file; the packaging comes last.
    pub jobs: Vec<Job>,
    pub release: Option<ReleaseRef>,
    /// The rollout its release started.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub rollout: Option<RolloutId>,
}

/// One job of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Job {
    #[schema(value_type = uuid::Uuid)]
    pub id: JobId,
    #[schema(example = "unit tests")]
    pub name: String,
    #[schema(example = "test")]
    pub stage: String,
    pub kind: JobKind,
    pub state: JobState,
    /// Its failure does not fail the run.
    pub allow_failure: bool,
    /// Names of the jobs whose end it waits for; none: all of earlier stages.
    #[serde(default)]
    pub needs: Option<Vec<String>>,
    /// How often a host was given it, this time included; from 1.
    #[serde(default = "first")]
    pub attempt: u32,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    /// Of the script's shell; none when it ended by a signal, never began or has not ended.
    pub exit_code: Option<i32>,
    /// A sentence: the signal, the time-out, why it could not begin.
    pub message: Option<String>,
    /// Bytes of its log stored so far.
    pub log_bytes: u64,
    /// Of its script, in order, those not begun included; then of `after_script`, as far as they were begun. Only where one
    /// run is asked for, and only of jobs whose host told of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<JobCommand>,
    /// Those before this one, oldest first; their logs stay. Only where one run is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<JobAttempt>,
}

fn first() -> u32 {
    1
}

/// What became of a job before it was run again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobAttempt {
    /// From 1; the log's `attempt`.
    pub attempt: u32,
    pub state: JobState,
    /// When a host was given it.
    pub started_at: Time,
    pub finished_at: Option<Time>,
    pub exit_code: Option<i32>,
    /// A sentence: the exit code, the signal, why it could not begin.
    pub message: Option<String>,
    pub log_bytes: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<JobCommand>,
}

/// The files that a job left, as one archive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    #[schema(value_type = uuid::Uuid)]
    pub job: JobId,
    /// Of the job.
    #[schema(example = "build")]
    pub name: String,
    /// What a download is called.
    #[schema(example = "shop-12-build.tar.zst")]
    pub file: String,
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Bytes; none: it was collected.
    pub size: Option<u64>,
    /// When it may be collected; none: not while the run goes on, or never (`expire_in: never`), or it was.
    pub expires_at: Option<Time>,
}

/// One command of a job's script.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobCommand {
    /// Its first line; secrets are masked in it as they are in the log.
    #[schema(example = "npm test")]
    pub text: String,
    /// Of `after_script`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after: bool,
    /// None: it has not begun, or never will.
    pub started_at: Option<Time>,
    /// None: it has not ended, or nobody saw it end.
    pub duration_ms: Option<u64>,
    /// None: it has not ended, or ended by a signal.
    pub exit_code: Option<i32>,
    /// The line of the log that names it, from 1.
    pub line: Option<u64>,
}

/// What a follower of a run is told, in order. The stream ends after [`RunUpdate::Finished`]; a rollout, when the
/// branch leads to one, is announced before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunUpdate {
    /// A part of a job's log, whole UTF-8 characters.
    Log {
        #[schema(value_type = uuid::Uuid)]
        job: JobId,
        name: String,
        /// Byte offset of `text` in the job's log.
        offset: u64,
        text: String,
    },
    /// A job changed its state.
    Job { job: Box<Job> },
    /// The run's release was made.
    Released { release: ReleaseRef },
    /// The release is on its way; it goes on without a follower.
    RolloutStarted {
        #[schema(value_type = uuid::Uuid)]
        id: RolloutId,
        #[schema(value_type = String)]
        env: EnvName,
        /// Relative to the server: `/api/v1/rollouts/<id>`.
        url: String,
        /// Of a canary that has begun: how long its judge will need, and what to change where that is hopeless.
        #[serde(default)]
        outlook: Option<String>,
        /// A sentence, where it has not begun: what it waits for.
        #[serde(default)]
        waits_for: Option<String>,
    },
    /// The run's last state.
    Finished { run: Box<Run> },
}
