//! Tasks: jobs, packagings, verifications. Each is done once, whoever asks how often.
//!
//! A task has a folder from its first moment and a record of its end from its last. Between the two a [`job`] has a
//! journal; the other kinds are begun again from nothing, which does them no harm. Its result is on disk, and its log
//! with the server, before it is reported done.

mod commands;
mod job;
mod journal;
mod log;
mod package;
mod render;
mod script;
mod slots;
mod verify;
mod workspace;

use crate::{
    confine::Confinement, disk, faults, home::Home, host::Sight, instance::launch::Launcher, secrets::Secrets,
    server::Server, time::Time, users::Users,
};
use job::Job;
use journal::{End, Journal, Step, TaskFolder, boot_id};
use log::TaskLog;
use slots::Slot;
pub use slots::Slots;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tradewind_model::{
    fault::Fault,
    id::TaskId,
    protocol::{
        agent::{DesiredTask, Exit, JobOutcome, ObservedTask, TaskResult, TaskState, Work},
        command::CommandRun,
    },
    said,
    time::Timestamp,
};
use tradewind_targets::process::{Adopted, ProcessTarget};

/// What all tasks of this host share.
pub struct Shop {
    pub home: Home,
    pub server: Server,
    pub target: ProcessTarget,
    pub users: Arc<Users>,
    pub launcher: Arc<Launcher>,
    pub secrets: Secrets,
    pub confinement: Arc<Confinement>,
    pub cgroups: bool,
    pub path: String,
    pub time: Time,
    pub sight: watch::Receiver<Arc<Sight>>,
    pub slots: Slots,
}

/// What the host's loop wants of a task that was begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Go,
    Cancel,
    /// Stop it and remove what is left of it: nobody asks for it any more.
    Forget,
}

/// Waits until the order is such. When the host's loop is gone nobody orders anything: what runs is left to the next
/// agent, and this never returns.
async fn ordered(orders: &mut watch::Receiver<Order>, such: impl FnMut(&Order) -> bool) {
    if orders.wait_for(such).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[derive(Debug)]
pub enum TaskNews {
    Changed(ObservedTask),
    Forgotten(TaskId),
}

struct Held {
    order: watch::Sender<Order>,
    observed: ObservedTask,
}

pub struct Tasks {
    shop: Arc<Shop>,
    news: mpsc::UnboundedSender<TaskNews>,
    held: BTreeMap<TaskId, Held>,
}

impl Tasks {
    /// Goes on with what an earlier agent began.
    pub fn open(shop: Shop, news: mpsc::UnboundedSender<TaskNews>, children: &mut JoinSet<()>) -> disk::Result<Self> {
        let mut tasks = Self { shop: Arc::new(shop), news, held: BTreeMap::new() };
        for name in disk::names(&tasks.shop.home.tasks())? {
            let Ok(id) = name.parse::<TaskId>() else { continue };
            let folder = TaskFolder::at(tasks.shop.home.task(id));
            match folder.task() {
                Ok(Some(task)) => tasks.take_up(id, Some(task), folder, children),
                // It was never begun. No reason for an agent not to start.
                Ok(None) => {
                    if let Err(error) = disk::remove_folder(folder.path()) {
                        tracing::error!(%error, task = %id, "a task's folder was left behind");
                    }
                }
                Err(error) => {
                    tracing::error!(%error, task = %id, "a task's record is damaged");
                    tasks.take_up(id, None, folder, children);
                }
            }
        }
        Ok(tasks)
    }

    pub fn reconcile(&mut self, wanted: &[DesiredTask], children: &mut JoinSet<()>) {
        for task in wanted {
            match self.held.get(&task.id) {
                None => {
                    let folder = TaskFolder::at(self.shop.home.task(task.id));
                    // Recorded before it is begun: a task that was begun is never taken for a new one.
                    match folder.record(task) {
                        Ok(()) => self.take_up(task.id, Some(task.clone()), folder, children),
                        Err(error) => tracing::error!(%error, task = %task.id, "a task could not be recorded"),
                    }
                }
                Some(held) if task.cancel => {
                    held.order.send_if_modified(|order| {
                        let change = *order == Order::Go;
                        if change {
                            *order = Order::Cancel;
                        }
                        change
                    });
                }
                Some(_) => {}
            }
        }
        let listed: BTreeSet<TaskId> = wanted.iter().map(|t| t.id).collect();
        for (id, held) in &self.held {
            if !listed.contains(id) {
                held.order.send_if_modified(|order| std::mem::replace(order, Order::Forget) != Order::Forget);
            }
        }
    }

    /// `task`: `None` if its record is damaged.
    fn take_up(&mut self, id: TaskId, task: Option<DesiredTask>, folder: TaskFolder, children: &mut JoinSet<()>) {
        let cancel = task.as_ref().is_some_and(|t| t.cancel);
        let begun = Begun::read(&folder, task.map(|t| t.work));
        let observed = match &begun {
            Begun::Ended(end) => ended(id, end),
            Begun::Job(_, journal) => ObservedTask {
                id,
                state: TaskState::Running,
                started_at: Some(journal.started_at),
                finished_at: None,
                log_bytes: 0,
                commands: Vec::new(),
            },
            Begun::Nothing(_) | Begun::Unknown(_) => {
                let state = TaskState::Accepted;
                ObservedTask { id, state, started_at: None, finished_at: None, log_bytes: 0, commands: Vec::new() }
            }
        };
        // Taken here, before any new job can be given the same user.
        let slot = match &begun {
            Begun::Job(_, journal) | Begun::Unknown(Some(journal)) => Some(self.shop.slots.take_again(journal.slot)),
            Begun::Ended(_) | Begun::Nothing(_) | Begun::Unknown(None) => None,
        };
        let (order, orders) = watch::channel(if cancel { Order::Cancel } else { Order::Go });
        let runner = Runner { shop: self.shop.clone(), id, folder, orders, news: self.news.clone() };
        self.held.insert(id, Held { order, observed });
        children.spawn(runner.run(begun, slot));
    }

    pub fn note(&mut self, news: TaskNews) {
        match news {
            TaskNews::Changed(observed) => {
                if let Some(held) = self.held.get_mut(&observed.id) {
                    held.observed = observed;
                }
            }
            TaskNews::Forgotten(id) => {
                self.held.remove(&id);
            }
        }
    }

    pub fn observed(&self) -> Vec<ObservedTask> {
        self.held.values().map(|h| h.observed.clone()).collect()
    }
}

fn ended(id: TaskId, end: &End) -> ObservedTask {
    ObservedTask {
        id,
        state: TaskState::Done(Box::new(end.result.clone())),
        started_at: end.started_at,
        finished_at: Some(end.finished_at),
        log_bytes: end.log_bytes,
        commands: Vec::new(),
    }
}

/// What an earlier agent did of a task.
enum Begun {
    Nothing(Work),
    /// Something, and nobody knows what; with its journal if that can still be read.
    Unknown(Option<Journal>),
    Job(Work, Journal),
    Ended(End),
}

impl Begun {
    fn read(folder: &TaskFolder, work: Option<Work>) -> Self {
        let (end, journal) = (folder.end(), folder.journal());
        for error in [end.as_ref().err(), journal.as_ref().err()].into_iter().flatten() {
            tracing::error!(%error, "a task's record is damaged");
        }
        match (end, journal, work) {
            (Ok(Some(end)), _, _) => Self::Ended(end),
            (_, Ok(Some(journal)), Some(work)) => Self::Job(work, journal),
            (Ok(None), Ok(None), Some(work)) => Self::Nothing(work),
            (_, journal, _) => Self::Unknown(journal.ok().flatten()),
        }
    }
}

struct Runner {
    shop: Arc<Shop>,
    id: TaskId,
    folder: TaskFolder,
    orders: watch::Receiver<Order>,
    news: mpsc::UnboundedSender<TaskNews>,
}

impl Runner {
    async fn run(mut self, begun: Begun, slot: Option<Slot>) {
        let end = match begun {
            Begun::Ended(end) => Some(end),
            Begun::Job(work, journal) => self.work(work, Some(journal), slot).await,
            Begun::Nothing(work) => self.work(work, None, slot).await,
            // Never run twice: what it did is lost with its record.
            Begun::Unknown(_) => {
                self.stop_processes().await;
                drop(slot);
                self.end(failed(&Fault::new(&faults::TASK_LOST)), None, 0).await
            }
        };
        if let Some(end) = end {
            let _ = self.news.send(TaskNews::Changed(ended(self.id, &end)));
        }
        ordered(&mut self.orders, |o| *o == Order::Forget).await;
        self.forget().await;
    }

    /// `None` when it was forgotten meanwhile.
    async fn work(&mut self, work: Work, journal: Option<Journal>, slot: Option<Slot>) -> Option<End> {
        let began = journal.as_ref().map(|j| (j.started_at, j.log));
        let limit = match &work {
            Work::Job(job) => job.log_limit_bytes,
            Work::Package(_) | Work::Verify(_) => u64::MAX,
        };
        let log_len = began.map_or(0, |(_, log)| log);
        let log = TaskLog::open(&self.folder.log(), log_len, limit, self.shop.server.clone(), self.id);
        let mut log = match log {
            Ok(log) => log,
            Err(error) => return self.end(failed(&error.into()), began.map(|(at, _)| at), 0).await,
        };
        let mut started_at = began.map(|(at, _)| at);
        let result = match work {
            Work::Job(work) => match self.begin_job(journal, slot).await {
                Ok((journal, slot)) => {
                    started_at = Some(journal.started_at);
                    self.running(journal.started_at);
                    let progress = Progress { news: self.news.clone(), id: self.id, started_at: journal.started_at };
                    let job = Job {
                        shop: &self.shop,
                        id: self.id,
                        folder: &self.folder,
                        work: &work,
                        log: &mut log,
                        order: &mut self.orders,
                        slot,
                        progress,
                    };
                    job.run(journal).await
                }
                Err(result) => result,
            },
            Work::Package(work) => {
                started_at = Some(self.begin());
                package::package(&self.shop, &self.folder, &work, &mut log, &mut self.orders).await
            }
            Work::Verify(work) => {
                started_at = Some(self.begin());
                tokio::select! {
                    report = verify::verify(&self.shop, &work) => TaskResult::Verify { report },
                    () = ordered(&mut self.orders, |o| *o != Order::Go) => canceled(),
                }
            }
        };
        tokio::select! {
            () = log.sent() => {}
            () = ordered(&mut self.orders, |o| *o == Order::Forget) => return None,
        }
        let log_bytes = log.len();
        drop(log);
        self.end(result, started_at, log_bytes).await
    }

    /// Waits for a slot and records that the job has it; or says how it ended before it began.
    async fn begin_job(&mut self, journal: Option<Journal>, slot: Option<Slot>) -> Result<(Journal, Slot), TaskResult> {
        if let (Some(journal), Some(slot)) = (journal, slot) {
            return Ok((journal, slot));
        }
        let slot = tokio::select! {
            slot = self.shop.slots.take() => slot,
            () = ordered(&mut self.orders, |o| *o != Order::Go) => return Err(canceled_before()),
        };
        let journal = Journal {
            slot: slot.number,
            started_at: self.shop.time.wall(),
            boot: boot_id(),
            log: 0,
            step: Step::Workspace,
        };
        self.folder.write_journal(&journal).map_err(|e| failed(&e.into()))?;
        Ok((journal, slot))
    }

    fn begin(&self) -> Timestamp {
        let now = self.shop.time.wall();
        self.running(now);
        now
    }

    fn running(&self, started_at: Timestamp) {
        Progress { news: self.news.clone(), id: self.id, started_at }.tell(&[]);
    }

    async fn end(&self, result: TaskResult, started_at: Option<Timestamp>, log_bytes: u64) -> Option<End> {
        let end = End { result, started_at, finished_at: self.shop.time.wall(), log_bytes };
        let (folder, record) = (self.folder.clone(), end.clone());
        let done = tokio::task::spawn_blocking(move || {
            folder.write_end(&record)?;
            folder.tidy()
        });
        if let Ok(Err(error)) = done.await {
            // Reported all the same: the server records it, and a new agent would find the journal at its last step.
            tracing::error!(%error, task = %self.id, "a task's end could not be recorded");
        }
        Some(end)
    }

    async fn stop_processes(&self) {
        for step in ["script", "after"] {
            if let Ok(Adopted::Running(process)) = self.shop.target.adopt(&self.folder.process(step)).await {
                process.stop(9, Duration::ZERO).await;
            }
        }
    }

    async fn forget(&self) {
        self.stop_processes().await;
        let folder = self.folder.clone();
        let removed = tokio::task::spawn_blocking(move || disk::remove_folder(folder.path())).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "a task's folder was left behind");
        }
        let _ = self.news.send(TaskNews::Forgotten(self.id));
    }
}

/// Tells the host's loop of a task that runs.
struct Progress {
    news: mpsc::UnboundedSender<TaskNews>,
    id: TaskId,
    started_at: Timestamp,
}

impl Progress {
    fn tell(&self, commands: &[CommandRun]) {
        let _ = self.news.send(TaskNews::Changed(ObservedTask {
            id: self.id,
            state: TaskState::Running,
            started_at: Some(self.started_at),
            finished_at: None,
            log_bytes: 0,
            commands: commands.to_vec(),
        }));
    }
}

/// The task could not be carried out at all.
fn failed(fault: &Fault) -> TaskResult {
    TaskResult::Error { code: fault.code.id.to_owned(), reason: fault.said() }
}

/// The server knows this word.
fn canceled() -> TaskResult {
    TaskResult::Error { code: "canceled".into(), reason: said!("canceled", "已取消") }
}

/// A job that was canceled before its script began.
fn canceled_before() -> TaskResult {
    TaskResult::Job {
        outcome: JobOutcome::Canceled,
        exit: Exit::NotStarted { reason: "canceled".into() },
        artifacts: None,
        message: None,
        commands: Vec::new(),
    }
}
