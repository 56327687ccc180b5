//! Files that are either the old ones or the new ones, never half of both.

mod remove;

use crate::faults;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tradewind_model::{fault::Fault, said};

/// A file operation that failed, and where.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}: {source}", path.display())]
pub struct DiskError {
    pub what: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

pub type Result<T> = std::result::Result<T, DiskError>;

/// Adds the place to an [`io::Error`].
pub trait At<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T>;
}

impl<T, E: Into<io::Error>> At<T> for std::result::Result<T, E> {
    fn at(self, what: &'static str, path: &Path) -> Result<T> {
        self.map_err(|e| DiskError { what, path: path.to_owned(), source: e.into() })
    }
}

impl From<DiskError> for Fault {
    fn from(e: DiskError) -> Self {
        Self::new(&faults::DISK).with("what", format!("{} {}", e.what, e.path.display())).with("why", e.source)
    }
}

/// What a written file has to outlive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outlives {
    /// A kill of this process: what it describes does not outlive the machine either.
    Process,
    /// A power cut.
    Machine,
}

/// Replaces `path` by `value` as JSON, readable by the agent's user only.
pub fn write_json<T: Serialize>(path: &Path, value: &T, outlives: Outlives) -> Result<()> {
    let bytes = serde_json::to_vec(value).map_err(io::Error::from).at("write", path)?;
    write(path, &bytes, 0o600, outlives)
}

/// Replaces `path` by `bytes`: written beside it, then renamed over it.
pub fn write(path: &Path, bytes: &[u8], mode: u32, outlives: Outlives) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let replace = || -> io::Result<()> {
        // A leftover of a crash may have another mode.
        let _ = fs::remove_file(&beside);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(bytes)?;
        if outlives == Outlives::Machine {
            file.sync_all()?;
        }
        drop(file);
        fs::rename(&beside, path)?;
        if outlives == Outlives::Machine {
            sync_parent(path)?;
        }
        Ok(())
    };
    replace().at("write", path)
}

/// Makes a rename in `path`'s folder outlive a power cut.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// `None` when there is no such file; a damaged one is an error.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::from).at("read", path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).at("read", path),
    }
}

/// The folder exists afterwards and has this mode, whatever the umask.
pub fn folder(path: &Path, mode: u32) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).at("create", path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).at("set the mode of", path)
}

/// Removes a folder and what is in it, however deep and whatever its modes; one that is not there is fine.
pub fn remove_folder(path: &Path) -> Result<()> {
    remove::folder(path).at("remove", path)
}

pub fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e).at("remove", path),
        _ => Ok(()),
    }
}

/// Names of the entries of a folder that is read whole; none when it is not there.
pub fn names(path: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).at("list", path),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry.at("list", path)?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Work on files, off the threads that everything else runs on.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, Fault> + Send + 'static,
) -> std::result::Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(Fault::new(&faults::DISK).with("what", said!("the work on a folder", "目录操作")).with("why", e)),
    }
}
