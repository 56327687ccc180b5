//! A pipeline's job: files, script, after_script, artifacts. Each step is in the journal before it begins, so that a
//! new agent goes on where the last one stood: it attaches itself to a script that runs and takes the end of one that
//! has ended, and never begins one twice.

use super::{
    Order, Shop, canceled_before,
    journal::{Ended, Journal, Step, TaskFolder, boot_id},
    log::TaskLog,
    ordered,
    render::Renderer,
    script::{self, Shell},
    slots::Slot,
    workspace::{self, again},
};
use crate::{
    disk::{self, Outlives, blocking},
    faults,
    instance::decide::describe,
    secrets::Holder,
    tree::{
        own::{self, Access},
        pack::{Patterns, choose, pack},
    },
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use tokio::sync::watch;
use tradewind_model::{
    fault::Fault,
    id::{Digest, TaskId},
    protocol::{
        agent::{ArtifactRule, ArtifactWhen, Exit, JobOutcome, JobWork, PROJECT_DIR, TaskResult, timed_out},
        shim::{self, Exited, LogRule, ShimSpec, User},
    },
    said,
    workload::Limits,
};
use tradewind_targets::{
    logs,
    process::{Adopted, Process},
    sandbox::Own,
};

const SCRIPT: &str = "script";
const AFTER: &str = "after";
const AFTER_TIMEOUT_MS: u64 = 5 * 60 * 1000;
/// From asking a canceled script to end to its kill.
const CANCEL_GRACE: Duration = Duration::from_secs(5);
/// How often a running script's output is looked at.
const LOOK: Duration = Duration::from_millis(25);
const READ: usize = 256 << 10;

pub struct Job<'a> {
    pub shop: &'a Shop,
    pub id: TaskId,
    pub folder: &'a TaskFolder,
    pub work: &'a JobWork,
    pub log: &'a mut TaskLog,
    pub order: &'a mut watch::Receiver<Order>,
    pub slot: Slot,
}

impl Job<'_> {
    fn user(&self) -> Option<User> {
        self.shop.users.of_slot(self.slot.number)
    }

    /// To the end, from wherever the journal says it is.
    pub async fn run(mut self, mut journal: Journal) -> TaskResult {
        loop {
            let step = match self.step(&journal).await {
                Ok(Next::Step(step)) => step,
                Ok(Next::Done(result)) => return result,
                Err(fault) => {
                    self.log.say(&format!("ERROR: {fault}"));
                    return super::failed(&fault);
                }
            };
            journal.step = step;
            journal.log = self.log.len();
            let (folder, record) = (self.folder.clone(), journal.clone());
            if let Err(fault) = blocking(move || Ok(folder.write_journal(&record)?)).await {
                return super::failed(&fault);
            }
        }
    }

    async fn step(&mut self, journal: &Journal) -> Result<Next, Fault> {
        match &journal.step {
            Step::Workspace => self.workspace().await,
            Step::Script => self.script(journal).await.map(|script| Next::Step(Step::AfterScript { script })),
            Step::AfterScript { script } => {
                self.after_script(script).await?;
                Ok(Next::Step(Step::Artifacts { script: script.clone() }))
            }
            Step::Artifacts { script } => self.artifacts(script.clone()).await.map(Next::Done),
        }
    }

    async fn workspace(&mut self) -> Result<Next, Fault> {
        let source = &self.work.source;
        self.log.say(&format!("Fetching {} at {}", source.service, source.commit.short()));
        for artifacts in &source.artifacts {
            self.log.say(&format!("Fetching artifacts {}", artifacts.short()));
        }
        let (work, download) = (self.folder.work(), self.folder.download());
        {
            let fill = workspace::fill(self.shop, source, &work, &download);
            tokio::select! {
                filled = fill => filled?,
                () = ordered(self.order, |o| *o != Order::Go) => return Ok(Next::Done(canceled_before())),
            }
        }
        let shell = Shell::on(&self.shop.path);
        let texts = [(SCRIPT, &self.work.script), (AFTER, &self.work.after_script)]
            .map(|(step, commands)| (self.folder.script(step), script::text(shell, commands)));
        let own = [work, self.folder.home(), self.folder.tmp()];
        let user = self.user();
        blocking(move || {
            for (path, text) in texts {
                disk::write(&path, text.as_bytes(), 0o644, Outlives::Process)?;
            }
            for path in own {
                disk::folder(&path, 0o700)?;
                if let Some(user) = user {
                    own::give(&path, None, Some((user.uid, user.gid)), Access::Keep)?;
                }
            }
            Ok(())
        })
        .await?;
        Ok(Next::Step(Step::Script))
    }

    fn spec(&self, step: &str, timeout_ms: u64, more: &[(&str, &str)]) -> Result<ShimSpec, Fault> {
        let text = |path: PathBuf| path.display().to_string();
        let work = text(self.folder.work());
        let mut env = BTreeMap::from([
            ("PATH".to_owned(), self.shop.path.clone()),
            ("HOME".to_owned(), text(self.folder.home())),
            ("TMPDIR".to_owned(), text(self.folder.tmp())),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ]);
        env.extend(self.work.variables.iter().map(|(k, v)| (k.clone(), v.replace(PROJECT_DIR, &work))));
        env.insert("CI_PROJECT_DIR".to_owned(), work.clone());
        env.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let spec = ShimSpec {
            version: shim::VERSION,
            command: Shell::on(&self.shop.path).command(&text(self.folder.script(step))),
            env,
            cwd: work,
            user: self.user(),
            limits: Limits::default(),
            cgroup: self.shop.cgroups.then(|| format!("{}-{step}", self.id)),
            // Each line of it carries its time: room for that too, and an end to it.
            log: LogRule { max_bytes: self.work.log_limit_bytes.saturating_mul(2).max(1 << 20), keep: 0 },
            timeout_ms: Some(timeout_ms),
            kill_group_at_exit: true,
            secrets: !self.work.secrets.is_empty(),
            wrapped: false,
        };
        let folder = self.folder;
        let own = Own {
            written: vec![folder.work(), folder.home(), folder.tmp()],
            read: vec![folder.script(step)],
            tmp: folder.tmp(),
        };
        self.shop.confinement.around(spec, &own)
    }

    /// Attaches to what runs, or starts what never did.
    async fn process(&self, step: &str, spec: &ShimSpec) -> Result<Result<Process, Exited>, Fault> {
        let dir = self.folder.process(step);
        let not_started = |why: String| Fault::new(&faults::NOT_STARTED).with("why", why);
        match self.shop.target.adopt(&dir).await.map_err(|e| not_started(e.to_string()))? {
            Adopted::Running(process) => Ok(Ok(process)),
            Adopted::Exited(exited) => Ok(Err(exited)),
            Adopted::NeverStarted => {
                let handed = self.shop.secrets.of(Holder::Task(self.id), &self.work.secrets, &dir).await;
                let handed = handed.map_err(|e| e.fault)?;
                let started = self.shop.target.start_with(&dir, spec, handed).await;
                started.map(Ok).map_err(|e| not_started(e.to_string()))
            }
        }
    }

    async fn script(&mut self, journal: &Journal) -> Result<Ended, Fault> {
        let dir = self.folder.process(SCRIPT);
        let spec = self.spec(SCRIPT, self.work.timeout_ms, &[])?;
        if *self.order.borrow() != Order::Go && !dir.exists() {
            let exit = Exit::NotStarted { reason: "canceled".into() };
            return Ok(Ended { outcome: JobOutcome::Canceled, exit, message: None });
        }
        let mut canceled = false;
        let exited = match self.process(SCRIPT, &spec).await? {
            Ok(process) => {
                let wait = async {
                    tokio::select! {
                        exited = process.wait() => exited,
                        () = ordered(self.order, |o| *o != Order::Go) => {
                            canceled = true;
                            process.stop(15, CANCEL_GRACE).await
                        }
                    }
                };
                let output = Output { dir: &dir, log: self.log };
                output.until(wait).await
            }
            Err(exited) => Output { dir: &dir, log: self.log }.until(std::future::ready(exited)).await,
        };
        self.log.say_left_out();
        canceled |= exited.stopped;
        let (outcome, message) = match &exited.exit {
            _ if exited.timed_out => {
                let limit = Duration::from_millis(self.work.timeout_ms);
                (JobOutcome::TimedOut, Some(timed_out(limit)))
            }
            Exit::Code { .. } | Exit::Signal { .. } | Exit::Unknown if canceled => (JobOutcome::Canceled, None),
            Exit::Code { code: 0 } => (JobOutcome::Success, None),
            Exit::Code { .. } | Exit::Signal { .. } => (JobOutcome::Failed, None),
            Exit::Unknown if journal.boot != boot_id() => return Err(Fault::new(&faults::TASK_LOST)),
            Exit::Unknown => return Err(Fault::new(&faults::TASK_BROKE_OFF)),
            Exit::NotStarted { reason } => {
                return Err(Fault::new(&faults::NOT_STARTED).with("why", reason));
            }
        };
        Ok(Ended { outcome, exit: exited.exit, message })
    }

    /// Five minutes of its own; nothing it does changes how the job ended.
    async fn after_script(&mut self, script: &Ended) -> Result<(), Fault> {
        let began = !matches!(script.exit, Exit::NotStarted { .. });
        if self.work.after_script.is_empty() || !began || *self.order.borrow() == Order::Forget {
            return Ok(());
        }
        let status = match script.outcome {
            JobOutcome::Success => "success",
            JobOutcome::Failed | JobOutcome::TimedOut => "failed",
            JobOutcome::Canceled => "canceled",
        };
        let spec = self.spec(AFTER, AFTER_TIMEOUT_MS, &[("CI_JOB_STATUS", status)])?;
        self.log.say("Running after_script");
        let dir = self.folder.process(AFTER);
        let ended = match self.process(AFTER, &spec).await {
            Ok(Ok(process)) => {
                let wait = async {
                    tokio::select! {
                        exited = process.wait() => exited,
                        () = ordered(self.order, |o| *o == Order::Forget) => process.stop(9, Duration::ZERO).await,
                    }
                };
                Some(Output { dir: &dir, log: self.log }.until(wait).await.exit)
            }
            Ok(Err(exited)) => Some(Output { dir: &dir, log: self.log }.until(std::future::ready(exited.exit)).await),
            Err(fault) => {
                self.log.say(&format!("WARNING: after_script: {fault}"));
                None
            }
        };
        self.log.say_left_out();
        if let Some(exit) = ended.filter(|e| *e != (Exit::Code { code: 0 })) {
            self.log.say(&format!("WARNING: after_script {}, but the job goes on", describe(&exit).en()));
        }
        Ok(())
    }

    async fn artifacts(&mut self, script: Ended) -> Result<TaskResult, Fault> {
        let Ended { mut outcome, exit, mut message } = script;
        let mut artifacts = None;
        let wanted = |rule: &&ArtifactRule| match (rule.when, outcome) {
            (_, JobOutcome::Canceled) => false,
            (ArtifactWhen::Always, _) => true,
            (ArtifactWhen::OnSuccess, JobOutcome::Success) => true,
            (ArtifactWhen::OnFailure, JobOutcome::Failed | JobOutcome::TimedOut) => true,
            (ArtifactWhen::OnSuccess, JobOutcome::Failed | JobOutcome::TimedOut)
            | (ArtifactWhen::OnFailure, JobOutcome::Success) => false,
        };
        if let Some(rule) = self.work.artifacts.as_ref().filter(wanted) {
            match self.collect(rule).await {
                Ok(collected) => artifacts = collected,
                Err(fault) if *fault.code == faults::UNREACHABLE => return Err(fault),
                Err(fault) => {
                    self.log.say(&format!("ERROR: {fault}"));
                    if outcome == JobOutcome::Success {
                        (outcome, message) = (JobOutcome::Failed, Some(fault.into()));
                    }
                }
            }
        }
        self.log.say(&match outcome {
            JobOutcome::Success => "Job succeeded".to_owned(),
            JobOutcome::Canceled => "ERROR: Job canceled".to_owned(),
            JobOutcome::Failed | JobOutcome::TimedOut => {
                let why = message.clone().unwrap_or_else(|| describe(&exit));
                format!("ERROR: Job failed: {}", why.en())
            }
        });
        Ok(TaskResult::Job { outcome, exit, artifacts, message })
    }

    async fn collect(&mut self, rule: &ArtifactRule) -> Result<Option<Digest>, Fault> {
        let inside = format!("{PROJECT_DIR}/");
        let relative = |paths: &[String]| -> Vec<String> {
            paths.iter().map(|p| p.strip_prefix(&inside).unwrap_or(p).to_owned()).collect()
        };
        let (paths, exclude) = (relative(&rule.paths), relative(&rule.exclude));
        let patterns = Patterns::new(&paths, &exclude)?;
        let (work, archive) = (self.folder.work(), self.folder.packed());
        let owner = self.user().map(|u| u.uid);
        let packed = {
            let archive = archive.clone();
            blocking(move || {
                let chosen = choose(&work, &patterns, owner)?;
                if chosen.is_empty() { Ok(None) } else { pack(&work, &chosen, &archive).map(Some) }
            })
            .await?
        };
        let Some(packed) = packed else {
            let fault = Fault::new(&faults::ARTIFACT_NOT_FOUND).with("paths", paths.join(", "));
            self.log.say(&format!("WARNING: {fault}"));
            return Ok(None);
        };
        self.log.say(&format!("Uploading {} files as artifacts, {} bytes", packed.files.len(), packed.size));
        let what = said!("a place for the artifacts", "制品的存放位置");
        let upload = again(&what, || self.shop.server.put_blob(&packed.digest, &archive));
        tokio::select! {
            uploaded = upload => uploaded?,
            () = ordered(self.order, |o| *o == Order::Forget) => return Ok(None),
        }
        Ok(Some(packed.digest))
    }
}

enum Next {
    Step(Step),
    Done(TaskResult),
}

/// Copies a process's output into the job's log.
struct Output<'a> {
    dir: &'a std::path::Path,
    log: &'a mut TaskLog,
}

impl Output<'_> {
    /// While the process runs, and what is left when it has ended.
    async fn until<T>(self, end: impl Future<Output = T>) -> T {
        let (mut renderer, mut at, mut pause) = (Renderer::default(), 0, LOOK);
        tokio::pin!(end);
        // A piece at a time: one who prints faster than this reads must not keep a cancel from being heard.
        let ended = loop {
            tokio::select! {
                ended = &mut end => break ended,
                () = tokio::time::sleep(pause) => {
                    let next = copy_piece(self.dir, at, &mut renderer, self.log).await;
                    pause = if next == at { LOOK } else { Duration::ZERO };
                    at = next;
                }
            }
        };
        loop {
            let next = copy_piece(self.dir, at, &mut renderer, self.log).await;
            if next == at {
                break;
            }
            at = next;
        }
        let mut rest = String::new();
        renderer.finish(&mut rest);
        self.log.output(&rest);
        ended
    }
}

/// Where to go on; the same place when there is nothing more for now.
async fn copy_piece(dir: &std::path::Path, at: u64, renderer: &mut Renderer, log: &mut TaskLog) -> u64 {
    let dir = dir.to_owned();
    let chunk = match tokio::task::spawn_blocking(move || logs::read_from(&dir, at, READ)).await {
        Ok(Ok(chunk)) => chunk,
        Ok(Err(_)) | Err(_) => return at,
    };
    let mut text = String::with_capacity(chunk.bytes.len());
    for line in logs::parse_all(&chunk.bytes) {
        renderer.render(&line, &mut text);
    }
    log.output(&text);
    chunk.next
}
