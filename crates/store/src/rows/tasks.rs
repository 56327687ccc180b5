//! Tasks: work an agent does once and reports on. The id is the idempotency key.

use tradewind_model::{
    id::{HostId, TaskId},
    time::Timestamp,
};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "id, host_id, kind, owner, state, body, result, created_at, finished_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM tasks WHERE org_id = $1 AND id = $2");
    ON_HOST = concat!(
        "SELECT ", columns!(), " FROM tasks WHERE org_id = $1 AND host_id = $2 AND finished_at IS NULL ORDER BY id"
    );
    OF_OWNER = concat!("SELECT ", columns!(), " FROM tasks WHERE org_id = $1 AND owner = $2 ORDER BY id");
    UNFINISHED = concat!("SELECT ", columns!(), " FROM tasks WHERE org_id = $1 AND finished_at IS NULL ORDER BY id");
    INSERT = "INSERT INTO tasks (org_id, id, host_id, kind, owner, state, body, created_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)";
    UPDATE = "UPDATE tasks SET state = $1, body = $2, result = $3, finished_at = $4, version = version + 1
        WHERE org_id = $5 AND id = $6 AND version = $7";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    pub id: TaskId,
    pub host: HostId,
    /// `job`, `package`, `verify`.
    pub kind: String,
    /// Whose it is: `job/0190…`, `rollout/0190…`.
    pub owner: String,
    pub state: String,
    pub body: Json,
    pub result: Option<Json>,
    pub created_at: Timestamp,
    /// From then on its host is told to forget it.
    pub finished_at: Option<Timestamp>,
    pub version: i64,
}

pub struct NewTask {
    pub id: TaskId,
    pub host: HostId,
    pub kind: String,
    pub owner: String,
    pub state: String,
    pub body: Json,
}

impl Task {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            host: r.parse("host_id")?,
            kind: r.text("kind")?,
            owner: r.text("owner")?,
            state: r.text("state")?,
            body: r.json("body")?,
            result: r.opt_json("result")?,
            created_at: r.time("created_at")?,
            finished_at: r.opt_time("finished_at")?,
            version: r.i64("version")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, id: TaskId) -> Result<Option<Task>> {
    let args = args![r.org(), id];
    r.fetch_opt(&GET, args).await?.as_ref().map(Task::from_row).transpose()
}

pub async fn get(r: &mut impl Reader, id: TaskId) -> Result<Task> {
    find(r, id).await?.ok_or_else(|| StoreError::not_found("task", id))
}

/// Those a host has to have.
pub async fn on_host(r: &mut impl Reader, host: HostId) -> Result<Vec<Task>> {
    let args = args![r.org(), host];
    r.fetch_all(&ON_HOST, args).await?.iter().map(Task::from_row).collect()
}

/// All of an owner's, oldest first.
pub async fn of_owner(r: &mut impl Reader, owner: &str) -> Result<Vec<Task>> {
    let args = args![r.org(), owner];
    r.fetch_all(&OF_OWNER, args).await?.iter().map(Task::from_row).collect()
}

/// On every host, oldest first.
pub async fn unfinished(r: &mut impl Reader) -> Result<Vec<Task>> {
    let args = args![r.org()];
    r.fetch_all(&UNFINISHED, args).await?.iter().map(Task::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewTask) -> Result<Task> {
    let now = tx.now();
    let args = args![tx.org(), new.id, new.host, &new.kind, &new.owner, &new.state, &new.body, now];
    tx.execute(&INSERT, args).await?;
    let NewTask { id, host, kind, owner, state, body } = new;
    Ok(Task { id, host, kind, owner, state, body, result: None, created_at: now, finished_at: None, version: 1 })
}

/// State, body, result and end can change.
pub async fn update(tx: &mut Tx, task: Task) -> Result<Task> {
    let args = args![&task.state, &task.body, task.result.as_ref(), task.finished_at, tx.org(), task.id, task.version];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Task { version: task.version + 1, ..task }),
        _ => Err(StoreError::conflict("task", task.id)),
    }
}
