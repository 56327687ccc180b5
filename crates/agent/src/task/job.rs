//! A pipeline's job: files, script, after_script, artifacts. Each step is in the journal before it begins, so that a
//! new agent goes on where the last one stood: it attaches itself to a script that runs and takes the end of one that
//! has ended, and never begins one twice.

use super::{
    Order, Progress, Shop, canceled_before,
    commands::Commands,
    journal::{Ended, Journal, Step, TaskFolder, boot_id},
    log::{TaskLog, newlines},
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
    time::Time,
    tree::{
        own::{self, Access},
        pack::{Patterns, choose, pack},
    },
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::watch;
use tradewind_model::{
    fault::Fault,
    id::{Digest, TaskId},
    protocol::{
        agent::{ArtifactRule, ArtifactWhen, Exit, JobOutcome, JobWork, PROJECT_DIR, TaskResult, timed_out},
        command::CommandRun,
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
/// How often it is told, at most, how far a script is.
const TELL_EVERY: Duration = Duration::from_millis(500);

pub struct Job<'a> {
    pub shop: &'a Shop,
    pub id: TaskId,
    pub folder: &'a TaskFolder,
    pub work: &'a JobWork,
    pub log: &'a mut TaskLog,
    pub order: &'a mut watch::Receiver<Order>,
    pub slot: Slot,
    pub(super) progress: Progress,
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
                let mut script = script.clone();
                script.commands.extend(self.after_script(&script).await?);
                Ok(Next::Step(Step::Artifacts { script }))
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
            .map(|(step, commands)| (self.folder.script(step), script::text(shell, &script::tag(self.id), commands)));
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
            return Ok(Ended { outcome: JobOutcome::Canceled, exit, message: None, commands: Vec::new() });
        }
        let mut canceled = false;
        let mut commands = Commands::of_script();
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
                let output = Output::of(self.shop, self.id, &dir, self.log, &mut commands, &self.progress, &[]);
                output.until(wait).await
            }
            Err(exited) => {
                let output = Output::of(self.shop, self.id, &dir, self.log, &mut commands, &self.progress, &[]);
                output.until(std::future::ready(exited)).await
            }
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
        let commands = commands.end(exited.at, &exited.exit);
        Ok(Ended { outcome, exit: exited.exit, message, commands })
    }

    /// Five minutes of its own; nothing it does changes how the job ended.
    async fn after_script(&mut self, script: &Ended) -> Result<Vec<CommandRun>, Fault> {
        let began = !matches!(script.exit, Exit::NotStarted { .. });
        if self.work.after_script.is_empty() || !began || *self.order.borrow() == Order::Forget {
            return Ok(Vec::new());
        }
        let status = match script.outcome {
            JobOutcome::Success => "success",
            JobOutcome::Failed | JobOutcome::TimedOut => "failed",
            JobOutcome::Canceled => "canceled",
        };
        let spec = self.spec(AFTER, AFTER_TIMEOUT_MS, &[("CI_JOB_STATUS", status)])?;
        self.log.say("Running after_script");
        let dir = self.folder.process(AFTER);
        let mut commands = Commands::of_after_script();
        let process = self.process(AFTER, &spec).await;
        let output = Output::of(self.shop, self.id, &dir, self.log, &mut commands, &self.progress, &script.commands);
        let ended = match process {
            Ok(Ok(process)) => {
                let wait = async {
                    tokio::select! {
                        exited = process.wait() => exited,
                        () = ordered(self.order, |o| *o == Order::Forget) => process.stop(9, Duration::ZERO).await,
                    }
                };
                Some(output.until(wait).await)
            }
            Ok(Err(exited)) => Some(output.until(std::future::ready(exited)).await),
            Err(fault) => {
                self.log.say(&format!("WARNING: after_script: {fault}"));
                None
            }
        };
        self.log.say_left_out();
        let Some(Exited { exit, at, .. }) = ended else { return Ok(Vec::new()) };
        if exit != (Exit::Code { code: 0 }) {
            self.log.say(&format!("WARNING: after_script {}, but the job goes on", describe(&exit).en()));
        }
        Ok(commands.end(at, &exit))
    }

    async fn artifacts(&mut self, script: Ended) -> Result<TaskResult, Fault> {
        let Ended { mut outcome, exit, mut message, commands } = script;
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
        Ok(TaskResult::Job { outcome, exit, artifacts, message, commands })
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

/// Copies a process's output into the job's log, and notes the commands it tells of.
struct Output<'a> {
    dir: &'a Path,
    log: &'a mut TaskLog,
    renderer: Renderer,
    commands: &'a mut Commands,
    /// Those of the script before this one.
    earlier: &'a [CommandRun],
    progress: &'a Progress,
    time: &'a Time,
    /// When the host's loop heard of the commands last, and how many there were.
    told: (Duration, usize),
}

impl<'a> Output<'a> {
    fn of(
        shop: &'a Shop,
        id: TaskId,
        dir: &'a Path,
        log: &'a mut TaskLog,
        commands: &'a mut Commands,
        progress: &'a Progress,
        earlier: &'a [CommandRun],
    ) -> Self {
        let renderer = Renderer::new(script::tag(id));
        Self { dir, log, renderer, commands, earlier, progress, time: &shop.time, told: (Duration::ZERO, 0) }
    }

    /// While the process runs, and what is left when it has ended.
    async fn until<T>(mut self, end: impl Future<Output = T>) -> T {
        let (mut at, mut pause) = (0, LOOK);
        tokio::pin!(end);
        // A piece at a time: one who prints faster than this reads must not keep a cancel from being heard.
        let ended = loop {
            tokio::select! {
                ended = &mut end => break ended,
                () = tokio::time::sleep(pause) => {
                    let next = self.copy_piece(at).await;
                    pause = if next == at { LOOK } else { Duration::ZERO };
                    at = next;
                    self.tell();
                }
            }
        };
        loop {
            let next = self.copy_piece(at).await;
            if next == at {
                break;
            }
            at = next;
        }
        let mut rest = String::new();
        self.renderer.finish(&mut rest);
        self.log.output(&rest);
        ended
    }

    /// Where to go on; the same place when there is nothing more for now.
    async fn copy_piece(&mut self, at: u64) -> u64 {
        let dir = self.dir.to_owned();
        let chunk = match tokio::task::spawn_blocking(move || logs::read_from(&dir, at, READ)).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(_)) | Err(_) => return at,
        };
        let (mut text, mut headings) = (String::with_capacity(chunk.bytes.len()), Vec::new());
        for line in logs::parse_all(&chunk.bytes) {
            self.renderer.render(&line, &mut text, &mut headings);
        }
        let before = self.log.lines();
        let kept = self.log.output(&text);
        for heading in headings {
            let line = (heading.at < kept).then(|| before + newlines(&text.as_bytes()[..heading.at]) + 1);
            self.commands.begin(heading, line);
        }
        chunk.next
    }

    /// The server hears of commands under way, but not of every one of a script that rushes through many.
    fn tell(&mut self) {
        let (now, count) = (self.time.now().mono, self.commands.so_far().len());
        let (then, known) = self.told;
        if count == known || (known > 0 && now < then + TELL_EVERY) {
            return;
        }
        self.told = (now, count);
        self.progress.tell(&[self.earlier, self.commands.so_far()].concat());
    }
}
