//! A backup becomes a data folder: checked whole before anything is in its place.

use super::{
    BackupError, DATABASE, GIT, KEYS, LOGS, Report, Tell,
    archive::Scratch,
    faults, keys,
    verify::{check, unpack},
};
use std::{
    fs::{self, DirBuilder, Permissions},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};
use tradewind_control::ctx::Asker;
use tradewind_model::{event::NewEvent, fault::Fault};
use tradewind_store::{Store, StoreError, rows, transact};

/// A host refuses a desired state that is numbered below the one it holds, and so it should: what is older is late. After a
/// restore the rows are older and count all the same. So every number goes up by more than a server gives out in years, and
/// none stands for two states.
const LEAP: i64 = 1 << 32;
const UNPACKING: &str = ".restoring-";
/// A file system of its own may have it.
const NOT_IN_THE_WAY: &str = "lost+found";
const FOLDERS: [&str; 4] = ["blobs", LOGS, GIT, KEYS];

/// Lays the backup `file` into `data`, which is empty or not there. The folder appears as a data folder (it has a `run/`) at
/// the very end; what comes before it is unpacked and checked beside it.
///
/// # Errors
/// [`faults::NOT_EMPTY`], [`faults::PASSPHRASE`], and those of [`super::verify`]: nothing is in place then.
pub async fn restore(
    file: &Path,
    data: &Path,
    passphrase: Option<&str>,
    tell: Tell,
    by: &Asker,
) -> Result<Report, BackupError> {
    let cannot = BackupError::file;
    DirBuilder::new().recursive(true).mode(0o711).create(data).map_err(cannot("make", data))?;
    for entry in fs::read_dir(data).map_err(cannot("list", data))? {
        let name = entry.map_err(cannot("list", data))?.file_name();
        if name != NOT_IN_THE_WAY {
            let taken = Fault::new(&faults::NOT_EMPTY).with("data", data.display());
            return Err(taken.with("entry", name.to_string_lossy()).into());
        }
    }
    let scratch = Scratch::below(data, UNPACKING)?;
    let at = scratch.0.clone();
    let manifest = unpack(file, &at, |_| true, tell).await?;
    keys::unlock(&at, passphrase, true)?;
    let (report, store) = check(&at, manifest).await?;
    tell_of(&store, &report, by).await?;
    store.close().await;
    put_in_place(&at, data)?;
    Ok(report)
}

async fn tell_of(store: &Store, report: &Report, by: &Asker) -> Result<(), StoreError> {
    transact!(store, tx => {
            let hosts = rows::observed::leap(tx, LEAP).await?;
            tx.event(NewEvent {
                after: Some(serde_json::json!({
                    "made_at": report.made_at, "version": report.version, "head": report.head, "hosts": hosts,
                })),
    ..by.event("admin.restored", "installation/backup")})
            .await?;
            Ok(())
        })
}

fn put_in_place(at: &Path, data: &Path) -> Result<(), BackupError> {
    let cannot = BackupError::file;
    let database = at.join(DATABASE);
    if let Some(folder) = database.parent() {
        for entry in fs::read_dir(folder).map_err(cannot("list", folder))? {
            let entry = entry.map_err(cannot("list", folder))?;
            // Room set aside is set aside anew.
            if !entry.file_name().to_string_lossy().ends_with(".reserve") {
                fs::rename(entry.path(), data.join(entry.file_name())).map_err(cannot("move", &entry.path()))?;
            }
        }
    }
    for name in FOLDERS.into_iter().chain(["config.yaml"]) {
        let (from, to) = (at.join(name), data.join(name));
        if from.exists() {
            fs::rename(&from, &to).map_err(cannot("move", &from))?;
        }
    }
    for name in FOLDERS {
        let folder = data.join(name);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(cannot("make", &folder))?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(cannot("close", &folder))?;
    }
    fs::set_permissions(data, Permissions::from_mode(0o711)).map_err(cannot("open", data))?;
    // From here on it is a data folder.
    let run = data.join("run");
    DirBuilder::new().mode(0o700).create(&run).map_err(cannot("make", &run))?;
    fs::File::open(data).and_then(|d| d.sync_all()).map_err(cannot("sync", data))
}
