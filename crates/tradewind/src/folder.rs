//! The data folder: where things are in it, who may read them, and who owns it.

use crate::{faults, process::Identity};
use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tradewind_model::fault::Fault;

/// Paths of sockets are at most 107 bytes; the longest of ours below the folder is `/run/edge.sock`. The agent's
/// deeper ones are reached through their folder.
const MAX_LEN: usize = 90;

/// What may stand in a folder before its first start.
const OWN: &[&str] = &[crate::config::file::NAME, "lost+found"];

#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes what is missing. Instances walk through the folder to their own files, so it can be entered but not
    /// listed; everything of the control plane's is closed to them.
    pub fn create(root: &Path) -> anyhow::Result<Self> {
        let fault = |e: &io::Error| Fault::new(&faults::FOLDER).with("data", root.display()).with("reason", e);
        if root.as_os_str().len() > MAX_LEN {
            return Err(Fault::new(&faults::FOLDER_TOO_LONG)
                .with("len", root.as_os_str().len())
                .with("max", MAX_LEN)
                .into());
        }
        if let Some(parent) = root.parent() {
            fs::create_dir_all(parent).map_err(|e| fault(&e))?;
        }
        match DirBuilder::new().mode(0o711).create(root) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Self::refuse_foreign(root)?,
            Err(e) => return Err(fault(&e).into()),
        }
        let folder = Self { root: root.canonicalize().map_err(|e| fault(&e))? };
        fs::set_permissions(&folder.root, Permissions::from_mode(0o711)).map_err(|e| fault(&e))?;
        for (dir, mode) in [
            ("run", 0o700),
            ("run/roles", 0o700),
            ("log", 0o700),
            ("keys", 0o700),
            ("blobs", 0o700),
            ("git", 0o700),
            ("edge", 0o700),
            ("agent", 0o711),
        ] {
            let path = folder.root.join(dir);
            match DirBuilder::new().mode(mode).create(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(fault(&e).into()),
            }
            fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(|e| fault(&e))?;
        }
        Ok(folder)
    }

    /// An existing data folder.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let none = || Fault::new(&faults::NO_FOLDER).with("data", root.display());
        let full = root.canonicalize().map_err(|_| none())?;
        if !full.join("run").is_dir() {
            return Err(none().into());
        }
        Ok(Self { root: full })
    }

    fn refuse_foreign(root: &Path) -> anyhow::Result<()> {
        let fault =
            |e: &dyn std::fmt::Display| Fault::new(&faults::FOLDER).with("data", root.display()).with("reason", e);
        let meta = fs::metadata(root).map_err(|e| fault(&e))?;
        if !meta.is_dir() {
            return Err(fault(&"it is not a folder").into());
        }
        let me = rustix::process::geteuid().as_raw();
        if meta.uid() != me {
            return Err(fault(&format!("it belongs to user {}, and this is user {me}", meta.uid())).into());
        }
        if root.join("run").is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(root).map_err(|e| fault(&e))? {
            let name = entry.map_err(|e| fault(&e))?.file_name();
            if !OWN.iter().any(|o| name == *o) {
                return Err(Fault::new(&faults::FOLDER_NOT_OURS)
                    .with("data", root.display())
                    .with("entry", name.to_string_lossy())
                    .into());
            }
        }
        Ok(())
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
    pub fn run(&self, file: &str) -> PathBuf {
        self.root.join("run").join(file)
    }
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("log").join(format!("{name}.log"))
    }
    pub fn agent(&self) -> PathBuf {
        self.root.join("agent")
    }

    /// Takes the lock of a name for as long as the returned file lives; the kernel lets go of it at any kind of
    /// death. `None`: another process has it.
    pub fn lock(&self, name: &str) -> io::Result<Option<File>> {
        let path = self.run(&format!("{name}.lock"));
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Replaces `run/FILE` as a whole.
    pub fn write_run<T: Serialize>(&self, file: &str, value: &T) -> anyhow::Result<()> {
        let path = self.run(file);
        let fresh = self.run(&format!("{file}.{}", std::process::id()));
        let write = || -> io::Result<()> {
            let mut f = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
            f.write_all(&serde_json::to_vec_pretty(value)?)?;
            f.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().with_context(|| format!("writing {}", path.display()))
    }

    /// `None` when there is none, or when it is not understood: these files only describe what runs, and what runs
    /// is found without them too.
    pub fn read_run<T: DeserializeOwned>(&self, file: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.run(file)).ok()?).ok()
    }

    pub fn remove_run(&self, file: &str) {
        let _ = fs::remove_file(self.run(file));
    }
}

/// `run/NAME.json`: what a supervisor or a role says about itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
pub struct Registration {
    #[serde(flatten)]
    pub identity: Identity,
    pub version: String,
    /// Digest of the settings it was started with: a supervisor adopts a role only if it would start it the same.
    pub settings: String,
    /// Where it listens; none for roles that do not.
    pub listen: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(e: &anyhow::Error) -> &'static str {
        e.downcast_ref::<Fault>().map_or("", |f| f.code.id)
    }

    #[test]
    fn what_is_the_servers_is_closed_and_the_way_to_instances_can_be_walked_but_not_listed() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path().join("a/b");
        let folder = Folder::create(&root).unwrap();
        let mode = |p: &str| fs::metadata(folder.root().join(p)).unwrap().mode() & 0o777;
        assert_eq!(
            ["", "run", "log", "keys", "blobs", "git", "edge", "agent"].map(mode),
            [0o711, 0o700, 0o700, 0o700, 0o700, 0o700, 0o700, 0o711]
        );
        Folder::create(&root).unwrap();
        assert_eq!(Folder::open(&root).unwrap().root(), folder.root());
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_refused_and_left_as_it_is() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("config.yaml"), "").unwrap();
        fs::write(tmp.path().join("thesis.doc"), "").unwrap();
        fs::set_permissions(tmp.path(), Permissions::from_mode(0o755)).unwrap();
        let e = Folder::create(tmp.path()).unwrap_err();
        assert_eq!(code(&e), "TW-UP-006");
        assert_eq!(fs::metadata(tmp.path()).unwrap().mode() & 0o777, 0o755);
        fs::remove_file(tmp.path().join("thesis.doc")).unwrap();
        Folder::create(tmp.path()).unwrap();
    }

    #[test]
    fn paths_that_leave_no_room_for_sockets_and_missing_folders_are_refused() {
        let tmp = tempfile::tempdir().unwrap();
        assert_eq!(code(&Folder::create(&tmp.path().join("x".repeat(100))).unwrap_err()), "TW-UP-007");
        assert_eq!(code(&Folder::open(&tmp.path().join("none")).unwrap_err()), "TW-UP-010");
    }

    #[test]
    fn a_lock_is_held_once() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = Folder::create(&tmp.path().join("d")).unwrap();
        let held = folder.lock("up").unwrap();
        assert!(held.is_some() && folder.lock("up").unwrap().is_none());
        drop(held);
        assert!(folder.lock("up").unwrap().is_some());
    }
}
