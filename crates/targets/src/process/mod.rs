//! The agent's side: start a process under a shim, or find again what runs.
//!
//! A [`Process`] is a handle. Dropping it, or the agent, leaves the process and its shim alone; [`ProcessTarget::adopt`]
//! gives a new one. While a handle lives, a shim that dies is replaced.

mod keeper;
mod launch;

use crate::{
    folder,
    handed::{self, Handed, HandedError},
    procfs,
};
use launch::{Connection, Found};
use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use tradewind_model::protocol::{
    agent::Exit,
    shim::{Exited, ShimSpec, Started, ToShim},
};
use tradewind_secrets::ring::Ring;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}")]
    Folder { path: PathBuf, source: io::Error },
    /// Nothing was started. Adopt what is there.
    #[error("a process runs in {0} already")]
    Running(PathBuf),
    /// The reason is a sentence for a person; it is in `exit.json` and in the log too.
    #[error("{reason}")]
    NotStarted { reason: String },
    #[error("cannot run the shim {exe}: {source}")]
    Launch { exe: PathBuf, source: io::Error },
    #[error("{dir}: {source}")]
    Handed { dir: PathBuf, source: HandedError },
    /// The shim ran and could not do its work.
    #[error("the shim of {dir} failed: {reason}")]
    Shim { dir: PathBuf, reason: String },
}

impl Error {
    fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Folder { path: path.to_owned(), source }
    }
}

/// Starts and adopts processes, each in a folder of its own.
#[derive(Clone, Debug)]
pub struct ProcessTarget {
    exe: PathBuf,
    args: Vec<OsString>,
    /// What secrets of processes are kept with.
    keys: Option<Arc<Ring>>,
}

/// What [`ProcessTarget::adopt`] found in a folder.
#[derive(Debug)]
pub enum Adopted {
    Running(Process),
    /// Its end is recorded, be it as [`Exit::Unknown`].
    Exited(Exited),
    NeverStarted,
}

impl ProcessTarget {
    /// The shim is started as `exe args… DIR`, with an environment of its own.
    pub fn new<A: Into<OsString>>(exe: impl Into<PathBuf>, args: impl IntoIterator<Item = A>) -> Self {
        Self { exe: exe.into(), args: args.into_iter().map(Into::into).collect(), keys: None }
    }

    /// With a key of the host: without one, no process can be given secrets.
    pub fn with_keys(self, keys: Arc<Ring>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// What the last process in this folder was given.
    ///
    /// # Errors
    /// Where something is kept that cannot be read any more.
    pub fn kept(&self, dir: &Path) -> Result<Option<Handed>, HandedError> {
        handed::kept(dir, self.keys.as_deref())
    }

    /// Starts it, and returns when the command has begun: exec has succeeded. What has begun may have ended by then.
    ///
    /// A folder may be used again once its process has ended; the log goes on. `dir` is created (0700) if need be and
    /// must not be open to the process's user: it holds the environment.
    pub async fn start(&self, dir: &Path, spec: &ShimSpec) -> Result<Process, Error> {
        self.start_with(dir, spec, Handed::default()).await
    }

    /// The same with secrets, which are in memory only, and which its log does not show. Whether there are any is what
    /// the spec says in the end.
    pub async fn start_with(&self, dir: &Path, spec: &ShimSpec, handed: Handed) -> Result<Process, Error> {
        let dir = &std::path::absolute(dir).map_err(Error::folder(dir))?;
        launch::begin_anew(dir, spec, self.keys.clone(), handed).await?;
        self.launch(dir).await?;
        let failed = |what: &str| Error::Shim { dir: dir.clone(), reason: what.to_owned() };
        match self.settled(dir).await? {
            Found::Running(started, connection) => Ok(Process::new(self.clone(), dir, started, Some(connection))),
            Found::Exited(Exited { exit: Exit::NotStarted { reason }, .. }) => Err(Error::NotStarted { reason }),
            Found::Exited(exited) => {
                let started = launch::read_started(dir)?.ok_or_else(|| failed("it has recorded an end only"))?;
                Ok(Process::ended(dir, started, exited))
            }
            Found::Nothing => Err(failed("it has recorded neither a start nor an end")),
        }
    }

    /// Finds out what became of what was started in `dir`, by this agent or an earlier one. A process without a shim
    /// gets one; where none can be had yet (a full disk, no room for another process), the process is adopted all the
    /// same and its shim is tried for until it is there.
    pub async fn adopt(&self, dir: &Path) -> Result<Adopted, Error> {
        let dir = &std::path::absolute(dir).map_err(Error::folder(dir))?;
        let running = |started, connection| Adopted::Running(Process::new(self.clone(), dir, started, connection));
        match self.find(dir).await {
            Ok(Found::Running(started, connection)) => Ok(running(started, Some(connection))),
            Ok(Found::Exited(exited)) => Ok(Adopted::Exited(exited)),
            Ok(Found::Nothing) => Ok(Adopted::NeverStarted),
            Err(error) => match launch::read_started(dir)? {
                Some(started) if is_alive(&started) => {
                    tracing::warn!(dir = %dir.display(), %error, "a process is adopted without its shim");
                    Ok(running(started, None))
                }
                Some(_) | None => Err(error),
            },
        }
    }
}

/// A handle on a process under a shim. Clones are the same process.
#[derive(Clone, Debug)]
pub struct Process {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    started: watch::Receiver<Started>,
    exited: watch::Receiver<Option<Exited>>,
    shim: watch::Receiver<Option<u32>>,
    requests: mpsc::UnboundedSender<ToShim>,
    /// Reading ends of its output, never read from: while no shim is there they keep what the process wrote last.
    _pipes: Vec<File>,
}

impl Process {
    fn new(target: ProcessTarget, dir: &Path, started: Started, connection: Option<Connection>) -> Self {
        let pipes = folder::PIPES
            .iter()
            .filter_map(|name| OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(dir.join(name)).ok());
        let (tell_started, started_rx) = watch::channel(started.clone());
        let (tell_exited, exited) = watch::channel(None);
        let (tell_shim, shim) = watch::channel(connection.as_ref().map(|_| started.shim_pid));
        let (requests, asked) = mpsc::unbounded_channel();
        let inner = Inner { dir: dir.to_owned(), started: started_rx, exited, shim, requests, _pipes: pipes.collect() };
        let keeper = keeper::Keeper {
            target,
            dir: dir.to_owned(),
            asked,
            stop: None,
            started: tell_started,
            exited: tell_exited,
            shim: tell_shim,
        };
        tokio::spawn(keeper.run(connection));
        Self { inner: Arc::new(inner) }
    }

    fn ended(dir: &Path, started: Started, exited: Exited) -> Self {
        let inner = Inner {
            dir: dir.to_owned(),
            started: watch::channel(started).1,
            exited: watch::channel(Some(exited)).1,
            shim: watch::channel(None).1,
            requests: mpsc::unbounded_channel().0,
            _pipes: Vec::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub fn pid(&self) -> u32 {
        self.inner.started.borrow().pid
    }

    pub fn started(&self) -> Started {
        self.inner.started.borrow().clone()
    }

    /// How it ended, if it has.
    pub fn exited(&self) -> Option<Exited> {
        self.inner.exited.borrow().clone()
    }

    /// Waits for its end. Any number may wait; its log is complete by then.
    pub async fn wait(&self) -> Exited {
        let mut exited = self.inner.exited.clone();
        let ended = match exited.wait_for(Option::is_some).await {
            Ok(exited) => exited.clone(),
            Err(_) => None,
        };
        match ended {
            Some(exited) => exited,
            // The runtime is being shut down under us; how it ends is for another agent to see.
            None => std::future::pending().await,
        }
    }

    /// Has the shim signal the whole group, wait, then kill the group; returns at once. The shim carries it through
    /// without us. Asked again, the earlier kill counts.
    pub fn begin_stop(&self, signal: i32, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let _ = self.inner.requests.send(ToShim::Stop { signal, grace_ms });
    }

    /// [`begin_stop`](Self::begin_stop), then [`wait`](Self::wait).
    pub async fn stop(&self, signal: i32, grace: Duration) -> Exited {
        self.begin_stop(signal, grace);
        self.wait().await
    }

    /// Sends a signal to the main process only.
    pub fn signal(&self, signal: i32) {
        let _ = self.inner.requests.send(ToShim::Signal { signal });
    }

    /// The shim's process, for figures about it; `None` while it is being replaced, and after the end.
    pub fn shim_pid(&self) -> Option<u32> {
        *self.inner.shim.borrow()
    }
}

/// Whether the recorded process still lives: the same number, start and boot.
pub fn is_alive(started: &Started) -> bool {
    procfs::find(started).is_some_and(|s| s.is_alive())
}
