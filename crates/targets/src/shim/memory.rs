//! A folder on a file system in memory, for secrets that are files: the process's own, and gone with it.

use crate::handed::Handed;
use rustix::fs::{Mode, OFlags, mkdir, openat, statfs};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};
use tradewind_model::protocol::shim::User;

/// Looked at in this order.
pub const IN_MEMORY: [&str; 2] = ["/run", "/dev/shm"];
const TMPFS: i64 = 0x0102_1994;
const RAMFS: i64 = 0x8584_58f6;

/// Where those of a run's folder are: the same for every shim of it.
fn place(root: &Path, dir: &Path) -> PathBuf {
    let name = hex::encode(&Sha256::digest(dir.as_os_str().as_encoded_bytes())[..12]);
    root.join(name)
}

/// Below a file system in memory, that of all secrets handed out by this user.
pub fn of_user(base: &Path) -> PathBuf {
    base.join(format!("tradewind-secrets-{}", rustix::process::geteuid().as_raw()))
}

/// The places where they could be that are in memory.
pub fn in_memory() -> impl Iterator<Item = &'static str> {
    IN_MEMORY.into_iter().filter(|base| statfs(*base).is_ok_and(|s| matches!(s.f_type, TMPFS | RAMFS)))
}

/// Ours alone; others may pass through to what is theirs.
fn root() -> Result<PathBuf, String> {
    let me = rustix::process::geteuid().as_raw();
    let mut why = "neither /run nor /dev/shm is a file system in memory".to_owned();
    for base in in_memory() {
        let root = of_user(Path::new(base));
        match mkdir(&root, Mode::from_raw_mode(0o711)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(e) => {
                why = format!("{}: {e}", root.display());
                continue;
            }
        }
        // Somebody else may have been there first.
        match fs::symlink_metadata(&root) {
            Ok(found) if found.is_dir() && found.uid() == me && found.mode() & 0o022 == 0 => {
                // Whatever the umask was.
                let passable = fs::set_permissions(&root, std::os::unix::fs::PermissionsExt::from_mode(0o711));
                match passable {
                    Ok(()) => return Ok(root),
                    Err(e) => why = format!("{}: {e}", root.display()),
                }
            }
            Ok(_) => why = format!("{} belongs to somebody else", root.display()),
            Err(e) => why = format!("{}: {e}", root.display()),
        }
    }
    Err(why)
}

/// Writes the files; `None` where there are none.
pub fn fill(dir: &Path, handed: &Handed, user: Option<User>) -> Result<Option<PathBuf>, String> {
    clear(dir);
    if handed.files.is_empty() {
        return Ok(None);
    }
    let memory = place(&root()?, dir);
    let filled = write(&memory, handed, user);
    if filled.is_err() {
        clear(dir);
    }
    filled.map(|()| Some(memory.clone())).map_err(|e| format!("{}: {e}", memory.display()))
}

fn write(memory: &Path, handed: &Handed, user: Option<User>) -> io::Result<()> {
    mkdir(memory, Mode::from_raw_mode(0o700))?;
    let folder = rustix::fs::open(memory, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for (name, file) in &handed.files {
        let mut out = File::from(openat(&folder, name.as_str(), new, Mode::from_raw_mode(0o400))?);
        out.write_all(file.value.expose().as_bytes())?;
        if let Some(user) = user {
            std::os::unix::fs::fchown(&out, Some(user.uid), Some(user.gid))?;
        }
    }
    // Last, so that nobody else has a say in the folder while it is filled.
    match user {
        Some(user) => chown(memory, Some(user.uid), Some(user.gid)),
        None => Ok(()),
    }
}

/// Removes them; whoever was killed before may have left some.
pub fn clear(dir: &Path) {
    let me = rustix::process::geteuid().as_raw();
    for base in IN_MEMORY {
        let memory = place(&PathBuf::from(base).join(format!("tradewind-secrets-{me}")), dir);
        let _ = fs::remove_dir_all(memory);
    }
}
