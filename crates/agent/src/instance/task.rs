//! The task around one instance: it feeds the machine with events and performs what it asks for.

use super::{
    check::check_of,
    decide::{self, Act, Event, Facts, Machine, ReleaseFact, View, Wish},
    launch::{Launcher, NotLaunched, PROCESS},
    schedule::{self, Scheduled},
};
use crate::{
    disk::{self, Outlives},
    time::{Now, Time},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::{DesiredInstance, ObservedInstance},
        shim::{Exited, ShimSpec},
    },
    said::Said,
    workload::ServiceKind,
};
use tradewind_targets::{
    handed,
    process::{Adopted, Process},
};

/// What the host's loop wants of an instance; the newest counts.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    pub desired: Arc<DesiredInstance>,
    pub wish: Wish,
    /// Rises with every other wish.
    pub turn: u64,
    pub release: ReleaseFact,
    pub served: bool,
}

/// What an instance tells the host's loop.
#[derive(Debug)]
pub enum InstanceNews {
    /// `heard`: the [`Wanted::turn`] it has acted on.
    Changed { observed: Box<ObservedInstance>, heard: u64 },
    /// Stopped and cleaned away.
    Gone(InstanceId),
}

const KEPT: &str = "instance.json";

/// What is kept in the instance's folder for the next agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    pub desired: Arc<DesiredInstance>,
    pub port: Option<u16>,
    #[serde(default)]
    pub life: decide::Remembered,
    #[serde(default)]
    pub runs: schedule::Remembered,
}

/// An instance as an agent finds it.
pub struct Found {
    pub kept: Kept,
    pub process: Option<Process>,
    /// It ended and no agent has seen that yet.
    pub ended: Option<Exited>,
}

impl Found {
    pub fn fresh(desired: Arc<DesiredInstance>) -> Self {
        Self {
            kept: Kept {
                desired,
                port: None,
                life: decide::Remembered::default(),
                runs: schedule::Remembered::default(),
            },
            process: None,
            ended: None,
        }
    }

    /// Whether an earlier agent may have given it to the edge.
    pub fn was_ready(&self) -> bool {
        self.kept.life.ready
    }

    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// What an earlier agent left in an instance's folder; `None` if nothing was ever kept there. `listed`: what is
    /// desired of it, which makes up for a record that is damaged.
    pub async fn adopt(launcher: &Arc<Launcher>, id: InstanceId, listed: Option<&DesiredInstance>) -> Option<Self> {
        let folder = launcher.home.instance(id);
        let (kept, damaged) = match (disk::read_json::<Kept>(&folder.join(KEPT)), listed) {
            (Ok(Some(kept)), _) => (kept, false),
            (Ok(None), Some(listed)) if folder.join(PROCESS).exists() => {
                tracing::error!(instance = %id, "an instance's record is gone; it is made again");
                (Self::fresh(Arc::new(listed.clone())).kept, true)
            }
            (Ok(None), _) => return None,
            (Err(error), Some(listed)) => {
                tracing::error!(%error, "an instance's record is damaged; it is made again");
                (Self::fresh(Arc::new(listed.clone())).kept, true)
            }
            (Err(error), None) => {
                tracing::error!(%error, "an instance's record is damaged; its process, if any, is stopped");
                stop_unknown(launcher, id).await;
                return None;
            }
        };
        let (process, ended) = match launcher.target.adopt(&folder.join(PROCESS)).await {
            Ok(Adopted::Running(process)) => (Some(process), None),
            Ok(Adopted::Exited(exited)) => (None, Some(exited)),
            Ok(Adopted::NeverStarted) => (None, None),
            Err(error) => {
                tracing::error!(%error, instance = %id, "an instance could not be adopted");
                (None, None)
            }
        };
        let mut found = Self { kept, process, ended };
        if damaged && found.is_running() {
            found.examine(launcher).await;
        }
        Some(found)
    }

    /// What its record would have said of a process that runs: its port, and whether it is ready. Looked at here, because
    /// the first table leaves out what is not.
    async fn examine(&mut self, launcher: &Arc<Launcher>) {
        let desired = &self.kept.desired;
        let told = told_port(&launcher.home.instance(desired.id).join(PROCESS));
        self.kept.port = told.or_else(|| launcher.ports.get(&desired.id.to_string()));
        let addr = self.kept.port.map(Launcher::addr);
        self.kept.life.ready = match check_of(launcher, desired, desired.workload.health.as_ref(), addr) {
            Some(check) => check.await.is_ok(),
            None => true,
        };
    }
}

/// The port that the process in this folder was told to open.
fn told_port(process: &Path) -> Option<u16> {
    let spec: Option<ShimSpec> = disk::read_json(&process.join("spec.json")).unwrap_or_default();
    spec.and_then(|spec| spec.env.get("PORT")?.parse().ok())
}

/// Without its record nobody knows what the process is for.
async fn stop_unknown(launcher: &Launcher, id: InstanceId) {
    let folder = launcher.home.instance(id);
    if let Ok(Adopted::Running(process)) = launcher.target.adopt(&folder.join(PROCESS)).await {
        process.stop(15, Duration::from_secs(10)).await;
    }
    if let Err(error) = disk::remove_folder(&folder) {
        tracing::warn!(%error, "an instance's folder was left behind");
    }
}

/// Both kinds of life behind the same events and acts.
enum Life {
    Serving(Box<Machine>),
    Scheduled(Box<Scheduled>),
}

impl Life {
    fn step(&mut self, facts: &Facts<'_>, event: Event, now: Now) -> Vec<Act> {
        match self {
            Self::Serving(machine) => machine.step(facts, event, now),
            Self::Scheduled(scheduled) => scheduled.step(facts, event, now),
        }
    }
    fn wake(&self, instance: &DesiredInstance, now: Now) -> Option<Duration> {
        match self {
            Self::Serving(machine) => machine.wake(&instance.workload),
            Self::Scheduled(scheduled) => scheduled.wake(now),
        }
    }
    fn check_every(&self, instance: &DesiredInstance, now: Now) -> Option<Duration> {
        match self {
            Self::Serving(machine) => machine.check_every(&instance.workload, now),
            Self::Scheduled(_) => None,
        }
    }
    fn view(&self) -> View {
        match self {
            Self::Serving(machine) => machine.view(),
            Self::Scheduled(scheduled) => scheduled.view(),
        }
    }
}

pub struct InstanceTask {
    launcher: Arc<Launcher>,
    time: Time,
    wanted: watch::Receiver<Wanted>,
    news: mpsc::UnboundedSender<InstanceNews>,
    life: Life,
    kept: Kept,
    /// Also: the folder exists.
    saved: Option<Kept>,
    process: Option<Process>,
    heard: u64,
    reported: Option<(ObservedInstance, u64)>,
    unseen_end: Option<Exited>,
}

impl InstanceTask {
    pub fn new(
        launcher: Arc<Launcher>,
        time: Time,
        wanted: watch::Receiver<Wanted>,
        news: mpsc::UnboundedSender<InstanceNews>,
        found: Found,
    ) -> Self {
        let now = time.now();
        let Found { kept, process, ended } = found;
        let pid = process.as_ref().map(Process::pid);
        let life = match (kept.desired.workload.kind, &kept.desired.workload.schedule) {
            (ServiceKind::Cron, Some(schedule)) => {
                let mut scheduled = Scheduled::new(schedule, kept.runs.clone(), pid, now);
                if pid.is_none() {
                    scheduled.settle(ended.as_ref().map(|exited| exited.at));
                }
                Life::Scheduled(Box::new(scheduled))
            }
            (ServiceKind::Web | ServiceKind::Worker | ServiceKind::Cron, _) => {
                Life::Serving(Box::new(Machine::adopted(kept.life.clone(), pid, now)))
            }
        };
        Self {
            launcher,
            time,
            wanted,
            news,
            life,
            kept,
            saved: None,
            process,
            heard: 0,
            reported: None,
            unseen_end: ended,
        }
    }

    /// What is observed of it before it has run.
    pub fn observed(&self) -> ObservedInstance {
        let view = self.life.view();
        let desired = &self.kept.desired;
        ObservedInstance {
            id: desired.id,
            revision: desired.revision,
            phase: view.phase,
            since: view.since,
            pid: view.pid,
            addr: view.pid.and(self.kept.port).map(Launcher::addr),
            restarts: view.restarts,
            last_exit: view.last_exit,
            message: view.message,
            runs: match &self.life {
                Life::Serving(_) => Vec::new(),
                Life::Scheduled(scheduled) => scheduled.remembered().runs.clone(),
            },
        }
    }

    /// Until the instance is gone or the host's loop is.
    pub async fn run(mut self) {
        let mut event = match self.unseen_end.take() {
            Some(exited) => ended(exited),
            None => Event::Look,
        };
        let mut check: Option<BoxFuture<'static, Result<(), Said>>> = None;
        let mut next_check = Instant::now();
        loop {
            let was = self.life.view().phase;
            if let Some(gone) = self.handle(event).await {
                let _ = self.news.send(gone);
                return;
            }
            let now = self.time.now();
            let every = self.life.check_every(&self.kept.desired, now);
            if every.is_none() {
                check = None;
            } else if self.life.view().phase != was {
                // A new phase is looked at at once.
                next_check = Instant::now();
            }
            let wake = self.life.wake(&self.kept.desired, now);
            event = loop {
                let process = self.process.clone();
                let end = async {
                    match process {
                        Some(process) => process.wait().await,
                        None => std::future::pending().await,
                    }
                };
                let due = check.is_none() && every.is_some();
                let checked = async {
                    match &mut check {
                        Some(check) => check.await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = self.wanted.changed() => match changed {
                        Ok(()) => break Event::Look,
                        Err(_) => return,
                    },
                    exited = end => break ended(exited),
                    result = checked => {
                        check = None;
                        break Event::Checked(result);
                    }
                    () = until(wake.map(|at| self.time.instant(at))) => break Event::Look,
                    () = tokio::time::sleep_until(next_check), if due => {
                        next_check = Instant::now() + every.unwrap_or_default();
                        check = Some(self.check());
                    }
                }
            };
        }
    }

    /// Feeds one event and performs what follows from it.
    async fn handle(&mut self, event: Event) -> Option<InstanceNews> {
        if matches!(event, Event::Ended { .. }) {
            self.process = None;
        }
        let mut event = event;
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            self.kept.desired = wanted.desired;
            self.heard = wanted.turn;
            let desired = self.kept.desired.clone();
            let facts = Facts {
                wish: wanted.wish,
                release: &wanted.release,
                served: wanted.served,
                workload: &desired.workload,
            };
            let acts = self.life.step(&facts, event, self.time.now());
            let mut next = None;
            for act in acts {
                match act {
                    Act::Launch => {
                        // Recorded first: a folder without a record would be taken for damage.
                        self.publish();
                        next = Some(self.launch().await);
                    }
                    Act::Stop { signal, grace_ms } => match &self.process {
                        Some(process) => process.begin_stop(signal, Duration::from_millis(grace_ms)),
                        None => next = Some(Event::Look),
                    },
                    Act::Clean => return Some(self.clean().await),
                }
            }
            self.publish();
            match next {
                Some(follows) => event = follows,
                None => return None,
            }
        }
    }

    async fn launch(&mut self) -> Event {
        let desired = self.kept.desired.clone();
        let port = match self.launcher.port(desired.id, desired.workload.port) {
            Ok(port) => port,
            Err(NotLaunched { reason, passing }) => return Event::NotStarted { reason, passing },
        };
        self.kept.port = port;
        self.save();
        match self.launcher.launch(&desired, port).await {
            Ok(process) => {
                let pid = process.pid();
                // One that an earlier agent began and could not say so sits on the port that seemed taken.
                if port.is_some() {
                    self.kept.port = told_port(process.dir()).or(port);
                }
                self.process = Some(process);
                Event::Started { pid }
            }
            Err(NotLaunched { reason, passing }) => Event::NotStarted { reason, passing },
        }
    }

    /// Records, then reports: what the host's loop acts on is known to the next agent too.
    fn publish(&mut self) {
        self.save();
        let observed = self.observed();
        let said = (observed, self.heard);
        if self.reported.as_ref() != Some(&said) {
            self.reported = Some(said.clone());
            let (observed, heard) = said;
            let _ = self.news.send(InstanceNews::Changed { observed: Box::new(observed), heard });
        }
    }

    fn save(&mut self) {
        match &self.life {
            Life::Serving(machine) => self.kept.life = machine.remembered(),
            Life::Scheduled(scheduled) => self.kept.runs = scheduled.remembered().clone(),
        }
        if self.saved.as_ref() == Some(&self.kept) {
            return;
        }
        let folder = self.launcher.home.instance(self.kept.desired.id);
        let written = disk::folder(&folder, 0o700)
            .and_then(|()| disk::write_json(&folder.join(KEPT), &self.kept, Outlives::Process));
        match written {
            Ok(()) => self.saved = Some(self.kept.clone()),
            Err(error) => tracing::error!(%error, "an instance's record could not be written"),
        }
    }

    async fn clean(&mut self) -> InstanceNews {
        let id = self.kept.desired.id;
        if let Err(error) = self.launcher.ports.release(&id.to_string()) {
            tracing::warn!(%error, instance = %id, "its port was not given back");
        }
        let home = self.launcher.home.clone();
        let cleaned = tokio::task::spawn_blocking(move || -> disk::Result<()> {
            let (folder, ended) = (home.instance(id), home.ended_instance(id));
            if folder.join(PROCESS).exists() {
                disk::remove_folder(&ended)?;
                use disk::At;
                handed::forget(&folder.join(PROCESS)).at("clear", &folder)?;
                std::fs::rename(folder.join(PROCESS), &ended).at("move", &folder)?;
            }
            disk::remove_folder(&folder)
        });
        if let Ok(Err(error)) = cleaned.await {
            tracing::warn!(%error, "an instance's folder was left behind");
        }
        InstanceNews::Gone(id)
    }

    fn check(&self) -> BoxFuture<'static, Result<(), Said>> {
        let desired = &self.kept.desired;
        let addr = self.kept.port.map(Launcher::addr);
        match check_of(&self.launcher, desired, desired.workload.health.as_ref(), addr) {
            Some(check) => check,
            None => Box::pin(async { Ok(()) }),
        }
    }
}

fn ended(exited: Exited) -> Event {
    Event::Ended { exit: exited.exit, timed_out: exited.timed_out, stopped: exited.stopped }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
