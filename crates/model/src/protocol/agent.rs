//! Server and agent. The agent dials `GET /api/v1/agent/stream` with `Upgrade: tradewind-agent/1` and its key; the
//! upgraded connection carries one JSON value a line both ways. Nothing dials in.
//!
//! The server always sends the whole [`Desired`] state with a generation that only rises; the agent refuses a lower
//! one, keeps the last on disk and reconciles towards it, with or without a server. The agent always sends the whole
//! [`Observed`] state, numbered within its epoch, so late, lost and doubled reports are harmless.
//!
//! Bulk goes beside the stream: blobs, sources and job logs over plain requests under `/api/v1/agent/`.

use crate::{
    id::{Commit, Digest, HostId, InstanceId, JobId, Place, RevisionId, RunId, TaskId},
    protocol::{
        command::CommandRun,
        edge::{Challenge, Mode, RouteLimits, Stats, Sticky},
        machine::Machine,
        scrape::{DesiredScrape, ObservedScrape},
        trial::{CountedRuns, ShardTrial, ShardTrip, Trial, Trip, UnitTick, UnitsTaken},
    },
    release::ReleaseManifest,
    said,
    said::Said,
    secret::SecretUse,
    time::Timestamp,
    workload::{HealthCheck, Workload},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

pub const VERSION: u32 = 1;
pub const UPGRADE: &str = "tradewind-agent/1";
/// Bytes of the longest line either side takes; a longer one ends the connection.
pub const LONGEST_LINE: usize = 128 << 20;
/// Bytes of the longest list of files that a packaging may report, as JSON. A report with several has to fit into a line:
/// one that does not could never be taken in, and nothing else of its host.
pub const LONGEST_MANIFEST: usize = 24 << 20;
/// So long a host keeps the log of an instance that is gone, and the server asks for it.
pub const LOG_KEPT: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// Answers [`FromAgent::Hello`].
    Welcome {
        protocol: u32,
        host: HostId,
    },
    Desired(Box<Desired>),
    /// Read an instance's log; answered by [`FromAgent::Log`] under the same number until `done`.
    ReadLog {
        request: u64,
        instance: InstanceId,
        tail_lines: u64,
        follow: bool,
    },
    StopLog {
        request: u64,
    },
    Ping {
        n: u64,
    },
    /// Answers [`FromAgent::Units`] once the ticks are in the store.
    UnitsTaken {
        taken: Vec<UnitsTaken>,
    },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    Hello {
        protocol: u32,
        version: String,
        epoch: String,
        hostname: String,
        generation: u64,
    },
    Observed(Box<Observed>),
    Log {
        request: u64,
        lines: Vec<LogLine>,
        done: bool,
    },
    /// The edge's counters, as they came, once a second; not part of the observed state because they always change.
    Traffic(Stats),
    /// The edge's ticks, as they came, and the agent's own; sent again until they are answered.
    Units {
        ticks: Vec<UnitTick>,
    },
    Pong {
        n: u64,
    },
    /// The machine, every few seconds; not part of the observed state because it always changes. A server that does not know
    /// it lets it pass.
    Machine(Machine),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogLine {
    pub at: Timestamp,
    pub stream: LogStream,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    Stdout,
    Stderr,
    /// What Tradewind itself says about the process: started, stopped, lines left out.
    System,
}

// ---------------------------------------------------------------- desired

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Desired {
    pub generation: u64,
    pub releases: Vec<DesiredRelease>,
    /// What is not listed is drained, stopped and forgotten.
    pub instances: Vec<DesiredInstance>,
    pub routes: Vec<DesiredRoute>,
    /// What is not listed any more is cancelled (if it runs) and forgotten.
    pub tasks: Vec<DesiredTask>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scrapes: Vec<DesiredScrape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shard_trials: Vec<ShardTrial>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted_runs: Vec<CountedRuns>,
    /// Certificates the edge is to show, by the digests of their chains; fetched beside the stream, with their keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<Challenge>,
}

/// A release to have unpacked on this host. Those not listed may be collected.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DesiredRelease {
    pub release: Digest,
    pub bundle: Digest,
    pub service: String,
    pub prepare: Option<crate::workload::Prepare>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DesiredInstance {
    pub id: InstanceId,
    pub place: Place,
    pub revision: RevisionId,
    pub release: Digest,
    /// `v3`: passed as `TRADEWIND_RELEASE`.
    pub label: String,
    pub workload: Workload,
    pub phase: DesiredPhase,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DesiredPhase {
    /// Run it, restart it when it ends.
    Run,
    /// Unpacked and prepared, not running (a worker's warm predecessor). A running one is drained and stopped.
    Stopped,
}

/// Traffic for one place. The agent fills in the addresses of the instances that are ready.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DesiredRoute {
    pub place: Place,
    /// Rises with every change of this route's intent; observed again in [`ObservedRoute::version`].
    pub version: u64,
    pub hosts: Vec<String>,
    pub path_prefix: String,
    pub mode: Mode,
    pub sticky: Sticky,
    pub salt: String,
    pub splits: Vec<DesiredSplit>,
    pub limits: RouteLimits,
    pub health: Option<HealthCheck>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DesiredSplit {
    pub revision: RevisionId,
    pub label: String,
    /// Basis points.
    pub weight: u32,
}

/// Done once, reported until it leaves the list. The id is the idempotency key: a task that was begun is re-attached
/// or reported as it ended, never begun again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DesiredTask {
    pub id: TaskId,
    pub work: Work,
    /// Stop it as cancelled; it stays listed until its end was observed.
    pub cancel: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Work {
    Job(Box<JobWork>),
    Package(Box<PackageWork>),
    Verify(Box<VerifyWork>),
}

/// Where a job's files come from: the commit's tree, then the artifacts of earlier jobs over it, in order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Source {
    pub service: String,
    pub commit: Commit,
    pub artifacts: Vec<Digest>,
}

/// Stands for the job's folder in the values of [`JobWork::variables`]: only the agent knows it. The agent puts the
/// absolute path in its place wherever it occurs, and sets `CI_PROJECT_DIR` to the path itself.
pub const PROJECT_DIR: &str = "${CI_PROJECT_DIR}";

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobWork {
    pub run: RunId,
    pub job: JobId,
    pub name: String,
    pub source: Source,
    /// Lines of `before_script` then `script`; run by one shell with errexit and pipefail.
    pub script: Vec<String>,
    pub after_script: Vec<String>,
    /// The job's whole environment beside `PATH`, `HOME` and the like: expanded, but for [`PROJECT_DIR`].
    pub variables: BTreeMap<String, String>,
    /// What it is given besides when it begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretUse>,
    pub timeout_ms: u64,
    pub artifacts: Option<ArtifactRule>,
    /// Bytes of log kept; beyond it the log says how much was left out.
    pub log_limit_bytes: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArtifactRule {
    pub paths: Vec<String>,
    pub exclude: Vec<String>,
    pub when: ArtifactWhen,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactWhen {
    OnSuccess,
    OnFailure,
    Always,
}

/// Make the release's bundle: source and artifacts, then only what `paths` (globs) name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PackageWork {
    pub run: RunId,
    pub source: Source,
    pub spec: String,
    pub paths: Vec<String>,
    pub exclude: Vec<String>,
}

/// Ask every instance of a revision, directly and through the edge, whether it serves.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VerifyWork {
    pub place: Place,
    pub revision: RevisionId,
    pub instances: Vec<InstanceId>,
    pub health: Option<HealthCheck>,
    /// A host name and path for the request through the edge; none for services without traffic.
    pub through_edge: Option<EdgeProbe>,
    pub timeout_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EdgeProbe {
    pub host: String,
    pub path: String,
}

// ---------------------------------------------------------------- observed

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Rises within the agent's epoch.
    pub seq: u64,
    /// The desired state this was seen under: every worker and cron service has heard what it says of it, so that one that
    /// is seen stopped stays so.
    pub generation: u64,
    pub at: Timestamp,
    pub releases: Vec<ObservedRelease>,
    pub instances: Vec<ObservedInstance>,
    pub routes: Vec<ObservedRoute>,
    pub tasks: Vec<ObservedTask>,
    pub edge: Option<ObservedEdge>,
    /// Trials whose own counters are not all read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scrapes: Vec<ObservedScrape>,
    /// In force for as long as their trials are desired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shard_trips: Vec<ShardTrip>,
    /// What the edge shows and answers of `Desired::certificates` and `Desired::challenges`: digests and tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedRelease {
    pub release: Digest,
    pub state: ReleaseState,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ReleaseState {
    Fetching,
    Preparing,
    Ready,
    Failed { reason: Said },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedInstance {
    pub id: InstanceId,
    pub revision: RevisionId,
    pub phase: InstancePhase,
    pub since: Timestamp,
    pub pid: Option<u32>,
    pub addr: Option<SocketAddr>,
    pub restarts: u32,
    pub last_exit: Option<Exit>,
    /// What a person should know: the failed check, the reason it does not start.
    pub message: Option<Said>,
    /// Only for cron services: the last runs on this host, oldest first, bounded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<CronRun>,
}

/// One due time of a cron service. `due_at` names it within its instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CronRun {
    pub due_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub outcome: CronOutcome,
    /// It ended because its release was to rest: that says nothing of the release.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
}

impl CronRun {
    /// Whether it is evidence, and of what: true where it failed. `None` for one that works, was never begun, or was stopped by
    /// Tradewind itself. An end that nobody saw is never taken for success.
    pub fn failed(&self) -> Option<bool> {
        match &self.outcome {
            CronOutcome::Running | CronOutcome::Skipped => None,
            CronOutcome::Succeeded => Some(false),
            CronOutcome::Failed { .. } | CronOutcome::TimedOut => Some(true),
        }
        .filter(|_| !self.stopped)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CronOutcome {
    Running,
    /// It ended with exit code 0.
    Succeeded,
    Failed {
        exit: Exit,
    },
    /// It ran longer than the schedule's `timeout_ms` and was stopped.
    TimedOut,
    /// The run before it was still working when it was due, or nobody was there to begin it.
    Skipped,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstancePhase {
    /// Its release is being fetched or prepared.
    Pending,
    /// Runs; its checks have not passed yet.
    Starting,
    /// Its checks pass; the edge may send it requests.
    Ready,
    /// Was ready; its checks fail.
    Unhealthy,
    /// Out of the edge's table; requests in flight finish.
    Draining,
    /// Signalled; has not ended yet.
    Stopping,
    /// Not running, as desired (also: a cron service between two runs).
    Stopped,
    /// Ended by itself; will be restarted after the back-off.
    Backoff,
    /// In a crash loop, or it cannot start at all.
    Failed,
}

impl InstancePhase {
    /// As a word behind an instance.
    pub fn said(self) -> Said {
        match self {
            Self::Pending => said!("pending", "等待中"),
            Self::Starting => said!("starting", "启动中"),
            Self::Ready => said!("ready", "就绪"),
            Self::Unhealthy => said!("unhealthy", "不健康"),
            Self::Draining => said!("draining", "排空中"),
            Self::Stopping => said!("stopping", "停止中"),
            Self::Stopped => said!("stopped", "已停止"),
            Self::Backoff => said!("waiting to be restarted", "等待重启"),
            Self::Failed => said!("failed", "失败"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Exit {
    Code {
        code: i32,
    },
    Signal {
        signal: i32,
    },
    /// Nobody saw it end; never taken for success.
    Unknown,
    /// It never began.
    NotStarted {
        reason: String,
    },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedRoute {
    pub place: Place,
    /// The [`DesiredRoute::version`] the edge has acknowledged: no new request follows an older one.
    pub version: u64,
    pub splits: Vec<ObservedSplit>,
    /// A limit of the route's trial was passed: the canary has no share, whatever `splits` were wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tripped: Option<Trip>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedSplit {
    pub revision: RevisionId,
    pub weight: u32,
    pub ready_targets: u32,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedTask {
    pub id: TaskId,
    pub state: TaskState,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Bytes of its log, all of them uploaded before `Done` is reported.
    pub log_bytes: u64,
    /// Of a job that runs: how far its script is. What it did in the end is in its result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandRun>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TaskState {
    Accepted,
    Running,
    Done(Box<TaskResult>),
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TaskResult {
    Job {
        outcome: JobOutcome,
        exit: Exit,
        artifacts: Option<Digest>,
        message: Option<Said>,
        /// In the order they were begun.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        commands: Vec<CommandRun>,
    },
    Package {
        result: Result<ReleaseManifest, Said>,
    },
    Verify {
        report: VerifyReport,
    },
    /// The task could not be carried out at all (no source, no disk, host restarted under it).
    Error {
        code: String,
        reason: Said,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    Success,
    Failed,
    TimedOut,
    Canceled,
}

/// Why a job ended as [`JobOutcome::TimedOut`].
pub fn timed_out(limit: Duration) -> Said {
    said!("stopped after its timeout of {limit}", "超过时限 {limit}，已被停止", limit = format_args!("{limit:?}"))
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VerifyReport {
    pub passed: bool,
    pub checks: Vec<VerifyCheck>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VerifyCheck {
    /// `instance 0190…` or `edge shop.example.com/healthz`.
    pub what: Said,
    pub passed: bool,
    pub took_ms: u64,
    pub detail: Said,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedEdge {
    pub pid: u32,
    pub table: u64,
    pub listen: Vec<SocketAddr>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
        let line = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<T>(&line).unwrap(), value, "{line}");
    }

    #[test]
    fn nested_variants_do_not_share_a_tag() {
        let results = [
            TaskResult::Job {
                outcome: JobOutcome::Success,
                exit: Exit::Code { code: 0 },
                artifacts: Some(Digest::of(b"x")),
                message: None,
                commands: Vec::new(),
            },
            TaskResult::Package { result: Err(Said::plain("no space")) },
            TaskResult::Verify { report: VerifyReport { passed: true, checks: Vec::new() } },
            TaskResult::Error { code: "TW-AGENT-001".into(), reason: said!("no source", "没有源码") },
        ];
        for result in results {
            round_trip(TaskState::Done(Box::new(result)));
        }
        round_trip(TaskState::Running);
        round_trip(FromAgent::Observed(Box::default()));
        round_trip(ToAgent::Desired(Box::default()));
    }
}
