//! The facts of runs and jobs. Subjects are `run/ID` and `job/ID`; states are the field's names.

use serde_json::{Value, json};
use tradewind_model::{
    event::{Actor, NewEvent},
    id::EventId,
    pipeline::Status,
};
use tradewind_store::{
    Result, Tx,
    rows::{jobs, runs},
};

/// Who is behind what is written next.
#[derive(Clone, Debug)]
pub struct Author {
    pub actor: Actor,
    pub cause: Option<String>,
}

impl Author {
    pub fn system() -> Self {
        Self { actor: Actor::System { part: "run".into() }, cause: None }
    }
}

pub async fn of_run(
    tx: &mut Tx,
    run: &runs::Run,
    author: &Author,
    kind: &str,
    before: Option<Value>,
    after: Value,
) -> Result<EventId> {
    write(tx, run, author, kind, format!("run/{}", run.id), before, after).await
}

pub async fn of_job(
    tx: &mut Tx,
    run: &runs::Run,
    job: &jobs::Job,
    author: &Author,
    kind: &str,
    before: Option<Value>,
    after: Value,
) -> Result<EventId> {
    write(tx, run, author, kind, format!("job/{}", job.id), before, after).await
}

pub async fn write(
    tx: &mut Tx,
    run: &runs::Run,
    author: &Author,
    kind: &str,
    subject: String,
    before: Option<Value>,
    after: Value,
) -> Result<EventId> {
    tx.event(NewEvent {
        kind: kind.into(),
        schema: 1,
        actor: author.actor.clone(),
        subject,
        cause: author.cause.clone(),
        service: Some(run.service.to_string()),
        env: run.env.as_ref().map(ToString::to_string),
        before,
        after: Some(after),
    })
    .await
}

pub fn state(status: Status) -> Value {
    json!({ "state": status })
}

/// The event of a run that reached `status`.
pub fn run_kind(status: Status) -> &'static str {
    match status {
        Status::Created | Status::WaitingForResource | Status::Preparing | Status::Pending | Status::Scheduled => {
            "run.queued"
        }
        Status::Running => "run.started",
        Status::Manual => "run.waiting",
        Status::Canceling => "run.canceling",
        Status::Success | Status::Failed | Status::Canceled | Status::Skipped => "run.finished",
    }
}

/// The event of a job that reached `status`.
pub fn job_kind(status: Status) -> &'static str {
    match status {
        Status::Created => "job.reset",
        Status::WaitingForResource | Status::Preparing | Status::Pending | Status::Scheduled => "job.queued",
        Status::Running => "job.started",
        Status::Manual => "job.waiting",
        Status::Canceling => "job.canceling",
        Status::Success | Status::Failed | Status::Canceled | Status::Skipped => "job.finished",
    }
}
