//! How a run's jobs stand. The control plane keeps it beside the plan and changes it only through
//! [`advance`](super::advance::advance).

use super::{
    plan::{AllowFailure, FailureReason, JobIx, Pipeline},
    status::{Member, Status, fold, has_warnings},
};
use crate::{said::Said, time::Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct State {
    pub status: Status,
    /// One for each of [`Pipeline::jobs`], in the same order.
    pub jobs: Vec<JobState>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobState {
    pub status: Status,
    /// From 1; each start, the automatic ones included, is an attempt of its own. Reports about an older one are ignored.
    pub attempt: u32,
    /// A person started it.
    pub played: bool,
    /// Only while `failed`.
    pub failure: Option<Failure>,
    /// When it is `scheduled` for.
    pub starts_at: Option<Timestamp>,
    /// Since when it may be picked up.
    pub queued_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub reason: FailureReason,
    pub exit_code: Option<i32>,
    /// For people: `exit code 2`, `longer than its timeout of 1h`.
    pub message: Said,
}

impl JobState {
    pub(super) fn new() -> Self {
        Self {
            status: Status::Created,
            attempt: 1,
            played: false,
            failure: None,
            starts_at: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
        }
    }
}

impl State {
    pub(super) fn member(&self, plan: &Pipeline, job: JobIx) -> Member {
        let state = &self.jobs[job];
        let allowed = match &plan.jobs[job].allow_failure {
            AllowFailure::No => false,
            AllowFailure::Yes => true,
            AllowFailure::ExitCodes(codes) => {
                state.failure.as_ref().and_then(|f| f.exit_code).is_some_and(|c| codes.contains(&c))
            }
        };
        Member { status: state.status, allowed }
    }

    pub fn stage_status(&self, plan: &Pipeline, stage: usize) -> Option<Status> {
        fold(plan.jobs_of_stage(stage).map(|j| self.member(plan, j)))
    }

    /// It succeeded, or would, though jobs that may fail did.
    pub fn has_warnings(&self, plan: &Pipeline) -> bool {
        has_warnings((0..plan.jobs.len()).map(|j| self.member(plan, j)))
    }
}
