//! A run's folder: what the agent and the shim leave for each other in it.

use rustix::fs::{FlockOperation, flock};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
    time::Duration,
};

pub const SPEC: &str = "spec.json";
pub const STARTED: &str = "started.json";
pub const EXIT: &str = "exit.json";
/// The stop under way, so that a new shim goes on with it.
pub const STOP: &str = "stop.json";
/// Held by the shim as long as it lives, by the agent while it clears the folder, and by the agent before it starts a
/// shim, which it hands the lock: whoever finds it free knows that nothing is being started.
pub const LOCK: &str = "shim.lock";
/// What the process was given in memory, sealed; see [`crate::handed`].
pub const SECRETS: &str = "secrets.sealed";
pub const SOCKET: &str = "ctl.sock";
pub const LOG: &str = "log";
/// The FIFOs that are the process's stdout and stderr.
pub const PIPES: [&str; 2] = ["stdout", "stderr"];
/// Blocks set aside at the start, so that the end is recorded on a full disk too.
const RESERVE: &str = "exit.json.new";
const RESERVED: usize = 4096;

/// `None` when there is no such file.
pub fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Writes `dir/name` whole: whoever reads it sees all of it or none.
pub fn write<T: Serialize>(dir: &Path, name: &str, value: &T) -> io::Result<()> {
    let new = dir.join(format!("{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.sync_data()?;
    fs::rename(&new, dir.join(name))
}

pub fn reserve_exit(dir: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(dir.join(RESERVE))?;
    file.write_all(&[b' '; RESERVED])
}

/// Writes `exit.json` into the blocks that [`reserve_exit`] set aside; a longer record takes new ones.
pub fn write_exit<T: Serialize>(dir: &Path, value: &T) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(dir.join(RESERVE))?;
    let json = serde_json::to_vec(value)?;
    file.write_all(&json)?;
    file.set_len(json.len() as u64)?;
    file.sync_data()?;
    fs::rename(dir.join(RESERVE), dir.join(EXIT))?;
    File::open(dir)?.sync_all()
}

/// Removes what is there; a missing file is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Held until it is dropped, or its holder dies.
pub struct Lock(Option<OwnedFd>);

impl Lock {
    /// For a child that is about to be started with it: the lock is held without a gap until the child lets it go too.
    pub fn hand_over(mut self) -> OwnedFd {
        self.0.take().expect("only we take it, once")
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Said aloud: a child that another thread is just forking holds a copy of the descriptor for a moment.
        if let Some(file) = &self.0 {
            let _ = flock(file, FlockOperation::Unlock);
        }
    }
}

/// `None` when a shim (or an agent that is clearing the folder) holds it.
pub fn lock(dir: &Path) -> io::Result<Option<Lock>> {
    take(
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK))?.into(),
    )
}

/// The same for one who is about to serve the folder: those who only look whether it is served hold it for a moment.
pub fn lock_to_serve(dir: &Path) -> io::Result<Option<Lock>> {
    for _ in 0..10 {
        if let Some(lock) = lock(dir)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(None)
}

/// The lock that a starter holds by `handed`, which may as well be any other file: then it is taken anew.
pub fn lock_handed(dir: &Path, handed: impl AsFd) -> io::Result<Option<Lock>> {
    let here = fs::symlink_metadata(dir.join(LOCK)).ok().map(|m| (m.dev(), m.ino()));
    let there = rustix::fs::fstat(&handed)?;
    if here == Some((there.st_dev, there.st_ino)) {
        // One more name for what the starter has locked, so that this does not fail while the starter holds it.
        take(rustix::io::fcntl_dupfd_cloexec(&handed, 3)?)
    } else {
        lock_to_serve(dir)
    }
}

fn take(file: OwnedFd) -> io::Result<Option<Lock>> {
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock(Some(file)))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
