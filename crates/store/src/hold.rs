//! Nothing is thrown away while a copy is being made. Whoever collects (old artifacts, scattered git objects) takes the hold
//! together with others who do; whoever copies has it alone. A lock of the kernel's: it ends with its process.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The hold of one data folder.
#[derive(Clone, Debug)]
pub struct Hold(PathBuf);

/// For as long as it lives.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the lock ends with it")] File);

impl Hold {
    /// `data` is the data folder; it has a `run/`.
    pub fn of(data: &Path) -> Self {
        Self(data.join("run").join("hold.lock"))
    }

    fn file(&self) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.0)
    }

    /// To throw something away; `None` while a copy is being made.
    pub fn to_collect(&self) -> io::Result<Option<Held>> {
        let file = self.file()?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Held(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    /// To copy: waits for what is being collected, and for another copy.
    pub async fn to_copy(&self) -> io::Result<Held> {
        let file = self.file()?;
        let waited = tokio::task::spawn_blocking(move || file.lock().map(|()| Held(file))).await;
        waited.unwrap_or_else(|e| Err(io::Error::other(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn collectors_stand_back_while_a_copy_is_made() {
        let tmp = std::env::temp_dir().join(format!("tw-hold-{}", std::process::id()));
        std::fs::create_dir_all(tmp.join("run")).unwrap();
        let hold = Hold::of(&tmp);
        let (one, two) = (hold.to_collect().unwrap(), hold.to_collect().unwrap());
        assert!(one.is_some() && two.is_some());
        drop((one, two));
        let copying = hold.to_copy().await.unwrap();
        assert!(hold.to_collect().unwrap().is_none());
        drop(copying);
        assert!(hold.to_collect().unwrap().is_some());
        std::fs::remove_dir_all(&tmp).unwrap();
    }
}
