//! Runs the shim's launcher and finds out what is in a folder.

use super::{Error, Handed, ProcessTarget};
use crate::{folder, handed, procfs};
use std::{
    fs::{self, File},
    os::{fd::AsRawFd, unix::fs::DirBuilderExt},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use tradewind_model::protocol::shim::{Exited, FromShim, ShimSpec, Started};
use tradewind_secrets::ring::Ring;

/// How often we look for a socket that is about to be there.
const LOOK: Duration = Duration::from_millis(5);
const LONGEST_TIDYING: Duration = Duration::from_secs(10);

/// To a shim that serves a running process.
pub struct Connection {
    pub lines: Lines<BufReader<OwnedReadHalf>>,
    pub write: OwnedWriteHalf,
}

pub enum Found {
    Running(Started, Connection),
    Exited(Exited),
    Nothing,
}

impl ProcessTarget {
    /// What runs or ran in the folder. Where a process has no shim, it gets one.
    pub(super) async fn find(&self, dir: &Path) -> Result<Found, Error> {
        if let Some(exited) = read_exited(dir)? {
            return Ok(Found::Exited(exited));
        }
        if !dir.join(folder::SPEC).exists() {
            return Ok(Found::Nothing);
        }
        if !is_served(dir)? {
            if read_started(dir)?.is_none() {
                return Ok(Found::Nothing);
            }
            self.launch(dir).await?;
        }
        self.settled(dir).await
    }

    /// After a launcher has returned, or while another's shim holds the folder.
    pub(super) async fn settled(&self, dir: &Path) -> Result<Found, Error> {
        loop {
            if let Some(exited) = read_exited(dir)? {
                return Ok(Found::Exited(exited));
            }
            if let Some((started, connection)) = connect(dir).await {
                return Ok(Found::Running(started, connection));
            }
            if !is_served(dir)? {
                // Its shim has ended just now, or was killed.
                match (read_exited(dir)?, read_started(dir)?) {
                    (Some(exited), _) => return Ok(Found::Exited(exited)),
                    (None, None) => return Ok(Found::Nothing),
                    (None, Some(_)) => self.launch(dir).await?,
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns when the folder is settled, or served by another shim.
    pub(super) async fn launch(&self, dir: &Path) -> Result<(), Error> {
        let handed = match handed::kept(dir, self.keys.as_deref()) {
            Ok(handed) => handed,
            Err(error) => {
                // Its shim has to do without; it says so, and stores nothing that it cannot mask.
                tracing::error!(dir = %dir.display(), %error, "a shim is not given the secrets of its process");
                None
            }
        };
        let Some(lock) = lock_to_serve(dir).await? else { return Ok(()) };
        let mut command = tokio::process::Command::new(&self.exe);
        command
            .args(&self.args)
            .arg(dir)
            .env_clear()
            // mimalloc would round every shim up to a huge page.
            .env("MIMALLOC_ALLOW_THP", "0")
            .stdin(if handed.is_some() { Stdio::piped() } else { Stdio::null() })
            // Should we die from here on, our successor finds the folder served until it is settled.
            .stdout(lock.hand_over())
            .stderr(Stdio::piped());
        let failed = |source| Error::Launch { exe: self.exe.clone(), source };
        let mut child = command.spawn().map_err(failed)?;
        drop(command);
        if let (Some(mut stdin), Some(handed)) = (child.stdin.take(), handed) {
            let plain = zeroize::Zeroizing::new(serde_json::to_vec(&handed).expect("text is JSON"));
            // One that is busy or broken reads nothing, and says so by its exit code.
            let _ = stdin.write_all(&plain).await;
        }
        let done = child.wait_with_output().await.map_err(failed)?;
        match done.status.code() {
            Some(0 | crate::shim::BUSY) => Ok(()),
            _ => {
                let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
                let reason = if said.is_empty() { done.status.to_string() } else { said };
                Err(Error::Shim { dir: dir.to_owned(), reason })
            }
        }
    }
}

/// Clears what an ended process left and writes the new spec.
pub async fn begin_anew(dir: &Path, spec: &ShimSpec, keys: Option<Arc<Ring>>, handed: Handed) -> Result<(), Error> {
    let (dir, spec) = (dir.to_owned(), ShimSpec { secrets: !handed.is_empty(), ..spec.clone() });
    blocking(move || {
        let failed = || Error::folder(&dir);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed())?;
        // While we hold it no shim can start here, and none is at work.
        let _lock = lock_when_ended(&dir)?.ok_or_else(|| Error::Running(dir.clone()))?;
        if read_exited(&dir)?.is_none() && read_started(&dir)?.is_some() {
            // Nobody has recorded how it ended: that comes first, even when it is gone.
            return Err(Error::Running(dir.clone()));
        }
        // The record of the end goes last: killed in between, we leave an ended process, not an unknown one.
        for name in [folder::STARTED, folder::STOP, folder::EXIT] {
            folder::remove(&dir.join(name)).map_err(failed())?;
        }
        handed::keep(&dir, keys.as_deref(), &handed).map_err(|source| Error::Handed { dir: dir.clone(), source })?;
        folder::write(&dir, folder::SPEC, &spec).map_err(failed())
    })
    .await
}

async fn lock_to_serve(dir: &Path) -> Result<Option<folder::Lock>, Error> {
    let dir = dir.to_owned();
    blocking(move || folder::lock_to_serve(&dir).map_err(Error::folder(&dir))).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down: nobody waits for us any more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// A shim that has recorded the end has only to tidy up before it goes.
fn lock_when_ended(dir: &Path) -> Result<Option<folder::Lock>, Error> {
    let begun = procfs::uptime();
    loop {
        let lock = folder::lock(dir).map_err(Error::folder(dir))?;
        if lock.is_some() || read_exited(dir)?.is_none() || procfs::uptime() > begun + LONGEST_TIDYING {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub fn read_exited(dir: &Path) -> Result<Option<Exited>, Error> {
    folder::read(&dir.join(folder::EXIT)).map_err(Error::folder(dir))
}

pub fn read_started(dir: &Path) -> Result<Option<Started>, Error> {
    folder::read(&dir.join(folder::STARTED)).map_err(Error::folder(dir))
}

fn is_served(dir: &Path) -> Result<bool, Error> {
    Ok(folder::lock(dir).map_err(Error::folder(dir))?.is_none())
}

/// `None` when nobody listens, or nobody who greets as a shim does.
async fn connect(dir: &Path) -> Option<(Started, Connection)> {
    // Through the folder's descriptor: a path may be too long for a socket's address.
    let folder = File::open(dir).ok()?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{}", folder.as_raw_fd(), folder::SOCKET));
    let (read, write) = UnixStream::connect(path).await.ok()?.into_split();
    let mut lines = BufReader::new(read).lines();
    let greeting = lines.next_line().await.ok()??;
    match serde_json::from_str(&greeting).ok()? {
        FromShim::Started(started) => Some((started, Connection { lines, write })),
        FromShim::Exited(_) => None,
    }
}
