//! The key that signs checkpoints: a file in `keys/` of the data folder, made at the first start, replaced by hand.
//!
//! The private key is nowhere else. Every public one is in the store with the note that introduced it, which its
//! predecessor signed too: who keeps any of them can check what the others signed. A key that somebody put into the
//! folder is introduced at the next start, by an event, and by nobody else.

use super::Audit;
use crate::{Error, Result, ctx::Asker, faults};
use serde_json::json;
use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use tradewind_api::v1;
use tradewind_audit::{Introduction, Signer, Verifier, key::BadKey};
use tradewind_model::{event::NewEvent, fault::Fault, time::Timestamp};
use tradewind_store::{Store, StoreError, Tx, rows, transact};

const FILE: &str = "audit.key";
/// A key that is about to be introduced.
const NEXT: &str = "audit.key.next";

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key {} cannot be used", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is not the key that signs checkpoints", path.display())]
    NotAKey { path: PathBuf, source: BadKey },
    #[error("there is no chance to make a key from")]
    Chance(#[source] getrandom::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) async fn load(store: &Store, folder: &Path) -> Result<Signer, KeyError> {
    let known = rows::audit::keys(&mut store.read().await?).await?;
    let is_known = |s: &Signer| known.iter().any(|k| k.id == s.verifier().id().to_string());
    // A replacement that was cut short: it was told of, or it never happened.
    match read(folder, NEXT)? {
        Some(next) if is_known(&next) => take_over(folder)?,
        Some(_) => remove(folder)?,
        None => {}
    }
    let signer = match read(folder, FILE)? {
        Some(signer) => signer,
        None => {
            let (signer, text) = Signer::make(seed()?);
            write(folder, FILE, &text)?;
            signer
        }
    };
    if !is_known(&signer) {
        let by = Asker::system("audit");
        transact!(store, tx => introduce(tx, &signer, None, &by).await)?;
    }
    Ok(signer)
}

/// The public key of the data folder, for who verifies beside the server.
///
/// # Errors
/// Where the file is there and is not a key.
pub fn of_folder(folder: &Path) -> Result<Option<Verifier>, KeyError> {
    Ok(read(folder, FILE)?.map(|signer| signer.verifier().clone()))
}

fn read(folder: &Path, name: &str) -> Result<Option<Signer>, KeyError> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Signer::read(&text).map(Some).map_err(|source| KeyError::NotAKey { path, source }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyError::File { path, source }),
    }
}

fn seed() -> Result<[u8; 32], KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyError::Chance)?;
    Ok(seed)
}

/// Whole or not at all, and on the disk when it returns.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), KeyError> {
    let (path, fresh) = (folder.join(name), folder.join(".audit.key.new"));
    let written = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    written().map_err(|source| KeyError::File { path: path.clone(), source })
}

fn take_over(folder: &Path) -> Result<(), KeyError> {
    let path = folder.join(FILE);
    let renamed = fs::rename(folder.join(NEXT), &path).and_then(|()| fs::File::open(folder)?.sync_all());
    renamed.map_err(|source| KeyError::File { path, source })
}

fn remove(folder: &Path) -> Result<(), KeyError> {
    let path = folder.join(NEXT);
    fs::remove_file(&path).map_err(|source| KeyError::File { path, source })
}

/// The row and the event that tells of it.
async fn introduce(
    tx: &mut Tx,
    new: &Signer,
    former: Option<&Signer>,
    by: &Asker,
) -> Result<rows::audit::Key, StoreError> {
    let at: Timestamp = tx.now();
    let key = rows::audit::Key {
        id: new.verifier().id().to_string(),
        verifier: new.verifier().to_string(),
        introduction: Introduction::sign(new, former, at).to_string(),
        at,
    };
    rows::audit::add_key(tx, &key).await?;
    let before = former.map(|f| json!({ "key": f.verifier().to_string() }));
    let kind = if former.is_some() { "audit.key_replaced" } else { "audit.key_introduced" };
    tx.event(NewEvent {
        before,
        after: Some(json!({ "key": key.verifier })),
        ..by.event(kind, format!("audit-key/{}", key.id))
    })
    .await?;
    Ok(key)
}

pub(super) async fn list(store: &Store, current: &Signer) -> Result<Vec<v1::AuditKey>> {
    let current = current.verifier().id().to_string();
    let found = rows::audit::keys(&mut store.read().await?).await?;
    found.into_iter().map(|k| view(k, &current)).collect()
}

fn view(key: rows::audit::Key, current: &str) -> Result<v1::AuditKey> {
    let verifier: Verifier = key
        .verifier
        .parse()
        .map_err(|e: BadKey| StoreError::Corrupt { what: "a stored public key".into(), source: Some(e.into()) })?;
    Ok(v1::AuditKey {
        current: key.id == current,
        id: key.id,
        pem: verifier.pem(),
        verifier: key.verifier,
        since: key.at.into(),
        introduction: key.introduction,
    })
}

impl Audit {
    /// A new key, introduced by the old one, which is gone then. Checkpoints it signed stay good.
    ///
    /// It is on the disk before it is told of, and takes the old one's place after: a server that dies in between ends the
    /// replacement at its next start.
    ///
    /// # Errors
    /// [`faults::AUDIT_KEY`] where it cannot be written.
    pub async fn replace_key(&self, by: &Asker) -> Result<v1::AuditKey> {
        let cannot = |e: KeyError| match e {
            KeyError::Store(e) => Error::Store(e),
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "the key for checkpoints was not replaced");
                Fault::new(&faults::AUDIT_KEY).with("detail", other.to_string()).into()
            }
        };
        let former = self.signer();
        let (new, text) = Signer::make(seed().map_err(cannot)?);
        write(&self.folder, NEXT, &text).map_err(cannot)?;
        let told: Result<_, StoreError> = transact!(self.ctx.store, tx => introduce(tx, &new, Some(&former), by).await);
        let key = match told {
            Ok(key) => key,
            Err(e) => {
                remove(&self.folder).map_err(cannot)?;
                return Err(e.into());
            }
        };
        take_over(&self.folder).map_err(cannot)?;
        *self.signer.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(new);
        let id = key.id.clone();
        view(key, &id)
    }
}
