//! What the edge keeps in the data folder: its last table and the key of client ids.

use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use tradewind_model::{id::InstanceId, protocol::edge::Table};

/// Where things are in the data folder. Nothing else builds these paths.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    pub fn at(data: impl Into<PathBuf>) -> Self {
        Self(data.into())
    }

    pub fn create(&self) -> io::Result<()> {
        for (name, mode) in [("", 0o755), ("edge", 0o700), ("run", 0o755), ("log", 0o755)] {
            DirBuilder::new().recursive(true).mode(mode).create(self.0.join(name))?;
        }
        Ok(())
    }

    pub fn table(&self) -> PathBuf {
        self.0.join("edge/table.json")
    }
    /// With their keys: for the edge's eyes alone, so that one that is started without an agent has them.
    pub fn certificates(&self) -> PathBuf {
        self.0.join("edge/certificates.json")
    }
    pub fn client_id_key(&self) -> PathBuf {
        self.0.join("edge/client-id.key")
    }
    /// For the agent.
    pub fn control(&self) -> PathBuf {
        self.0.join("run/edge.sock")
    }
    /// Where the worker gives its listening sockets to a new holder.
    pub fn holder(&self) -> PathBuf {
        self.0.join("run/edge-holder.sock")
    }
    pub fn lock(&self) -> PathBuf {
        self.0.join("run/edge.lock")
    }
    pub fn processes(&self) -> PathBuf {
        self.0.join("run/edge.json")
    }
    pub fn access_log(&self) -> PathBuf {
        self.0.join("log/edge-access.log")
    }
}

/// The table as it is kept: with what was known of its targets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    pub table: Table,
    /// Targets that failed their checks.
    #[serde(default)]
    pub failing: Vec<InstanceId>,
}

/// `None` when no table was ever kept.
pub fn load_table(path: &Path) -> io::Result<Option<Kept>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

pub fn keep_table(path: &Path, kept: &Kept) -> io::Result<()> {
    replace(path, &serde_json::to_vec(kept)?, 0o600)
}

/// Writes the whole file beside, makes it durable, and puts it in the old one's place.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = beside(path);
    let result = write_durably(&beside, bytes, mode).and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        drop(fs::remove_file(&beside));
        return result;
    }
    sync_folder_of(path)
}

/// The key client ids are authenticated with: made once, 32 random bytes, for the owner alone. A damaged one is put aside
/// and made anew: clients get new ids, and an edge that did not start would serve nobody.
pub fn client_id_key(path: &Path) -> io::Result<[u8; 32]> {
    loop {
        match fs::read(path) {
            Ok(bytes) => match bytes.try_into() {
                Ok(key) => return Ok(key),
                Err(_) => {
                    tracing::error!(path = %path.display(), "the key of client ids is damaged; a new one is made");
                    fs::rename(path, path.with_extension("damaged"))?;
                }
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let beside = beside(path);
        write_durably(&beside, &key, 0o600)?;
        // The first of several processes wins; the others read its key.
        let linked = fs::hard_link(&beside, path);
        fs::remove_file(&beside)?;
        match linked {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => sync_folder_of(path)?,
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    name.into()
}

fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = client_id_key(&path).unwrap();
        assert_eq!(client_id_key(&path).unwrap(), key);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::write(&path, b"short").unwrap();
        let anew = client_id_key(&path).unwrap();
        assert!(anew != key && client_id_key(&path).unwrap() == anew);
        assert_eq!(fs::read(path.with_extension("damaged")).unwrap(), b"short");
    }

    #[test]
    fn a_table_that_cannot_be_written_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.json");
        assert!(load_table(&path).unwrap().is_none());
        let kept = |version| Kept { table: Table { version, ..Table::default() }, failing: Vec::new() };
        keep_table(&path, &kept(1)).unwrap();
        assert_eq!(load_table(&path).unwrap().unwrap().table.version, 1);
        // The place of the new file is taken by a folder.
        fs::create_dir(beside(&path)).unwrap();
        assert!(keep_table(&path, &kept(2)).is_err());
        assert_eq!(load_table(&path).unwrap().unwrap().table.version, 1);
    }
}
