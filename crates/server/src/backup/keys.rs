//! The keys, locked with a passphrase as one file of the backup: file names and contents, as JSON, under the lock.

use super::{BackupError, KEYS, LOCKED_KEYS, archive, faults, take};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path},
};
use tradewind_model::{fault::Fault, said};
use tradewind_secrets::locked::{self, LockError};

/// By the path below the data folder; base64.
type Files = BTreeMap<String, String>;

/// What is in `keys/` of the data folder, locked.
pub fn lock(data: &Path, passphrase: &str) -> Result<Vec<u8>, BackupError> {
    let mut files = Files::new();
    take::walk(&data.join(KEYS), KEYS, &take::is_key, &mut |path, name| {
        let content = fs::read(path).map_err(BackupError::file("read", path))?;
        files.insert(name.to_owned(), STANDARD.encode(content));
        Ok(())
    })?;
    let plain = serde_json::to_vec(&files).map_err(|e| BackupError::file("pack", data)(e.into()))?;
    locked::lock(passphrase, &plain).map_err(BackupError::Lock)
}

/// Opens what was unpacked, to see whether it does, and lays the keys down where `lay` says so.
///
/// # Errors
/// [`faults::PASSPHRASE`].
pub fn unlock(unpacked: &Path, passphrase: Option<&str>, lay: bool) -> Result<(), BackupError> {
    let path = unpacked.join(LOCKED_KEYS);
    let sealed = match fs::read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        sealed => sealed.map_err(BackupError::file("read", &path))?,
    };
    let refused = |why| Fault::new(&faults::PASSPHRASE).with("why", why);
    let Some(passphrase) = passphrase else {
        return if lay { Err(refused(said!("no passphrase was given", "没有提供口令")).into()) } else { Ok(()) };
    };
    let wrong = |e: LockError| {
        refused(match e {
            LockError::WrongPassphrase => said!("another passphrase, or damaged", "口令不符，或已损坏"),
            LockError::NotLocked | LockError::NoRandom(_) | LockError::NoKey(_) => said!("{e}", "{e}", e = e),
        })
    };
    let plain = locked::unlock(passphrase, &sealed).map_err(wrong)?;
    let files: Files = serde_json::from_slice(&plain).map_err(|_| wrong(LockError::NotLocked))?;
    for (name, content) in files.iter().filter(|_| lay) {
        let plain = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
        let content = STANDARD.decode(content).ok().filter(|_| plain && name.starts_with("keys/"));
        let content = content.ok_or_else(|| wrong(LockError::NotLocked))?;
        archive::lay(&unpacked.join(name), &mut &*content, 0)?;
    }
    if lay { fs::remove_file(&path).map_err(BackupError::file("remove", &path)) } else { Ok(()) }
}
