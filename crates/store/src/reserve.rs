//! Room set aside beside a SQLite file, so that a full disk does not keep a rollback from being written down.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Enough for the rows and events of some hundred transactions.
const BYTES: u64 = 16 << 20;

pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".reserve");
        Self { path: path.into() }
    }

    /// Gives the room up; true where there was any.
    pub async fn spend(&self) -> bool {
        let path = self.path.clone();
        let spent = tokio::task::spawn_blocking(move || fs::remove_file(path)).await;
        let spent = matches!(spent, Ok(Ok(())));
        if spent {
            tracing::warn!("the disk is full: the room set aside for rollbacks is used now; free some");
        }
        spent
    }

    /// Sets the room aside where that leaves as much again to others.
    pub async fn refill(&self) {
        let path = self.path.clone();
        let done =
            tokio::task::spawn_blocking(move || refill(&path)).await.unwrap_or_else(|e| Err(io::Error::other(e)));
        if let Err(error) = done {
            tracing::warn!(%error, "no room could be set aside for rollbacks");
        }
    }
}

fn refill(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let disk = rustix::fs::statvfs(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < 2 * BYTES {
        return Ok(());
    }
    let mut half = path.as_os_str().to_owned();
    half.push(".part");
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    let done = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, BYTES)
        .map_err(io::Error::from)
        .and_then(|()| fs::rename(&half, path));
    if done.is_err() {
        fs::remove_file(&half)?;
    }
    done
}
