//! Logs of jobs, as files that grow. A piece is sent with its offset and may be sent again: what is there already is
//! compared by position, not written twice.

use bytes::Bytes;
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use tradewind_model::id::TaskId;

use crate::error::{Result, StoreError};

/// Log files in one folder. Clones share it.
#[derive(Clone, Debug)]
pub struct Logs {
    folder: PathBuf,
}

/// What became of a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Appended {
    /// The log's size now.
    Upto(u64),
    /// There is nothing before this piece yet: send on from here.
    Gap { size: u64 },
}

impl Logs {
    /// A folder, made where it does not exist.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|e| StoreError::io(format!("{} cannot be used", folder.display()), e))?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn path(&self, task: TaskId) -> PathBuf {
        self.folder.join(format!("{task}.log"))
    }

    /// Puts `piece` at `offset`; the part of it that is there already is left as it is.
    pub async fn append(&self, task: TaskId, offset: u64, piece: Bytes) -> Result<Appended> {
        let path = self.path(task);
        blocking(path.clone(), move || {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            let size = file.metadata()?.len();
            let Some(known) = size.checked_sub(offset) else { return Ok(Appended::Gap { size }) };
            let fresh = usize::try_from(known).ok().and_then(|known| piece.get(known..)).unwrap_or_default();
            // By position, so that two senders of the same piece cannot put it there twice.
            file.write_all_at(fresh, size)?;
            Ok(Appended::Upto(size + fresh.len() as u64))
        })
        .await
    }

    /// Makes what was appended last through a power failure. For the end of a job.
    pub async fn sync(&self, task: TaskId) -> Result<()> {
        let path = self.path(task);
        blocking(path.clone(), move || match File::open(&path) {
            Ok(file) => file.sync_all(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        })
        .await
    }

    /// At most `limit` bytes from `offset`; none past the end or where there is no log.
    pub async fn read(&self, task: TaskId, offset: u64, limit: usize) -> Result<Bytes> {
        let path = self.path(task);
        blocking(path.clone(), move || {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Bytes::new()),
                Err(e) => return Err(e),
            };
            let rest = file.metadata()?.len().saturating_sub(offset);
            let mut piece = vec![0; limit.min(usize::try_from(rest).unwrap_or(usize::MAX))];
            file.read_exact_at(&mut piece, offset)?;
            Ok(piece.into())
        })
        .await
    }

    /// Bytes; 0 where there is no log.
    pub async fn size(&self, task: TaskId) -> Result<u64> {
        let path = self.path(task);
        blocking(path.clone(), move || match fs::metadata(&path) {
            Ok(meta) => Ok(meta.len()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(e),
        })
        .await
    }

    /// Deleting what is not there is no error.
    pub async fn delete(&self, task: TaskId) -> Result<()> {
        let path = self.path(task);
        blocking(path.clone(), move || match fs::remove_file(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(path: PathBuf, f: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(f).await.unwrap_or_else(|e| Err(io::Error::other(e)));
    done.map_err(|e| StoreError::io(format!("the log {} cannot be used", path.display()), e))
}
