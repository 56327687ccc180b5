//! A host whose agent does what it is told at once, without any process: scripts are words it understands.

use crate::{agent::FakeAgent, app::TestApp};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::task::JoinHandle;
use tradewind_api::Client;
use tradewind_model::{
    id::{Digest, HostId, TaskId},
    protocol::{
        agent::{
            Desired, DesiredPhase, DesiredTask, Exit, FromAgent, InstancePhase, JobOutcome, JobWork, LogLine,
            LogStream, Observed, ObservedInstance, ObservedRoute, ObservedSplit, ObservedTask, PackageWork, TaskResult,
            TaskState, ToAgent, VerifyReport, Work,
        },
        command::CommandRun,
    },
    release::{BundleRef, ReleaseManifest},
    time::Timestamp,
};
use tradewind_server::admin;

pub struct Host {
    pub id: HostId,
    working: JoinHandle<()>,
    /// `hang` ends when this is set.
    go_on: Arc<AtomicBool>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.working.abort();
    }
}

impl Host {
    /// Enrols and works until it is dropped.
    pub async fn start(app: &TestApp) -> Self {
        Self::start_with(app, &["ready", "order 1"]).await
    }

    /// The same; every instance has written these lines.
    pub async fn start_with(app: &TestApp, written: &[&str]) -> Self {
        let key = admin::enrol_host(&app.app.store, "h1").await.unwrap().token;
        let (agent, id) = FakeAgent::connect(app, &key).await;
        let go_on = Arc::new(AtomicBool::new(false));
        let state = State {
            client: app.client_as(&key),
            written: written.iter().map(|l| (*l).to_owned()).collect(),
            go_on: Arc::clone(&go_on),
            desired: Desired::default(),
            tasks: BTreeMap::new(),
            seq: 0,
        };
        Self { id, working: tokio::spawn(state.work(agent)), go_on }
    }

    /// Lets jobs go on that hang.
    pub fn go_on(&self) {
        self.go_on.store(true, Ordering::SeqCst);
    }
}

struct State {
    client: Client,
    written: Vec<String>,
    go_on: Arc<AtomicBool>,
    desired: Desired,
    tasks: BTreeMap<TaskId, ObservedTask>,
    seq: u64,
}

impl State {
    async fn work(mut self, mut agent: FakeAgent) {
        // It finds running what it left running: its first report says so.
        self.desired = agent.desired().await;
        let mut look = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            tokio::select! {
                message = agent.hear() => match message {
                    Some(ToAgent::Desired(desired)) => self.desired = *desired,
                    Some(ToAgent::ReadLog { request, follow, .. }) => {
                        let lines = self.written.iter().zip(1..).map(|(text, second)| LogLine {
                            at: Timestamp(second * 1_000_000),
                            stream: LogStream::Stdout,
                            text: text.clone(),
                        });
                        agent.say(&FromAgent::Log { request, lines: lines.collect(), done: !follow }).await;
                    }
                    Some(
                        ToAgent::Welcome { .. }
                        | ToAgent::StopLog { .. }
                        | ToAgent::UnitsTaken { .. }
                        | ToAgent::Ping { .. },
                    ) => {}
                    None => return,
                },
                _ = look.tick() => {}
            }
            let mut tasks = BTreeMap::new();
            for task in self.desired.tasks.clone() {
                let seen = self.tasks.remove(&task.id);
                let seen = self.task(&task, seen).await;
                tasks.insert(task.id, seen);
            }
            self.tasks = tasks;
            self.seq += 1;
            let observed = self.observed();
            agent.say(&FromAgent::Observed(Box::new(observed))).await;
        }
    }

    async fn task(&self, task: &DesiredTask, seen: Option<ObservedTask>) -> ObservedTask {
        if let Some(done) = seen.clone().filter(|t| matches!(t.state, TaskState::Done(_))) {
            return done;
        }
        let began = seen.is_none();
        let mut log_bytes = seen.map_or(0, |t| t.log_bytes);
        let result = match &task.work {
            Work::Job(job) => {
                if began {
                    log_bytes = self.log(task.id, job).await;
                }
                self.job(job, task.cancel)
            }
            Work::Package(work) => Some(TaskResult::Package { result: Ok(manifest(work)) }),
            Work::Verify(_) => Some(TaskResult::Verify { report: VerifyReport { passed: true, checks: Vec::new() } }),
        };
        let state = result.map_or(TaskState::Running, |r| TaskState::Done(Box::new(r)));
        let at = Some(Timestamp(1_000_000));
        ObservedTask { id: task.id, state, started_at: at, finished_at: None, log_bytes, commands: Vec::new() }
    }

    fn job(&self, job: &JobWork, cancel: bool) -> Option<TaskResult> {
        let ended = |outcome, code| {
            let commands = commands(&job.script, code);
            let artifacts = left(job).map(|text| Digest::of(text.as_bytes()));
            Some(TaskResult::Job { outcome, exit: Exit::Code { code }, artifacts, message: None, commands })
        };
        let has = |word: &str| job.script.iter().any(|l| l == word);
        if cancel {
            return ended(JobOutcome::Canceled, 143);
        }
        if has("hang") && !self.go_on.load(Ordering::SeqCst) {
            return None;
        }
        if has("fail") { ended(JobOutcome::Failed, 3) } else { ended(JobOutcome::Success, 0) }
    }

    async fn log(&self, task: TaskId, job: &JobWork) -> u64 {
        if let Some(text) = left(job) {
            self.client.put_blob(Digest::of(text.as_bytes()), text.to_owned().into()).await.unwrap();
        }
        let printed = job.script.iter().filter_map(|l| l.strip_prefix("print ")).map(|l| format!("{l}\n"));
        let text: String = printed.collect();
        // In two pieces, the second of them twice.
        let half = text.len() / 2;
        let (a, b) = text.as_bytes().split_at(half);
        for (offset, piece) in [(0, a), (half, b), (half, b)] {
            self.client.append_task_log(task, offset as u64, piece.to_vec().into()).await.unwrap();
        }
        text.len() as u64
    }

    fn observed(&self) -> Observed {
        let instances = self.desired.instances.iter().map(|i| ObservedInstance {
            id: i.id,
            revision: i.revision,
            phase: match i.phase {
                DesiredPhase::Run => InstancePhase::Ready,
                DesiredPhase::Stopped => InstancePhase::Stopped,
            },
            since: Timestamp(1_000_000),
            pid: None,
            addr: None,
            restarts: 0,
            last_exit: None,
            message: None,
            runs: Default::default(),
        });
        let routes = self.desired.routes.iter().map(|r| ObservedRoute {
            place: r.place.clone(),
            version: r.version,
            splits: r
                .splits
                .iter()
                .map(|s| ObservedSplit { revision: s.revision, weight: s.weight, ready_targets: 1 })
                .collect(),
            tripped: None,
        });
        Observed {
            seq: self.seq,
            generation: self.desired.generation,
            at: Timestamp(1_000_000),
            instances: instances.collect(),
            routes: routes.collect(),
            tasks: self.tasks.values().cloned().collect(),
            ..Observed::default()
        }
    }
}

/// What it leaves, by its line `leave …`.
fn left(job: &JobWork) -> Option<&str> {
    job.script.iter().find_map(|l| l.strip_prefix("leave "))
}

/// A second each; the script ends with `fail`.
fn commands(script: &[String], code: i32) -> Vec<CommandRun> {
    let end = script.iter().position(|l| l == "fail").unwrap_or(script.len());
    let second = |n: usize| Timestamp((n as i64 + 1) * 1_000_000);
    let run = |(n, text): (usize, &String)| CommandRun {
        n: n as u32,
        after: false,
        text: text.clone(),
        started_at: second(n),
        finished_at: Some(second(n + 1)),
        exit_code: Some(if n == end { code } else { 0 }),
        line: Some(n as u64 + 1),
    };
    script.iter().take(end + 1).enumerate().map(run).collect()
}

fn manifest(work: &PackageWork) -> ReleaseManifest {
    ReleaseManifest {
        version: 1,
        service: work.source.service.parse().unwrap(),
        commit: work.source.commit.clone(),
        bundle: BundleRef { digest: Digest::of(work.source.commit.as_str().as_bytes()), size: 1 },
        spec: work.spec.clone(),
        files: Vec::new(),
    }
}
