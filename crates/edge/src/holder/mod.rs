//! The holder: owns the listening sockets and keeps a worker running that serves them.
//!
//! It does nothing else, so that there is next to nothing in it to die of. When the worker dies connections wait in the
//! sockets' backlog until the next one serves, at once. When the holder dies the worker goes on; a new holder takes the
//! sockets back from it ([`handover`](crate::handover)), and replaces it if it runs another program. On SIGHUP a new
//! worker takes over from the old one without a request lost, and the holder becomes the program that is on disk by then.

mod process;

use crate::{
    disk::{self, Home},
    error::EdgeError,
    handover,
    sockets::{SocketError, Sockets},
};
use process::{Process, Start, ready};
use rustix::{
    fs::{FlockOperation, flock},
    process::Signal,
};
use serde::Serialize;
use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    future::pending,
    io,
    net::SocketAddr,
    os::unix::{
        fs::{MetadataExt, OpenOptionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{
    net::unix::pipe,
    signal::unix::{SignalKind, signal},
};

/// A worker that lived this long died of something else than its start.
const SETTLED: Duration = Duration::from_secs(5);
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// A new worker that is not ready within this does not take over.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// Processes of workers that still drain, across an exec.
const RETIRING_VAR: &str = "TRADEWIND_EDGE_RETIRING";

#[derive(Clone, Debug)]
pub struct HolderConfig {
    /// The data folder.
    pub data: PathBuf,
    pub listen: Vec<SocketAddr>,
    /// The same with TLS.
    pub listen_tls: Vec<SocketAddr>,
    /// Where the worker serves `/metrics`.
    pub admin: Option<SocketAddr>,
    /// The program of both, as found on disk when it is started: an upgrade replaces it and sends SIGHUP.
    pub program: PathBuf,
    /// What makes the program a worker of this data folder: it has to call [`worker`](crate::worker()).
    pub worker_args: Vec<OsString>,
    /// What makes the program this holder again.
    pub holder_args: Vec<OsString>,
}

/// Runs until SIGTERM or SIGINT, and then until the worker's clients are gone; a second signal does not wait for them.
/// SIGHUP replaces worker and holder.
pub fn holder(config: HolderConfig) -> Result<(), EdgeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(EdgeError::Start)?;
    match runtime.block_on(Holder::run(&config))? {
        After::Stop => Ok(()),
        After::Become { retiring } => {
            drop(runtime);
            let retiring = retiring.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let mut command = std::process::Command::new(&config.program);
            Err(EdgeError::Start(command.args(&config.holder_args).env(RETIRING_VAR, retiring).exec()))
        }
    }
}

enum After {
    Stop,
    /// The program on disk, with the workers that still drain.
    Become {
        retiring: Vec<u32>,
    },
}

struct Holder<'a> {
    config: &'a HolderConfig,
    home: Home,
    sockets: Sockets,
    current: Option<Process>,
    /// A worker that is to take over and is not ready yet.
    coming: Option<Coming>,
    retiring: Vec<Process>,
    backoff: Duration,
    start_at: Option<Instant>,
    stopping: bool,
    _lock: File,
}

struct Coming {
    process: Process,
    ready: pipe::Receiver,
    until: Instant,
}

impl<'a> Holder<'a> {
    async fn run(config: &'a HolderConfig) -> Result<After, EdgeError> {
        let home = Home::at(&config.data);
        home.create().map_err(EdgeError::Folder)?;
        let lock = lock(&home)?;
        let taken =
            handover::take(&home.holder()).map_err(|source| EdgeError::Socket { path: home.holder(), source })?;
        let mut holder = Self {
            config,
            home,
            sockets: Sockets::default(),
            current: None,
            coming: None,
            retiring: inherited_retiring(),
            backoff: BACKOFF_MIN,
            start_at: None,
            stopping: false,
            _lock: lock,
        };
        match taken {
            Some((sockets, pid)) => {
                tracing::info!(pid, "took the sockets back from the worker that serves");
                let (sockets, same) = sockets.adjusted(config)?;
                holder.sockets = sockets;
                holder.current = Process::adopt(pid);
                match &holder.current {
                    None => holder.start_at = Some(Instant::now()),
                    Some(worker) if same && !holder.is_another(&format!("/proc/{}/exe", worker.pid())) => {}
                    // Other addresses are wanted, or another program.
                    Some(_) => holder.replace(),
                }
            }
            None => {
                holder.sockets = Sockets::bind(&config.listen, config.admin)?.with_https(&config.listen_tls)?;
                holder.start_at = Some(Instant::now());
            }
        }
        holder.note();
        holder.supervise().await
    }

    async fn supervise(mut self) -> Result<After, EdgeError> {
        let mut term = signal(SignalKind::terminate()).map_err(EdgeError::Start)?;
        let mut int = signal(SignalKind::interrupt()).map_err(EdgeError::Start)?;
        let mut hup = signal(SignalKind::hangup()).map_err(EdgeError::Start)?;
        loop {
            if self.stopping && self.current.is_none() && self.coming.is_none() && self.retiring.is_empty() {
                return Ok(After::Stop);
            }
            tokio::select! {
                _ = term.recv() => self.stop(),
                _ = int.recv() => self.stop(),
                _ = hup.recv() => if !self.stopping { self.replace() },
                () = ended(self.current.as_ref()) => self.died(),
                came = came(self.coming.as_mut()) => {
                    if self.arrived(came) && self.is_another("/proc/self/exe") {
                        let retiring = self.retiring.iter().map(Process::pid).collect();
                        return Ok(After::Become { retiring });
                    }
                }
                gone = any_ended(&self.retiring) => {
                    self.retiring.remove(gone);
                    self.note();
                }
                () = reached(self.start_at) => self.start(),
            }
        }
    }

    fn start(&mut self) {
        self.start_at = None;
        match Start::fresh(&self.config.program, &self.config.worker_args, &self.sockets) {
            Ok((process, _)) => self.current = Some(process),
            Err(error) => {
                tracing::error!(%error, "the worker cannot be started");
                self.retry_later();
            }
        }
        self.note();
    }

    fn died(&mut self) {
        let Some(process) = self.current.take() else { return };
        if self.stopping {
            return;
        }
        tracing::error!(pid = process.pid(), "the worker died; starting another");
        if process.age() >= SETTLED {
            self.backoff = BACKOFF_MIN;
            self.start_at = Some(Instant::now());
        } else {
            self.retry_later();
        }
        self.note();
    }

    fn retry_later(&mut self) {
        self.start_at = Some(Instant::now() + self.backoff);
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
    }

    /// Starts a worker that takes over from the one that serves.
    fn replace(&mut self) {
        if self.coming.is_some() || self.current.is_none() {
            return;
        }
        match Start::successor(&self.config.program, &self.config.worker_args, &self.sockets) {
            Ok((process, ready)) => {
                self.coming = Some(Coming { process, ready, until: Instant::now() + READY_LIMIT });
            }
            Err(error) => tracing::error!(%error, "the new worker cannot be started; the one that serves stays"),
        }
    }

    /// True when the new worker serves.
    fn arrived(&mut self, ready: bool) -> bool {
        let Some(coming) = self.coming.take() else { return false };
        if !ready {
            tracing::error!(pid = coming.process.pid(), "the new worker did not get ready; the one that serves stays");
            coming.process.signal(Signal::KILL);
            self.retiring.push(coming.process);
            self.note();
            return false;
        }
        tracing::info!(pid = coming.process.pid(), "the new worker serves");
        if let Some(before) = self.current.replace(coming.process) {
            // It knows already; this is for a worker that does not understand its successor.
            before.signal(Signal::TERM);
            self.retiring.push(before);
        }
        self.start_at = None;
        self.note();
        true
    }

    fn stop(&mut self) {
        let signal = if self.stopping { Signal::KILL } else { Signal::TERM };
        self.stopping = true;
        self.start_at = None;
        // From now on connections are refused, not left waiting for nobody.
        self.sockets = Sockets::default();
        if let Some(coming) = self.coming.take() {
            self.retiring.push(coming.process);
        }
        self.current.iter().chain(&self.retiring).for_each(|p| p.signal(signal));
    }

    /// True when a process does not run the program that is on disk.
    fn is_another(&self, running: &str) -> bool {
        let id = |path: &Path| std::fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
        match (id(&self.config.program), id(running.as_ref())) {
            (Some(on_disk), Some(running)) => on_disk != running,
            (None, _) | (_, None) => false,
        }
    }

    /// Writes who runs into `run/edge.json`.
    fn note(&self) {
        #[derive(Serialize)]
        struct Noted {
            /// The holder.
            pid: u32,
            start_ticks: Option<u64>,
            worker: Option<Worker>,
            retiring: Vec<Worker>,
            listen: Vec<SocketAddr>,
            listen_tls: Vec<SocketAddr>,
            admin: Option<SocketAddr>,
        }
        #[derive(Serialize)]
        struct Worker {
            pid: u32,
            start_ticks: Option<u64>,
        }
        let worker = |p: &Process| Worker { pid: p.pid(), start_ticks: process::start_ticks(p.pid()) };
        let noted = Noted {
            pid: std::process::id(),
            start_ticks: process::start_ticks(std::process::id()),
            worker: self.current.as_ref().map(worker),
            retiring: self.retiring.iter().map(worker).collect(),
            listen: self.sockets.http_addrs(),
            listen_tls: self.sockets.https_addrs(),
            admin: self.sockets.admin_addr(),
        };
        let written = serde_json::to_vec(&noted)
            .map_err(io::Error::from)
            .and_then(|json| disk::replace(&self.home.processes(), &json, 0o644));
        if let Err(error) = written {
            tracing::warn!(%error, "the processes could not be noted");
        }
    }
}

async fn ended(process: Option<&Process>) {
    match process {
        Some(process) => process.ended().await,
        None => pending().await,
    }
}

async fn any_ended(processes: &[Process]) -> usize {
    if processes.is_empty() {
        return pending().await;
    }
    let all = processes.iter().map(|p| Box::pin(p.ended()));
    futures_util::future::select_all(all).await.1
}

/// Whether the new worker got ready: it said so, or it ended or took too long.
async fn came(coming: Option<&mut Coming>) -> bool {
    match coming {
        Some(coming) => tokio::time::timeout_at(coming.until.into(), ready(&mut coming.ready)).await.unwrap_or(false),
        None => pending().await,
    }
}

async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

/// One holder for one data folder.
fn lock(home: &Home) -> Result<File, EdgeError> {
    let path = home.lock();
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(EdgeError::Folder)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(EdgeError::Taken(path)),
        Err(e) => Err(EdgeError::Folder(e.into())),
    }
}

fn inherited_retiring() -> Vec<Process> {
    let pids = std::env::var(RETIRING_VAR).unwrap_or_default();
    pids.split(',').filter_map(|p| Process::adopt(p.parse().ok()?)).collect()
}

impl Sockets {
    /// These sockets where they are wanted, others bound where they are not there; and whether they were just right.
    fn adjusted(self, wanted: &HolderConfig) -> Result<(Self, bool), SocketError> {
        let mut have = self;
        let mut same = true;
        let mut out = Self::default();
        for (want, have, out) in
            [(&wanted.listen, &mut have.http, &mut out.http), (&wanted.listen_tls, &mut have.https, &mut out.https)]
        {
            for want in want {
                match have.iter().position(|l| l.local_addr().is_ok_and(|a| fits(a, want))) {
                    Some(at) => out.push(have.remove(at)),
                    None => {
                        same = false;
                        out.append(&mut Self::bind(&[*want], None)?.http);
                    }
                }
            }
            same &= have.is_empty();
        }
        match (wanted.admin, have.admin_addr()) {
            (Some(want), Some(addr)) if fits(addr, &want) => out.admin = have.admin.take(),
            (None, None) => {}
            (want, _) => {
                same = false;
                out.admin = Self::bind(&[], want)?.admin;
            }
        }
        Ok((out, same))
    }
}

/// Port 0 means any, so any is right.
fn fits(have: SocketAddr, want: &SocketAddr) -> bool {
    have == *want || (want.port() == 0 && have.ip() == want.ip())
}
