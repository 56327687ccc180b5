//! A store in a folder of its own, a server that can be killed, a host with an agent.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use tradewind_api::v1;
use tradewind_control::{
    Ctx, Error,
    agents::{Agents, Stay, desired, observed},
    ctx::Asker,
    hosts,
    runs::{self, By, PipelineFile, Push, Runs},
    services, tasks,
};
use tradewind_model::{
    event::{Actor, Event},
    fault::Lang,
    id::{Commit, Digest, HostId, JobId, RunId, TaskId},
    protocol::agent::{DesiredTask, Exit, JobOutcome, JobWork, Observed, ObservedTask, TaskResult, TaskState, Work},
    release::{BundleRef, ReleaseManifest},
    said,
    time::{Clock, Timestamp},
};
use tradewind_store::{
    Logs, Store,
    events::{self, Sealer},
    transact,
};

pub const SPEC: &str = "version: 1\nservice: shop\nkind: worker\nrun: { command: [./serve] }\n";

pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        // Each look is a little later, so that nothing hangs on equal times.
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl TestClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).expect("a short time"), Ordering::Relaxed);
    }
}

pub struct World {
    dir: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub ctx: Ctx,
    pub runs: Runs,
    pub host: HostId,
    pub agent: Agent,
    stay: Option<Stay<'static>>,
    epoch: u32,
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000_000)));
        let (ctx, runs) = open(&dir, &clock).await;
        let host: Result<HostId, Error> = transact!(ctx.store, tx => hosts::enrol(tx, "host-1", &Digest::of(b"key"), &Asker::trusted(Actor::named("lin"))).await);
        let name = "shop".parse().expect("a name");
        services::create(&ctx, &name, &Asker::trusted(Actor::named("lin"))).await.expect("a service");
        let host = host.expect("a host");
        let mut world = Self { dir, clock, ctx, runs, host, agent: Agent::default(), stay: None, epoch: 0 };
        world.set_present(true).await;
        world
    }

    /// Kill the server and start it again: nothing but the store is kept. The agent comes back if it was there.
    pub async fn restart(&mut self) {
        let present = self.stay.take().is_some();
        self.ctx.store.close().await;
        (self.ctx, self.runs) = open(&self.dir, &self.clock).await;
        self.set_present(present).await;
    }

    /// The agent dials in and reports, or goes away.
    pub async fn set_present(&mut self, present: bool) {
        self.stay = None;
        if !present {
            return;
        }
        let (to_agent, _) = mpsc::channel(1);
        // A stay borrows from its agents; a test's live as long as the test.
        let agents: &'static Arc<Agents> = Box::leak(Box::new(self.ctx.agents.clone()));
        let stay = agents.connect(self.host, to_agent);
        self.epoch += 1;
        let hello = Observed { seq: 1, tasks: self.agent.seen(), ..Observed::default() };
        observed::ingest(&self.ctx, &stay, &format!("epoch-{}", self.epoch), hello).await.expect("a report");
        self.stay = Some(stay);
    }

    pub async fn enqueue(&self, id: &str, pipeline: &str) -> RunId {
        let (run, new) = self.runs.enqueue(&push(id, pipeline)).await.expect("a run");
        assert!(new);
        run
    }

    /// The agent is told what it is to do, takes all of it, and tells how it stands.
    pub async fn exchange(&mut self) {
        self.tell().await;
        self.report().await;
    }

    pub async fn tell(&mut self) {
        let mut snapshot = self.ctx.store.read().await.expect("a read");
        let desired = desired::compose(&mut snapshot, self.host).await.expect("a desired state");
        self.agent.take(desired.tasks);
    }

    pub async fn report(&mut self) {
        let seen = self.agent.seen();
        self.deliver(&seen).await;
    }

    pub async fn deliver(&self, seen: &[ObservedTask]) {
        let done: Result<(), Error> = transact!(self.ctx.store, tx => {
            let mut news = Vec::new();
            for one in seen {
                news.extend(tasks::note(tx, self.host, one).await?);
            }
            runs::reported(tx, &self.ctx, &news).await
        });
        done.expect("a report");
    }

    /// One job is begun and ends like this.
    pub async fn finish(&mut self, job: &str, result: TaskResult) {
        self.tell().await;
        self.agent.finish(job, result);
        self.report().await;
    }

    /// Everything succeeds, until nothing is left to do.
    pub async fn succeed(&mut self) {
        loop {
            self.tell().await;
            if self.agent.finish_all() == 0 {
                return;
            }
            self.report().await;
        }
    }

    pub async fn view(&self, run: RunId) -> v1::Run {
        self.runs.get(run, Lang::En).await.expect("the run")
    }

    pub async fn job(&self, run: RunId, name: &str) -> v1::Job {
        let found = self.view(run).await.jobs.into_iter().find(|j| j.name == name);
        found.unwrap_or_else(|| panic!("no job {name}"))
    }

    pub async fn job_id(&self, run: RunId, name: &str) -> JobId {
        self.job(run, name).await.id
    }

    /// `running: build=success test=running`.
    pub async fn shows(&self, run: RunId) -> String {
        let view = self.view(run).await;
        let jobs: Vec<String> = view.jobs.iter().map(|j| format!("{}={}", j.name, word(&j.state))).collect();
        format!("{}: {}", word(&view.state), jobs.join(" "))
    }

    /// What was asked to be rolled out, by release.
    pub async fn rollouts(&self) -> Vec<String> {
        let asked = self.events().await.into_iter().filter(|e| e.fact.kind == "rollout.requested");
        asked.filter_map(|e| Some(e.fact.after?["release"].as_str()?.to_owned())).collect()
    }

    pub async fn events(&self) -> Vec<Event> {
        Sealer::new(self.ctx.store.clone()).seal_now().await.expect("a seal");
        let mut snapshot = self.ctx.store.read().await.expect("a read");
        events::after(&mut snapshot, 0, &events::Filter::default(), 10_000).await.expect("the log")
    }
}

async fn open(dir: &tempfile::TempDir, clock: &Arc<TestClock>) -> (Ctx, Runs) {
    let file = dir.path().join("tradewind.db");
    let store = Store::open(file.to_str().expect("a path"), clock.clone()).await.expect("a store");
    let logs = Logs::open(&dir.path().join("logs")).expect("a folder for logs");
    let ctx = Ctx::new(store);
    (ctx.clone(), Runs::new(ctx, logs))
}

pub fn push(id: &str, pipeline: &str) -> Push {
    Push {
        id: id.into(),
        service: "shop".parse().expect("a name"),
        commit: commit(id),
        before: None,
        git_ref: "refs/heads/main".into(),
        default_branch: "main".into(),
        message: format!("Change {id}\n"),
        actor: user().actor,
        cause: None,
        spec: SPEC.into(),
        pipeline: (!pipeline.is_empty()).then(|| PipelineFile { name: ".gitlab-ci.yml".into(), text: pipeline.into() }),
    }
}

pub fn user() -> By {
    By { actor: Actor::named("lin"), cause: None, reason: Some("because".into()) }
}

pub fn commit(id: &str) -> Commit {
    Digest::of(id.as_bytes()).hex().parse().expect("a commit")
}

pub fn word(v: &impl serde::Serialize) -> String {
    serde_json::to_value(v).expect("a word").as_str().expect("a word").to_owned()
}

/// A host's agent: it does each task once, and says how they stand as often as it is asked.
#[derive(Default)]
pub struct Agent {
    tasks: BTreeMap<TaskId, Held>,
    /// Names of the jobs it was given, in the order it took them.
    pub begun: Vec<String>,
}

#[derive(Clone)]
struct Held {
    work: Work,
    cancel: bool,
    state: TaskState,
}

pub fn name(work: &Work) -> String {
    match work {
        Work::Job(job) => job.name.clone(),
        Work::Package(_) => ".package".into(),
        Work::Verify(_) => "verify".into(),
    }
}

impl Agent {
    pub fn take(&mut self, desired: Vec<DesiredTask>) {
        self.tasks.retain(|id, _| desired.iter().any(|d| d.id == *id));
        for DesiredTask { id, work, cancel } in desired {
            if !self.tasks.contains_key(&id) {
                self.begun.push(name(&work));
            }
            let held = self.tasks.entry(id).or_insert(Held { work, cancel, state: TaskState::Running });
            held.cancel |= cancel;
            if held.cancel && !matches!(held.state, TaskState::Done(_)) {
                held.state = done(canceled());
            }
        }
    }

    pub fn work(&self, job: &str) -> Work {
        self.running(job).map(|(_, held)| held.work.clone()).unwrap_or_else(|| panic!("{job} is not running"))
    }

    pub fn script(&self, job: &str) -> JobWork {
        match self.work(job) {
            Work::Job(work) => *work,
            Work::Package(_) | Work::Verify(_) => panic!("{job} has no script"),
        }
    }

    pub fn task(&self, job: &str) -> TaskId {
        self.running(job).map(|(id, _)| *id).unwrap_or_else(|| panic!("{job} is not running"))
    }

    fn running(&self, job: &str) -> Option<(&TaskId, &Held)> {
        self.tasks.iter().find(|(_, held)| name(&held.work) == job && held.state == TaskState::Running)
    }

    pub fn finish(&mut self, job: &str, result: TaskResult) {
        let id = self.task(job);
        self.tasks.get_mut(&id).expect("the task").state = done(result);
    }

    /// Names of what runs.
    pub fn running_jobs(&self) -> Vec<String> {
        self.tasks.values().filter(|h| h.state == TaskState::Running).map(|h| name(&h.work)).collect()
    }

    pub fn finish_all(&mut self) -> usize {
        let running = self.running_jobs();
        for job in &running {
            let result = good(&self.work(job));
            self.finish(job, result);
        }
        running.len()
    }

    pub fn seen(&self) -> Vec<ObservedTask> {
        let one = |(id, held): (&TaskId, &Held)| ObservedTask {
            id: *id,
            state: held.state.clone(),
            started_at: None,
            finished_at: None,
            log_bytes: 0,
            commands: Vec::new(),
        };
        self.tasks.iter().map(one).collect()
    }
}

fn done(result: TaskResult) -> TaskState {
    TaskState::Done(Box::new(result))
}

/// It went well; its artifacts are named for the job.
pub fn good(work: &Work) -> TaskResult {
    match work {
        Work::Job(job) => TaskResult::Job {
            outcome: JobOutcome::Success,
            exit: Exit::Code { code: 0 },
            artifacts: job.artifacts.as_ref().map(|_| Digest::of(job.name.as_bytes())),
            message: None,
            commands: Vec::new(),
        },
        Work::Package(package) => TaskResult::Package {
            result: Ok(ReleaseManifest {
                version: 1,
                service: package.source.service.parse().expect("a name"),
                commit: package.source.commit.clone(),
                bundle: BundleRef { digest: Digest::of(package.source.commit.as_str().as_bytes()), size: 10 },
                spec: package.spec.clone(),
                files: Vec::new(),
            }),
        },
        Work::Verify(_) => panic!("runs verify nothing"),
    }
}

pub fn exit(code: i32) -> TaskResult {
    let outcome = if code == 0 { JobOutcome::Success } else { JobOutcome::Failed };
    TaskResult::Job { outcome, exit: Exit::Code { code }, artifacts: None, message: None, commands: Vec::new() }
}

pub fn canceled() -> TaskResult {
    let exit = Exit::Signal { signal: 9 };
    TaskResult::Job { outcome: JobOutcome::Canceled, exit, artifacts: None, message: None, commands: Vec::new() }
}

pub fn lost() -> TaskResult {
    TaskResult::Error {
        code: "host_restarted".into(),
        reason: said!("the host was restarted under it", "主机在其运行期间重启"),
    }
}
