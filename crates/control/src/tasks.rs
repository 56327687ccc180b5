//! Tasks in the store: work handed to a host, and what became of it.
//!
//! A task is unfinished until its end was observed, cancelled or not: until then its host keeps it on its list, so that
//! nothing that may still run is forgotten.

use crate::{Result, hosts};
use tradewind_model::{
    id::{HostId, TaskId},
    protocol::agent::{DesiredTask, ObservedTask, TaskResult, TaskState, Work},
};
use tradewind_store::{Json, Tx, rows, rows::tasks::Task};

/// `tasks.state`.
const PENDING: &str = "pending";
const RUNNING: &str = "running";
const DONE: &str = "done";

/// Hands work to a host. The caller's event tells of it.
pub async fn hand_out(tx: &mut Tx, host: HostId, owner: String, work: Work) -> Result<TaskId> {
    let id = TaskId::at(tx.now());
    let kind = match &work {
        Work::Job(_) => "job",
        Work::Package(_) => "package",
        Work::Verify(_) => "verify",
    };
    let body = Json::of(&DesiredTask { id, work, cancel: false });
    let new = rows::tasks::NewTask { id, host, kind: kind.into(), owner, state: PENDING.into(), body };
    rows::tasks::insert(tx, new).await?;
    hosts::touch(tx, host).await?;
    Ok(id)
}

/// Has it stopped, unless it has ended. The caller's event tells of it.
pub async fn cancel(tx: &mut Tx, id: TaskId) -> Result<()> {
    let row = rows::tasks::get(tx, id).await?;
    let body: DesiredTask = row.body.read()?;
    if row.finished_at.is_some() || body.cancel {
        return Ok(());
    }
    let host = row.host;
    let body = Json::of(&DesiredTask { cancel: true, ..body });
    rows::tasks::update(tx, Task { body, ..row }).await?;
    hosts::touch(tx, host).await
}

/// Notes what a host says of one of its tasks; the task's row if that was news. With its end the task leaves the host's
/// desired state. What it means for its owner, whoever reads the row tells.
pub async fn note(tx: &mut Tx, host: HostId, seen: &ObservedTask) -> Result<Option<Task>> {
    let row = rows::tasks::find(tx, seen.id).await?;
    let Some(row) = row.filter(|row| row.host == host && row.finished_at.is_none()) else { return Ok(None) };
    let row = match &seen.state {
        TaskState::Accepted => return Ok(None),
        TaskState::Running if row.state == RUNNING => return Ok(None),
        TaskState::Running => Task { state: RUNNING.into(), ..row },
        TaskState::Done(result) => {
            hosts::touch(tx, host).await?;
            let result = Some(Json::of(result.as_ref()));
            Task { state: DONE.into(), result, finished_at: Some(tx.now()), ..row }
        }
    };
    tx.without_event("the run or rollout that asked tells what became of its task");
    Ok(Some(rows::tasks::update(tx, row).await?))
}

/// Its host has begun it, and it has not ended.
pub fn is_running(row: &Task) -> bool {
    row.state == RUNNING
}

/// Its result, once it has ended.
pub fn result(row: &Task) -> Result<Option<TaskResult>> {
    Ok(row.result.as_ref().map(Json::read).transpose()?)
}
