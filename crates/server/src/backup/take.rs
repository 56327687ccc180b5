//! A backup, made beside everything that goes on.

use super::{
    BLOBS, BackupError, DATABASE, FORM, GIT, Head, KEYS, Keys, LOCKED_KEYS, LOGS, Manifest, SETTINGS, Tell,
    archive::{Scratch, Writer},
    faults, keys,
};
use bytes::Bytes;
use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::Arc,
};
use tokio::sync::mpsc;
use tradewind_api::v1::Time;
use tradewind_control::{ctx::Asker, secrets::vault::KeySource};
use tradewind_model::{event::NewEvent, fault::Fault, time::SystemClock};
use tradewind_store::{Backend, Hold, Store, StoreError, events, transact};

/// A copy of the database, while it is packed; what a kill left of one goes with the next.
const STAGING: &str = "backup-";
/// Pieces on their way to a reader.
const PIECES: usize = 8;
const PIECE: usize = 256 << 10;

/// What was made.
#[derive(Debug)]
pub struct Made<W> {
    pub manifest: Manifest,
    pub out: W,
}

/// Writes a backup of the data folder `data` to `out`, and the event that tells of it. The server may run or not.
///
/// # Errors
/// [`faults::POSTGRES`]; where a file cannot be read, or `out` takes no more. What `out` has then is no backup: its end is
/// missing.
pub async fn take<W: Write + Send + 'static>(
    store: &Store,
    data: &Path,
    vault: &KeySource,
    wanted: Keys,
    out: W,
    tell: Tell,
    by: &Asker,
) -> Result<Made<W>, BackupError> {
    if store.backend() != Backend::Sqlite {
        return Err(Fault::new(&faults::POSTGRES).into());
    }
    let run = data.join("run");
    let held = Hold::of(data).to_copy().await.map_err(BackupError::file("hold", data))?;
    sweep(&run);
    let staging = Scratch::below(&run, STAGING)?;
    let copy = staging.0.join("tradewind.db");
    store.copy_to(&copy).await?;
    let head = head_of(&copy).await?;
    let vault_elsewhere = match vault {
        KeySource::Text(_) => true,
        KeySource::File(path) => path.parent() != Some(&*data.join(KEYS)),
    };
    let mut manifest = Manifest {
        form: FORM,
        made_at: Time(store.now()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: Store::schema(),
        head,
        keys: wanted.kind(),
        vault_elsewhere,
        files: Default::default(),
    };
    let data = data.to_owned();
    let packed = tokio::task::spawn_blocking(move || {
        let _held = held;
        let mut writer = Writer::new(out, tell).map_err(BackupError::file("pack", &data))?;
        writer.file(&copy, DATABASE)?;
        drop(staging);
        pack(&mut writer, &data, &wanted)?;
        manifest.files = std::mem::take(&mut writer.files);
        let out = writer.finish(&manifest).map_err(BackupError::file("finish the backup of", &data))?;
        Ok::<_, BackupError>(Made { manifest, out })
    });
    let made = packed.await.map_err(BackupError::Ended)??;
    tell_of(store, &made.manifest, by).await?;
    Ok(made)
}

/// The same as a stream, without the keys: they never leave the host this way. It breaks off where something fails.
pub fn stream(store: Store, data: &Path, vault: &KeySource, by: Asker) -> mpsc::Receiver<Result<Bytes, io::Error>> {
    let (pieces, taken) = mpsc::channel(PIECES);
    let (data, vault, failing) = (data.to_owned(), vault.clone(), pieces.clone());
    tokio::spawn(async move {
        let out = io::BufWriter::with_capacity(PIECE, Pieces(pieces));
        let done = take(&store, &data, &vault, Keys::LeftOut, out, Box::new(|_| {}), &by).await;
        if let Err(e) = done {
            tracing::error!(error = &e as &dyn std::error::Error, "a backup broke off");
            let _ = failing.send(Err(io::Error::other(e))).await;
        }
    });
    taken
}

struct Pieces(mpsc::Sender<Result<Bytes, io::Error>>);

impl Write for Pieces {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes it any more");
        self.0.blocking_send(Ok(Bytes::copy_from_slice(buf))).map_err(gone)?;
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn head_of(copy: &Path) -> Result<Head, StoreError> {
    let store = Store::open_to_read(&copy.to_string_lossy(), Arc::new(SystemClock)).await?;
    let (seq, hash) = events::head(&mut store.read().await?).await?;
    store.close().await;
    Ok(Head { seq, hash })
}

async fn tell_of(store: &Store, manifest: &Manifest, by: &Asker) -> Result<(), StoreError> {
    transact!(store, tx => {
            tx.event(NewEvent {
                after: Some(serde_json::json!({
                    "head": manifest.head,
                    "files": manifest.files.len(),
                    "bytes": manifest.bytes(),
                    "keys": manifest.keys,
                })),
    ..by.event("admin.backup_made", "installation/backup")})
            .await?;
            Ok(())
        })
}

fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            drop(Scratch(entry.path()));
        }
    }
}

fn pack<W: Write>(writer: &mut Writer<W>, data: &Path, wanted: &Keys) -> Result<(), BackupError> {
    writer.file(&data.join(SETTINGS), SETTINGS)?;
    // Half-written blobs have a `#` in their names, large ones are elsewhere until they are whole.
    folder(writer, &data.join(BLOBS), BLOBS, &|name| name != "incoming" && !name.contains('#'))?;
    folder(writer, &data.join(LOGS), LOGS, &|_| true)?;
    for repository in names(&data.join(GIT))?.into_iter().filter(|n| n.ends_with(".git")) {
        let (path, name) = (data.join(GIT).join(&repository), format!("{GIT}/{repository}"));
        // What refs name was there before them, so they go first.
        folder(writer, &path, &name, &|n| n != "objects" && !n.ends_with(".lock"))?;
        let whole = |n: &str| !n.starts_with("tmp_") && !n.starts_with("incoming-") && !n.ends_with(".lock");
        folder(writer, &path.join("objects"), &format!("{name}/objects"), &whole)?;
    }
    match wanted {
        Keys::LeftOut => Ok(()),
        Keys::Open => folder(writer, &data.join(KEYS), KEYS, &is_key),
        Keys::Locked(passphrase) => writer.bytes(LOCKED_KEYS, &keys::lock(data, passphrase)?),
    }
}

/// Not one that is being written.
pub fn is_key(name: &str) -> bool {
    !name.starts_with('.') && !name.ends_with(".new")
}

fn folder<W: Write>(
    writer: &mut Writer<W>,
    path: &Path,
    name: &str,
    ours: &dyn Fn(&str) -> bool,
) -> Result<(), BackupError> {
    walk(path, name, ours, &mut |path, name| writer.file(path, name))
}

/// Plain files below a folder, with their names in the backup; links and sockets are none of ours. `ours` says which names.
pub fn walk(
    path: &Path,
    name: &str,
    ours: &dyn Fn(&str) -> bool,
    found: &mut dyn FnMut(&Path, &str) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    for entry in names(path)?.iter().filter(|n| ours(n)) {
        let (path, name) = (path.join(entry), format!("{name}/{entry}"));
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => walk(&path, &name, ours, found)?,
            Ok(meta) if meta.is_file() => found(&path, &name)?,
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(BackupError::file("look at", &path)(e)),
        }
    }
    Ok(())
}

/// Sorted; none where there is no such folder.
fn names(path: &Path) -> Result<Vec<String>, BackupError> {
    let listed = match fs::read_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => {
            listed.and_then(|all| all.map(|e| Ok(e?.file_name().into_string().ok())).collect::<io::Result<Vec<_>>>())
        }
    };
    let mut names: Vec<String> = listed.map_err(BackupError::file("list", path))?.into_iter().flatten().collect();
    names.sort();
    Ok(names)
}
