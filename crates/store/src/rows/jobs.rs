//! Jobs: the parts of a run, in the order of its plan.

use tradewind_model::{
    id::{JobId, RunId, TaskId},
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
        "id, run_id, position, name, stage, state, task_id, body, created_at, started_at, finished_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM jobs WHERE org_id = $1 AND id = $2");
    BY_NAME = concat!("SELECT ", columns!(), " FROM jobs WHERE org_id = $1 AND run_id = $2 AND name = $3");
    BY_TASK = concat!("SELECT ", columns!(), " FROM jobs WHERE org_id = $1 AND task_id = $2");
    OF_RUN = concat!("SELECT ", columns!(), " FROM jobs WHERE org_id = $1 AND run_id = $2 ORDER BY position");
    INSERT = "INSERT INTO jobs (org_id, id, run_id, position, name, stage, state, body, created_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)";
    UPDATE = "UPDATE jobs SET state = $1, task_id = $2, body = $3, started_at = $4, finished_at = $5, version = version + 1
        WHERE org_id = $6 AND id = $7 AND version = $8";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    pub id: JobId,
    pub run: RunId,
    /// Its place in the plan, from 0.
    pub position: i64,
    pub name: String,
    pub stage: String,
    pub state: String,
    /// The task that carries it out, once it was handed to a host.
    pub task: Option<TaskId>,
    pub body: Json,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub version: i64,
}

pub struct NewJob {
    pub id: JobId,
    pub run: RunId,
    pub position: i64,
    pub name: String,
    pub stage: String,
    pub state: String,
    pub body: Json,
}

impl Job {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            run: r.parse("run_id")?,
            position: r.i64("position")?,
            name: r.text("name")?,
            stage: r.text("stage")?,
            state: r.text("state")?,
            task: r.opt_parse("task_id")?,
            body: r.json("body")?,
            created_at: r.time("created_at")?,
            started_at: r.opt_time("started_at")?,
            finished_at: r.opt_time("finished_at")?,
            version: r.i64("version")?,
        })
    }
}

pub async fn get(r: &mut impl Reader, id: JobId) -> Result<Job> {
    let args = args![r.org(), id];
    let row = r.fetch_opt(&GET, args).await?;
    Job::from_row(&row.ok_or_else(|| StoreError::not_found("job", id))?)
}

pub async fn by_name(r: &mut impl Reader, run: RunId, name: &str) -> Result<Option<Job>> {
    let args = args![r.org(), run, name];
    r.fetch_opt(&BY_NAME, args).await?.as_ref().map(Job::from_row).transpose()
}

pub async fn by_task(r: &mut impl Reader, task: TaskId) -> Result<Option<Job>> {
    let args = args![r.org(), task];
    r.fetch_opt(&BY_TASK, args).await?.as_ref().map(Job::from_row).transpose()
}

/// In the order of the plan.
pub async fn of_run(r: &mut impl Reader, run: RunId) -> Result<Vec<Job>> {
    let args = args![r.org(), run];
    r.fetch_all(&OF_RUN, args).await?.iter().map(Job::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewJob) -> Result<Job> {
    let now = tx.now();
    let args = args![tx.org(), new.id, new.run, new.position, &new.name, &new.stage, &new.state, &new.body, now];
    tx.execute(&INSERT, args).await?;
    let NewJob { id, run, position, name, stage, state, body } = new;
    Ok(Job {
        id,
        run,
        position,
        name,
        stage,
        state,
        task: None,
        body,
        created_at: now,
        started_at: None,
        finished_at: None,
        version: 1,
    })
}

/// State, task, body, start and end can change.
pub async fn update(tx: &mut Tx, job: Job) -> Result<Job> {
    let args = args![&job.state, job.task, &job.body, job.started_at, job.finished_at, tx.org(), job.id, job.version];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Job { version: job.version + 1, ..job }),
        _ => Err(StoreError::conflict("job", job.id)),
    }
}
