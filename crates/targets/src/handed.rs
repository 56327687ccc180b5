//! Secrets on their way into a process, and what is kept of them for the next shim.
//!
//! The agent writes them into the standard input of the shim that it starts; no file and no argument vector holds them
//! in the clear. So that a shim which takes over can mask what its predecessor masked, and a crash can be made good without the
//! server, they lie in the run's folder sealed under a key of the host.

use crate::folder;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io, path::Path};
use tradewind_model::{protocol::secret::Handover, secret::FOLDER_VARIABLE};
use tradewind_secrets::{
    BadValue, Value,
    mask::Masks,
    ring::{Context, KeyId, Ring, RingError, Sealed},
};

/// Values by the variable that holds them, and by the file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Handed {
    pub variables: BTreeMap<String, Value>,
    pub files: BTreeMap<String, InFile>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InFile {
    /// What the process finds the file's path in.
    pub variable: String,
    pub value: Value,
}

#[derive(Debug, thiserror::Error)]
pub enum HandedError {
    #[error("the host has no key to keep secrets with")]
    NoKey,
    #[error("what is kept of its secrets cannot be used: {0}")]
    Sealed(#[from] RingError),
    #[error("what is kept of its secrets cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Handed {
    /// # Errors
    /// Of a value that no process can be given.
    pub fn of(handover: Handover) -> Result<Self, BadValue> {
        let mut handed = Self::default();
        for one in handover.values {
            let value = Value::new(one.value)?;
            match one.used.file {
                Some(file) => drop(handed.files.insert(file, InFile { variable: one.used.variable, value })),
                None => drop(handed.variables.insert(one.used.variable, value)),
            }
        }
        Ok(handed)
    }

    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.files.is_empty()
    }

    pub(crate) fn masks(&self) -> Masks {
        let files = self.files.values().map(|f| &f.value);
        Masks::new(self.variables.values().chain(files).map(Value::expose))
    }

    /// What the environment has more: values, and paths of files in this folder.
    pub(crate) fn environment(&self, memory: Option<&Path>) -> BTreeMap<String, String> {
        let mut env: BTreeMap<_, _> =
            self.variables.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
        if let Some(memory) = memory {
            env.insert(FOLDER_VARIABLE.into(), memory.display().to_string());
            env.extend(
                self.files.iter().map(|(file, f)| (f.variable.clone(), memory.join(file).display().to_string())),
            );
        }
        env
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    key: KeyId,
    sealed: String,
}

/// A run's folder is what it is kept for: it opens nowhere else.
fn place(dir: &Path) -> String {
    dir.display().to_string()
}

/// In the run's folder, for later shims; nothing where there is nothing.
pub fn keep(dir: &Path, keys: Option<&Ring>, handed: &Handed) -> Result<(), HandedError> {
    if handed.is_empty() {
        return Ok(forget(dir)?);
    }
    let keys = keys.ok_or(HandedError::NoKey)?;
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(handed)?);
    let Sealed { key, bytes } = keys.seal(Context(&["handed", &place(dir)]), &plain)?;
    Ok(folder::write(dir, folder::SECRETS, &Kept { key, sealed: hex::encode(bytes) })?)
}

/// What was kept; `None` where nothing was.
pub fn kept(dir: &Path, keys: Option<&Ring>) -> Result<Option<Handed>, HandedError> {
    let Some(Kept { key, sealed }) = folder::read(&dir.join(folder::SECRETS))? else { return Ok(None) };
    let bytes = hex::decode(sealed).map_err(|_| RingError::Damaged)?;
    let keys = keys.ok_or(HandedError::NoKey)?;
    let plain = keys.open(Context(&["handed", &place(dir)]), &Sealed { key, bytes })?;
    Ok(Some(serde_json::from_slice(&plain)?))
}

pub fn forget(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(folder::SECRETS)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
