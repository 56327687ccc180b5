//! What a host is given to do, and what its answer means.

use super::{
    body::{JobBody, RunPlan},
    logs::LOG_LIMIT,
};
use std::time::Duration;
use tradewind_model::{
    id::Digest,
    pipeline::{Failure, FailureReason, JobIx, JobKind, Outcome, Pipeline},
    protocol::agent::{Exit, JobOutcome, JobWork, PackageWork, Source, TaskResult, Work, timed_out},
    release::ReleaseManifest,
    said,
    said::Said,
};
use tradewind_store::rows::jobs;

pub fn compose(plan: &RunPlan, pipeline: &Pipeline, at: JobIx, rows: &[jobs::Job], bodies: &[JobBody]) -> Work {
    let job = &pipeline.jobs[at];
    let trigger = &plan.trigger;
    let source = Source {
        service: trigger.service.to_string(),
        commit: trigger.commit.clone(),
        artifacts: pipeline.artifact_sources(at).into_iter().filter_map(|from| bodies[from].artifacts).collect(),
    };
    match job.kind {
        JobKind::Package => Work::Package(Box::new(PackageWork {
            run: trigger.run,
            source,
            spec: plan.spec.clone(),
            paths: plan.paths.clone(),
            exclude: plan.exclude.clone(),
        })),
        JobKind::Script => {
            let variables = pipeline.environment(at, trigger, rows[at].id);
            Work::Job(Box::new(JobWork {
                run: trigger.run,
                job: rows[at].id,
                name: job.name.clone(),
                source,
                script: job.script.clone(),
                after_script: job.after_script.clone(),
                artifacts: job.artifacts.as_ref().map(|a| a.expanded(&variables)),
                variables,
                secrets: job.secrets.clone(),
                timeout_ms: job.timeout_ms,
                log_limit_bytes: LOG_LIMIT,
            }))
        }
    }
}

/// How an attempt ended.
pub struct Ended {
    pub outcome: Outcome,
    pub artifacts: Option<Digest>,
    pub exit_code: Option<i32>,
    pub message: Option<Said>,
    /// Of a packaging that succeeded.
    pub manifest: Option<ReleaseManifest>,
}

impl Ended {
    pub fn lost(message: Said) -> Self {
        Self::failed(FailureReason::RunnerSystemFailure, None, message)
    }

    fn failed(reason: FailureReason, exit_code: Option<i32>, message: Said) -> Self {
        let outcome = Outcome::Failed(Failure { reason, exit_code, message: message.clone() });
        Self { outcome, artifacts: None, exit_code, message: Some(message), manifest: None }
    }

    fn other(outcome: Outcome, message: Option<Said>) -> Self {
        Self { outcome, artifacts: None, exit_code: None, message, manifest: None }
    }

    /// What a host's answer means for the job it was given. An answer of another kind is the host's failure.
    pub fn of(result: TaskResult, kind: JobKind, plan: &RunPlan, timeout_ms: u64) -> Self {
        match (result, kind) {
            (TaskResult::Job { outcome, exit, artifacts, message, commands: _ }, JobKind::Script) => {
                let ended = Self::of_job(outcome, exit, message, timeout_ms);
                Self { artifacts, ..ended }
            }
            (TaskResult::Package { result: Ok(manifest) }, JobKind::Package) => match foreign(&manifest, plan) {
                Some(what) => Self::lost(said!(
                    "the packaged release is not of this run: {what}",
                    "打包得到的版本不属于此次运行：{what}",
                    what = what
                )),
                None => Self { manifest: Some(manifest), ..Self::other(Outcome::Success, None) },
            },
            (TaskResult::Package { result: Err(reason) }, JobKind::Package) => {
                Self::failed(FailureReason::ScriptFailure, None, reason)
            }
            (TaskResult::Error { code, reason }, _) if code == "canceled" => {
                Self::other(Outcome::Canceled, Some(reason))
            }
            (TaskResult::Error { code, reason }, _) => {
                Self::lost(said!("{reason} ({code})", "{reason}（{code}）", reason = reason, code = code))
            }
            (TaskResult::Job { .. } | TaskResult::Package { .. } | TaskResult::Verify { .. }, _) => {
                Self::lost(said!("the agent answered with a result of another kind", "agent 返回了另一种结果"))
            }
        }
    }

    fn of_job(outcome: JobOutcome, exit: Exit, message: Option<Said>, timeout_ms: u64) -> Self {
        let exit_code = match exit {
            Exit::Code { code } => Some(code),
            Exit::Signal { .. } | Exit::Unknown | Exit::NotStarted { .. } => None,
        };
        let told = |otherwise: Said| message.clone().unwrap_or(otherwise);
        match outcome {
            JobOutcome::Success => Self { exit_code, ..Self::other(Outcome::Success, message) },
            JobOutcome::Canceled => Self { exit_code, ..Self::other(Outcome::Canceled, message) },
            JobOutcome::TimedOut => {
                let limit = Duration::from_millis(timeout_ms);
                Self::failed(FailureReason::JobExecutionTimeout, exit_code, told(timed_out(limit)))
            }
            JobOutcome::Failed => match exit {
                Exit::Code { code } => {
                    let message = told(said!("exit code {code}", "退出码 {code}", code = code));
                    Self::failed(FailureReason::ScriptFailure, exit_code, message)
                }
                Exit::Signal { signal } => {
                    let message = told(said!("ended by signal {signal}", "被信号 {signal} 终止", signal = signal));
                    Self::failed(FailureReason::ScriptFailure, None, message)
                }
                Exit::Unknown => Self::lost(told(said!("nobody saw how it ended", "如何结束无人知晓"))),
                Exit::NotStarted { reason } => {
                    Self::lost(told(said!("it could not be started: {why}", "无法启动：{why}", why = reason)))
                }
            },
        }
    }
}

/// What of a manifest is not this run's.
fn foreign(manifest: &ReleaseManifest, plan: &RunPlan) -> Option<Said> {
    if manifest.service != plan.trigger.service {
        return Some(said!("service {service}", "服务 {service}", service = manifest.service));
    }
    if manifest.commit != plan.trigger.commit {
        return Some(said!("commit {commit}", "提交 {commit}", commit = manifest.commit));
    }
    (manifest.spec != plan.spec).then(|| said!("another tradewind.yaml", "另一份 tradewind.yaml"))
}
