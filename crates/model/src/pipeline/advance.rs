//! What happens next in a pipeline.
//!
//! [`advance`] settles, then applies the facts in the order given and settles after each. To settle: every job that waits
//! asks how its predecessors stand ([`Pipeline::predecessors`]), until nothing moves. Facts that do not fit (a report about an older attempt, a second
//! report, a request that comes too late) change nothing, so they may be lost, late or doubled without harm.

use super::{
    plan::{JobIx, OnJobFailure, OnNewCommit, Pipeline, When},
    state::{Failure, JobState, State},
    status::{Member, Status, fold, fold_needs},
};
use crate::time::Timestamp;
use std::time::Duration;

/// What was observed, or asked for by a person.
#[derive(Clone, PartialEq, Debug)]
pub enum Fact {
    /// An agent began this attempt.
    Started {
        job: JobIx,
        attempt: u32,
    },
    /// This attempt's processes have all ended.
    Finished {
        job: JobIx,
        attempt: u32,
        outcome: Outcome,
    },
    /// Start a `manual` job, or a `scheduled` one before its time.
    Play {
        job: JobIx,
    },
    /// Run a job that ended again, and what was left out because of it.
    Retry {
        job: JobIx,
    },
    /// Retry every job that failed or was cancelled.
    RetryFailed,
    CancelJob {
        job: JobIx,
    },
    /// Stop everything that has not ended.
    Cancel,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    Success,
    Failed(Failure),
    Canceled,
}

/// What [`advance`] decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    pub state: State,
    /// Jobs whose status or attempt differs from before, in the plan's order.
    pub changes: Vec<Change>,
    /// When to ask again though no fact came: the next `scheduled` start.
    pub wake_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    pub job: JobIx,
    pub from: Status,
    pub to: Status,
    /// The attempt that `to` is about: with `pending`, the one to hand out.
    pub attempt: u32,
}

/// A new run.
pub fn start(plan: &Pipeline, now: Timestamp) -> Step {
    let state = State { status: Status::Created, jobs: plan.jobs.iter().map(|_| JobState::new()).collect() };
    advance(plan, &state, &[], now)
}

/// `state` must have been made from `plan`.
pub fn advance(plan: &Pipeline, state: &State, facts: &[Fact], now: Timestamp) -> Step {
    let mut next = Next { plan, state: state.clone(), now };
    next.settle();
    for fact in facts {
        next.apply(fact);
        next.settle();
    }
    let changes = state
        .jobs
        .iter()
        .zip(&next.state.jobs)
        .enumerate()
        .filter(|(_, (old, new))| old.status != new.status || old.attempt != new.attempt)
        .map(|(job, (old, new))| Change { job, from: old.status, to: new.status, attempt: new.attempt })
        .collect();
    let wake_at = next.state.jobs.iter().filter(|j| j.status == Status::Scheduled).filter_map(|j| j.starts_at).min();
    Step { state: next.state, changes, wake_at }
}

/// What a newer commit of the same branch means for this run: the facts to tell [`advance`], often none.
pub fn superseded(plan: &Pipeline, state: &State) -> Vec<Fact> {
    let begun = |s: &JobState| s.started_at.is_some() && s.status != Status::Skipped;
    let mut jobs = plan.jobs.iter().zip(&state.jobs).enumerate();
    match plan.on_new_commit {
        OnNewCommit::None => Vec::new(),
        OnNewCommit::Conservative if jobs.any(|(_, (p, s))| !p.interruptible && begun(s)) => Vec::new(),
        OnNewCommit::Conservative => vec![Fact::Cancel],
        OnNewCommit::Interruptible => {
            jobs.filter(|(_, (p, _))| p.interruptible).map(|(job, _)| Fact::CancelJob { job }).collect()
        }
    }
}

struct Next<'a> {
    plan: &'a Pipeline,
    state: State,
    now: Timestamp,
}

impl Next<'_> {
    fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Started { job, attempt } => self.started(*job, *attempt),
            Fact::Finished { job, attempt, outcome } => self.finished(*job, *attempt, outcome),
            Fact::Play { job } => self.play(*job),
            Fact::Retry { job } => self.retry(*job),
            Fact::RetryFailed => {
                for job in 0..self.state.jobs.len() {
                    if matches!(self.state.jobs[job].status, Status::Failed | Status::Canceled) {
                        self.retry(job);
                    }
                }
            }
            Fact::CancelJob { job } => self.cancel_job(*job),
            Fact::Cancel => self.cancel_all(),
        }
    }

    /// The job, if the report is about its current attempt.
    fn current(&mut self, job: JobIx, attempt: u32) -> Option<&mut JobState> {
        self.state.jobs.get_mut(job).filter(|s| s.attempt == attempt)
    }

    fn started(&mut self, job: JobIx, attempt: u32) {
        let now = self.now;
        if let Some(state) = self.current(job, attempt).filter(|s| s.status == Status::Pending) {
            state.status = Status::Running;
            state.started_at = Some(now);
        }
    }

    fn finished(&mut self, job: JobIx, attempt: u32, outcome: &Outcome) {
        let plan = self.plan;
        let now = self.now;
        let Some(state) = self.current(job, attempt) else { return };
        match state.status {
            Status::Pending | Status::Running => {}
            // Whatever it ended with, it was told to stop: what comes after it must not happen.
            Status::Canceling => {
                state.status = Status::Canceled;
                state.finished_at = Some(now);
                return;
            }
            Status::Created
            | Status::WaitingForResource
            | Status::Preparing
            | Status::Success
            | Status::Failed
            | Status::Canceled
            | Status::Skipped
            | Status::Manual
            | Status::Scheduled => return,
        }
        state.finished_at = Some(now);
        // It was over before anyone saw it run.
        state.started_at = state.started_at.or(state.queued_at);
        match outcome {
            Outcome::Success => state.status = Status::Success,
            Outcome::Canceled => state.status = Status::Canceled,
            Outcome::Failed(failure) => {
                if plan.jobs[job].retry.again(attempt, failure.reason, failure.exit_code) {
                    *state = JobState { played: state.played, attempt: attempt + 1, ..JobState::new() };
                    return;
                }
                state.status = Status::Failed;
                state.failure = Some(failure.clone());
                if plan.on_job_failure == OnJobFailure::All && !self.state.member(plan, job).allowed {
                    self.cancel_unfinished();
                }
            }
        }
    }

    fn play(&mut self, job: JobIx) {
        let Some(state) = self.state.jobs.get_mut(job) else { return };
        if matches!(state.status, Status::Manual | Status::Scheduled) {
            *state = JobState { played: true, attempt: state.attempt, ..JobState::new() };
            self.reset_skipped_after(job);
        }
    }

    fn retry(&mut self, job: JobIx) {
        let Some(state) = self.state.jobs.get_mut(job) else { return };
        if matches!(state.status, Status::Success | Status::Failed | Status::Canceled) {
            *state = JobState { played: state.played, attempt: state.attempt + 1, ..JobState::new() };
            self.reset_skipped_after(job);
        }
    }

    /// What was left out because of how this job ended is asked again.
    fn reset_skipped_after(&mut self, job: JobIx) {
        let mut again = vec![job];
        while let Some(cause) = again.pop() {
            for follower in 0..self.plan.jobs.len() {
                if self.state.jobs[follower].status == Status::Skipped
                    && self.plan.predecessors(follower).contains(&cause)
                {
                    let state = &mut self.state.jobs[follower];
                    *state = JobState { played: state.played, attempt: state.attempt, ..JobState::new() };
                    again.push(follower);
                }
            }
        }
    }

    fn cancel_job(&mut self, job: JobIx) {
        let now = self.now;
        let Some(state) = self.state.jobs.get_mut(job) else { return };
        match state.status {
            Status::Running => state.status = Status::Canceling,
            Status::Created
            | Status::WaitingForResource
            | Status::Preparing
            | Status::Pending
            | Status::Manual
            | Status::Scheduled => {
                state.status = Status::Canceled;
                state.starts_at = None;
                state.finished_at = Some(now);
            }
            Status::Success | Status::Failed | Status::Canceling | Status::Canceled | Status::Skipped => {}
        }
    }

    fn cancel_unfinished(&mut self) {
        for job in 0..self.state.jobs.len() {
            if self.state.jobs[job].status != Status::Manual {
                self.cancel_job(job);
            }
        }
    }

    /// Manual jobs that others wait for are cancelled too; those nothing waits for stay playable.
    fn cancel_all(&mut self) {
        for job in 0..self.state.jobs.len() {
            let member = self.state.member(self.plan, job);
            if member.status != Status::Manual || !member.allowed {
                self.cancel_job(job);
            }
        }
    }

    /// Ends: every pass that moves a job moves it out of `created` or `scheduled`, and nothing here moves one back.
    fn settle(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            for job in 0..self.plan.jobs.len() {
                moved |= self.settle_job(job);
            }
        }
        self.state.status = self.pipeline_status();
    }

    fn settle_job(&mut self, job: JobIx) -> bool {
        let now = self.now;
        let state = &self.state.jobs[job];
        match state.status {
            Status::Scheduled if state.starts_at.is_none_or(|at| at <= now) => {
                self.enqueue(job);
                true
            }
            Status::Created => self.settle_created(job),
            Status::Scheduled
            | Status::WaitingForResource
            | Status::Preparing
            | Status::Pending
            | Status::Running
            | Status::Success
            | Status::Failed
            | Status::Canceling
            | Status::Canceled
            | Status::Skipped
            | Status::Manual => false,
        }
    }

    fn settle_created(&mut self, job: JobIx) -> bool {
        let plan = &self.plan.jobs[job];
        let before: Vec<Member> =
            self.plan.predecessors(job).into_iter().map(|p| self.state.member(self.plan, p)).collect();
        // A need that did not run decides for the other kinds at once; `always` waits for the rest all the same.
        if plan.when == When::Always && before.iter().any(|m| !m.is_over()) {
            return false;
        }
        let before = if plan.needs.is_some() { fold_needs(before) } else { fold(before) }.unwrap_or(Status::Success);
        if !before.is_final() {
            return false;
        }
        if !may_start(plan.when, plan.needs.is_some(), before) {
            self.state.jobs[job].status = Status::Skipped;
            self.state.jobs[job].finished_at = Some(self.now);
            return true;
        }
        match plan.when {
            When::Manual if !self.state.jobs[job].played => self.state.jobs[job].status = Status::Manual,
            When::Delayed { start_in_ms } if !self.state.jobs[job].played => {
                let state = &mut self.state.jobs[job];
                state.status = Status::Scheduled;
                state.starts_at = Some(self.now.plus(Duration::from_millis(start_in_ms)));
            }
            When::OnSuccess | When::OnFailure | When::Always | When::Manual | When::Delayed { .. } => self.enqueue(job),
        }
        true
    }

    fn enqueue(&mut self, job: JobIx) {
        let state = &mut self.state.jobs[job];
        state.status = Status::Pending;
        state.starts_at = None;
        state.queued_at = Some(self.now);
    }

    fn pipeline_status(&self) -> Status {
        let folded =
            fold((0..self.plan.jobs.len()).map(|j| self.state.member(self.plan, j))).unwrap_or(Status::Success);
        match (self.state.status, folded) {
            // A pipeline that has run before does not go back to waiting for its first job.
            (Status::Running | Status::Success | Status::Failed | Status::Canceled, Status::Pending) => Status::Running,
            (_, folded) => folded,
        }
    }
}

/// `before`: how everything this job waits for ended, folded into one.
fn may_start(when: When, with_needs: bool, before: Status) -> bool {
    match when {
        When::OnSuccess | When::Manual | When::Delayed { .. } => {
            before == Status::Success || (before == Status::Skipped && !with_needs)
        }
        When::OnFailure => before == Status::Failed,
        When::Always => before.is_final(),
    }
}
