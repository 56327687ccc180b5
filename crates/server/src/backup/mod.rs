//! Copies of the whole control plane: made while it works ([`take`]; by the clock, [`schedule`]), read through ([`verify`]), put
//! into an empty folder ([`restore`]).
//!
//! A backup is one `tar.zst`. In it, in this order: the database as of one moment, the settings, then what the database
//! names (artifacts, logs, repositories: refs before objects), the keys if they go along, and last the manifest with a
//! SHA-256 of each file. What the database names was there before the database was copied and is not thrown away until the
//! copy is whole ([`Hold`](tradewind_store::Hold)), so a copy lacks nothing; what comes later is merely too much.
//!
//! Not in it: what a host keeps (`agent/`, `edge/`: releases are fetched again, tables composed again) and the services' own
//! data (`agent/data/`), which is theirs to back up.

mod archive;
pub mod faults;
mod keys;
mod restore;
pub mod schedule;
mod take;
mod verify;

pub use restore::restore;
pub use schedule::Schedule;
pub use take::{Made, stream, take};
pub use verify::{Report, verify};

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, path::Path};
use tradewind_api::v1::Time;
use tradewind_model::{fault::Fault, id::Digest};
use tradewind_secrets::locked::LockError;
use tradewind_store::StoreError;

/// The form this program writes, and the newest it reads.
const FORM: u32 = 1;

const DATABASE: &str = "database/tradewind.db";
const MANIFEST: &str = "manifest.json";
const SETTINGS: &str = "config.yaml";
const LOCKED_KEYS: &str = "keys.locked";
/// Folders that go along as they are, but for what is half-made in them.
const BLOBS: &str = "blobs";
const LOGS: &str = "job-logs";
const GIT: &str = "git";
const KEYS: &str = "keys";

/// What becomes of the keys: whoever has them can open every secret in the database.
#[derive(Clone, PartialEq, Eq)]
pub enum Keys {
    LeftOut,
    /// For anybody who can read the backup.
    Open,
    /// Only with this passphrase.
    Locked(String),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.kind(), f)
    }
}

impl Keys {
    pub fn kind(&self) -> KeysKind {
        match self {
            Self::LeftOut => KeysKind::LeftOut,
            Self::Open => KeysKind::Open,
            Self::Locked(_) => KeysKind::Locked,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysKind {
    LeftOut,
    Open,
    Locked,
}

/// Where the event log ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    pub seq: i64,
    pub hash: Digest,
}

/// What is in a backup; its last file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub form: u32,
    pub made_at: Time,
    /// The program's.
    pub version: String,
    /// The database's last step.
    pub schema: i64,
    pub head: Head,
    pub keys: KeysKind,
    /// The vault's key is in no file below `keys/`, so it is not in here in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vault_elsewhere: bool,
    /// By path.
    pub files: BTreeMap<String, Entry>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Bytes.
    pub size: u64,
    pub sha256: Digest,
}

impl Manifest {
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|f| f.size).sum()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0}")]
    Refused(Fault),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{what}")]
    File { what: String, source: io::Error },
    #[error("a task of the backup ended badly")]
    Ended(#[source] tokio::task::JoinError),
    #[error("the keys cannot be locked")]
    Lock(#[source] LockError),
}

impl From<Fault> for BackupError {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl BackupError {
    fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{doing} {}", path.display());
        move |source| Self::File { what, source }
    }

    /// As a person is told.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Refused(fault) => fault.clone(),
            Self::Store(e) => e.fault(),
            Self::File { what, source } => Fault::new(&faults::CANNOT).with("what", what).with("why", source),
            Self::Ended(e) => Fault::new(&faults::CANNOT).with("what", self).with("why", e),
            Self::Lock(e) => Fault::new(&faults::CANNOT).with("what", self).with("why", e),
        }
    }
}

/// How far it is: for people who wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    pub files: u64,
    /// Bytes before they are packed.
    pub bytes: u64,
}

/// Told now and then.
pub type Tell = Box<dyn FnMut(Progress) + Send>;
