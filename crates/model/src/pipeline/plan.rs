//! What a pipeline is, once its file is understood.

use super::variables::{self, Trigger, Variables};
use crate::{id::JobId, protocol::agent::ArtifactRule, secret::SecretUse};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Index of a job in [`Pipeline::jobs`].
pub type JobIx = usize;

/// A pipeline without jobs is legal: its run succeeds at once and the commit is packaged as it is.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Pipeline {
    /// In the order they run; only those that have jobs.
    pub stages: Vec<String>,
    /// Sorted by stage, then by their place in the file.
    pub jobs: Vec<JobPlan>,
    pub on_job_failure: OnJobFailure,
    pub on_new_commit: OnNewCommit,
}

/// `workflow:auto_cancel:on_job_failure`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnJobFailure {
    /// The other jobs go on.
    #[default]
    None,
    /// The first job that fails cancels all that have not ended.
    All,
}

/// `workflow:auto_cancel:on_new_commit`: what becomes of this run when a newer commit of the same branch is pushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNewCommit {
    /// It is cancelled unless a job that is not [`JobPlan::interruptible`] has begun.
    #[default]
    Conservative,
    /// Its interruptible jobs are cancelled.
    Interruptible,
    None,
}

/// What carrying a job out means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Runs its script.
    #[default]
    Script,
    /// Makes the release's bundle; see [`Pipeline::with_packaging`].
    Package,
}

/// Stage and name of the packaging: no job of a file can begin with a dot.
pub const PACKAGE: &str = ".package";

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobPlan {
    pub name: String,
    pub kind: JobKind,
    /// Index into [`Pipeline::stages`].
    pub stage: usize,
    /// Lines of `before_script`, then of `script`.
    pub script: Vec<String>,
    pub after_script: Vec<String>,
    /// As written; see [`Pipeline::environment`].
    pub variables: Variables,
    pub artifacts: Option<Artifacts>,
    /// `None`: starts after all earlier stages. `Some`: starts after exactly these, whatever their stage.
    pub needs: Option<Vec<Need>>,
    /// Whose artifacts it gets, where `dependencies` says so; see [`Pipeline::artifact_sources`].
    pub dependencies: Option<Vec<JobIx>>,
    pub timeout_ms: u64,
    pub allow_failure: AllowFailure,
    pub when: When,
    pub retry: Retry,
    pub interruptible: bool,
    /// What it is given besides, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretUse>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Need {
    pub job: JobIx,
    pub artifacts: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Artifacts {
    pub rule: ArtifactRule,
    #[serde(default)]
    pub keep: Keep,
}

/// How long an archive is kept after its job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The file does not say.
    #[default]
    AsUsual,
    /// Milliseconds.
    For(u64),
    ForGood,
}

/// May the job fail without failing the pipeline?
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowFailure {
    #[default]
    No,
    Yes,
    /// Only with these exit codes.
    ExitCodes(Vec<i32>),
}

/// When a job starts, once its predecessors have ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    OnSuccess,
    OnFailure,
    Always,
    /// A person starts it.
    Manual,
    Delayed {
        start_in_ms: u64,
    },
}

/// Start a failed job again by itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Retry {
    /// 0 to 2 further attempts.
    pub max: u32,
    /// Empty: whatever the cause.
    pub when: Vec<RetryWhen>,
    /// Further exit codes that are worth a retry.
    pub exit_codes: Vec<i32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryWhen {
    Always,
    Failed(FailureReason),
}

/// Why a job failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// Its script ended with an exit code other than 0, or by a signal.
    ScriptFailure,
    JobExecutionTimeout,
    /// The agent could not carry it out, or lost it.
    RunnerSystemFailure,
}

impl Artifacts {
    /// The rule with the variables in its paths resolved.
    pub fn expanded(&self, environment: &BTreeMap<String, String>) -> ArtifactRule {
        let all = |paths: &[String]| paths.iter().map(|p| variables::expand(p, environment)).collect();
        ArtifactRule { paths: all(&self.rule.paths), exclude: all(&self.rule.exclude), when: self.rule.when }
    }
}

impl Retry {
    /// Is a failure of this kind worth another attempt, when `attempts` were made?
    pub fn again(&self, attempts: u32, reason: FailureReason, exit_code: Option<i32>) -> bool {
        attempts <= self.max
            && ((self.when.is_empty() && self.exit_codes.is_empty())
                || self.when.iter().any(|w| match w {
                    RetryWhen::Always => true,
                    RetryWhen::Failed(r) => *r == reason,
                })
                || exit_code.is_some_and(|c| self.exit_codes.contains(&c)))
    }
}

impl Pipeline {
    /// The same with a last stage that makes a release of what the others left, once they succeeded.
    pub fn with_packaging(mut self, timeout_ms: u64) -> Self {
        self.stages.push(PACKAGE.into());
        self.jobs.push(JobPlan {
            name: PACKAGE.into(),
            kind: JobKind::Package,
            stage: self.stages.len() - 1,
            script: Vec::new(),
            after_script: Vec::new(),
            variables: Variables::new(),
            artifacts: None,
            needs: None,
            dependencies: None,
            timeout_ms,
            allow_failure: AllowFailure::No,
            when: When::OnSuccess,
            retry: Retry {
                max: 1,
                when: vec![RetryWhen::Failed(FailureReason::RunnerSystemFailure)],
                exit_codes: vec![],
            },
            interruptible: false,
            secrets: Vec::new(),
        });
        self
    }

    pub fn job_named(&self, name: &str) -> Option<JobIx> {
        self.jobs.iter().position(|j| j.name == name)
    }

    pub fn jobs_of_stage(&self, stage: usize) -> impl Iterator<Item = JobIx> + '_ {
        self.jobs.iter().enumerate().filter(move |(_, j)| j.stage == stage).map(|(i, _)| i)
    }

    /// The jobs whose end this one waits for.
    pub fn predecessors(&self, job: JobIx) -> Vec<JobIx> {
        let plan = &self.jobs[job];
        match &plan.needs {
            Some(needs) => needs.iter().map(|n| n.job).collect(),
            None => self.before_stage(plan.stage),
        }
    }

    /// The jobs whose artifacts are laid over the source of this one, in the order they are laid.
    pub fn artifact_sources(&self, job: JobIx) -> Vec<JobIx> {
        let plan = &self.jobs[job];
        let mut sources = match (&plan.dependencies, &plan.needs) {
            (Some(named), _) => named.clone(),
            (None, Some(needs)) => needs.iter().filter(|n| n.artifacts).map(|n| n.job).collect(),
            (None, None) => self.before_stage(plan.stage),
        };
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// The variables a job runs with.
    pub fn environment(&self, job: JobIx, trigger: &Trigger, id: JobId) -> BTreeMap<String, String> {
        let plan = &self.jobs[job];
        let mut predefined = trigger.predefined();
        variables::of_job(&mut predefined, &plan.name, &self.stages[plan.stage], Some(id.to_string()));
        variables::environment(&predefined, &plan.variables)
    }

    fn before_stage(&self, stage: usize) -> Vec<JobIx> {
        (0..self.jobs.len()).filter(|&i| self.jobs[i].stage < stage).collect()
    }
}
