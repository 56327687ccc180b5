//! Logs of jobs: they grow while the job runs and stay afterwards. A log belongs to a task, so each attempt has its own.

use super::{Runs, error::Result, faults, live::Live};
use bytes::Bytes;
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;
use tradewind_model::{
    fault::Fault,
    id::{HostId, JobId, RunId, TaskId},
    pipeline::Status,
};
use tradewind_store::{logs::Appended, rows::tasks};

/// Bytes of a job's log that are kept; the agent says in the log how much it left out.
pub const LOG_LIMIT: u64 = 128 << 20;
/// For the agent's own words about it.
const SLACK: u64 = 64 << 10;

/// A part of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPiece {
    pub offset: u64,
    pub bytes: Bytes,
    /// Nothing comes after this piece any more.
    pub last: bool,
}

/// The log of one attempt of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Log {
    /// `None`: no host was given it yet.
    pub(super) task: Option<TaskId>,
    /// It grows no more.
    pub ended: bool,
}

/// Logs that someone writes or waits for, in this process.
#[derive(Default)]
pub struct Tails(Mutex<HashMap<TaskId, Tail>>);

struct Tail {
    /// Whose task it is, once that was looked up.
    host: Option<HostId>,
    grew: watch::Sender<u64>,
}

impl Tails {
    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Tail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever the log grows.
    pub fn watch(&self, task: TaskId) -> watch::Receiver<u64> {
        self.lock().entry(task).or_insert_with(Tail::new).grew.subscribe()
    }

    fn host(&self, task: TaskId) -> Option<HostId> {
        self.lock().get(&task)?.host
    }

    fn belongs(&self, task: TaskId, host: HostId) {
        self.lock().entry(task).or_insert_with(Tail::new).host = Some(host);
    }

    fn grew(&self, task: TaskId, size: u64) {
        if let Some(tail) = self.lock().get(&task) {
            tail.grew.send_if_modified(|known| {
                let more = size > *known;
                *known = size.max(*known);
                more
            });
        }
    }

    /// Forgets logs that nobody writes and nobody waits for.
    pub fn keep(&self, unfinished: &HashSet<TaskId>) {
        self.lock().retain(|task, tail| unfinished.contains(task) || tail.grew.receiver_count() > 0);
    }
}

impl Tail {
    fn new() -> Self {
        Self { host: None, grew: watch::Sender::new(0) }
    }
}

impl Runs {
    /// Takes a piece of a log from the host the task was given to. The same piece again changes nothing.
    pub async fn append_log(&self, host: HostId, task: TaskId, offset: u64, piece: Bytes) -> Result<Appended> {
        if offset.saturating_add(piece.len() as u64) > LOG_LIMIT + SLACK {
            return Err(Fault::new(&faults::LOG_FULL).with("task", task).with("max", LOG_LIMIT).into());
        }
        if self.tails.host(task) != Some(host) {
            let row = tasks::find(&mut self.ctx.store.read().await?, task).await?.filter(|row| row.host == host);
            let row = row.ok_or_else(|| Fault::new(&faults::NO_TASK).with("task", task))?;
            self.tails.belongs(task, row.host);
        }
        let appended = self.logs.append(task, offset, piece).await?;
        if let Appended::Upto(size) = appended {
            self.tails.grew(task, size);
        }
        Ok(appended)
    }

    /// At most `limit` bytes of a job's log from `offset`, of its last attempt.
    pub async fn log(&self, run: RunId, job: JobId, offset: u64, limit: usize) -> Result<LogPiece> {
        let live = self.load(run).await?;
        let at = self.job_in(&live, job)?;
        self.log_of(&live, at, offset, limit).await
    }

    /// A log of a run: of a job's last attempt, or of one from 1.
    ///
    /// # Errors
    /// [`faults::NO_JOB`]; [`faults::NO_ATTEMPT`].
    pub async fn which_log(&self, run: RunId, job: JobId, attempt: Option<u32>) -> Result<Log> {
        let live = self.load(run).await?;
        let at = self.job_in(&live, job)?;
        let (earlier, last) = (&live.bodies[at].earlier, live.jobs[at].task);
        let ended = Status::parse(&live.jobs[at].state).is_some_and(Status::is_final);
        let Some(attempt) = attempt else { return Ok(Log { task: last, ended }) };
        let n = attempt as usize;
        let none = || {
            let fault = Fault::new(&faults::NO_ATTEMPT).with("job", &live.jobs[at].name).with("attempt", attempt);
            fault.with("count", earlier.len() + usize::from(last.is_some()))
        };
        match n.checked_sub(1).ok_or_else(none)? {
            n if n < earlier.len() => Ok(Log { task: Some(earlier[n]), ended: true }),
            n if n == earlier.len() => Ok(Log { task: last, ended }),
            _ => Err(none().into()),
        }
    }

    /// At most `limit` bytes from `offset`.
    pub async fn read_log(&self, log: &Log, offset: u64, limit: usize) -> Result<Bytes> {
        match log.task {
            Some(task) => Ok(self.logs.read(task, offset, limit).await?),
            None => Ok(Bytes::new()),
        }
    }

    pub(super) fn job_in(&self, live: &Live, job: JobId) -> Result<usize> {
        live.job(job).ok_or_else(|| {
            let names: Vec<&str> = live.jobs.iter().map(|j| j.name.as_str()).collect();
            let fault = Fault::new(&faults::NO_JOB).with("run", live.run.number).with("job", job);
            fault.with("jobs", names.join(", ")).into()
        })
    }

    /// What was said of the end was read before the log: so a piece that is the last one is whole.
    pub(super) async fn log_of(&self, live: &Live, job: usize, offset: u64, limit: usize) -> Result<LogPiece> {
        let ended = Status::parse(&live.jobs[job].state).is_some_and(Status::is_final);
        let Some(task) = live.jobs[job].task else { return Ok(LogPiece { offset, bytes: Bytes::new(), last: ended }) };
        let bytes = self.logs.read(task, offset, limit).await?;
        let last = ended && bytes.len() < limit;
        Ok(LogPiece { offset, bytes, last })
    }
}
