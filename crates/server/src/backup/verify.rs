//! Whether a backup would bring everything back: each file as it was, the database sound, its event log whole, and all that
//! the database names at hand.

use super::{
    BLOBS, BackupError, DATABASE, GIT, KeysKind, LOCKED_KEYS, Manifest, Tell,
    archive::{self, Scratch},
    faults, keys,
};
use crate::git::Repos;
use serde::Serialize;
use std::{fs::File, io::BufReader, path::Path, sync::Arc};
use tradewind_api::v1::Time;
use tradewind_control::{Ctx, housekeeping};
use tradewind_model::{
    fault::{self, Fault},
    id::Digest,
    said,
    said::Said,
    time::SystemClock,
};
use tradewind_store::{Store, events, rows};

/// What was found.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    pub made_at: Time,
    /// Of the program that made it.
    pub version: String,
    pub schema: i64,
    pub head: super::Head,
    pub files: u64,
    pub bytes: u64,
    /// Events that are as they were written.
    pub events: i64,
    pub releases: u64,
    pub repositories: u64,
    pub keys: KeysKind,
    /// The vault's key was in no file of the data folder.
    pub vault_elsewhere: bool,
}

/// Reads all of it. The database and the repositories are laid into a folder beside the file for as long as it takes.
pub async fn verify(file: &Path, passphrase: Option<&str>, tell: Tell) -> Result<Report, BackupError> {
    let beside = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch = Scratch::below(beside, ".tradewind-verify-")?;
    let keep = |name: &str| name == DATABASE || name == LOCKED_KEYS || name.starts_with("git/");
    let manifest = unpack(file, &scratch.0, keep, tell).await?;
    keys::unlock(&scratch.0, passphrase, false)?;
    let (report, store) = check(&scratch.0, manifest).await?;
    store.close().await;
    Ok(report)
}

/// Lays what `keep` names below `into`.
pub async fn unpack(
    file: &Path,
    into: &Path,
    keep: impl Fn(&str) -> bool + Send + 'static,
    tell: Tell,
) -> Result<Manifest, BackupError> {
    let (file, into) = (file.to_owned(), into.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let open = File::open(&file).map_err(BackupError::file("open", &file))?;
        archive::read(BufReader::with_capacity(1 << 20, open), &into, keep, tell)
    });
    read.await.map_err(BackupError::Ended)?
}

/// Looks through what was unpacked. The store is open: one of an earlier program has been brought up to date.
pub async fn check(unpacked: &Path, manifest: Manifest) -> Result<(Report, Store), BackupError> {
    let incomplete = |what: Said| BackupError::Refused(Fault::new(&faults::INCOMPLETE).with("what", what));
    if !manifest.files.contains_key(DATABASE) {
        return Err(incomplete(said!("the database itself", "数据库本身")));
    }
    let path = unpacked.join(DATABASE);
    let store = Store::open(&path.to_string_lossy(), Arc::new(SystemClock)).await?;
    store.examine().await?;
    let chain = events::verify(&mut store.read().await?, Vec::new()).await?;
    let broken = |what: Said| BackupError::Refused(Fault::new(&faults::CHAIN).with("what", what));
    if let Some(found) = chain.broken {
        return Err(broken(Said::plain(format!("{found:?}"))));
    }
    let end = events::head(&mut store.read().await?).await?;
    if end != (manifest.head.seq, manifest.head.hash) {
        let said = said!(
            "it ends at {found}, not at {listed}",
            "它止于 {found}，而不是 {listed}",
            found = end.0,
            listed = manifest.head.seq
        );
        return Err(broken(said));
    }
    let ctx = Ctx::new(store.clone());
    let held =
        |blob: &Digest| manifest.files.contains_key(&format!("{BLOBS}/sha256/{}/{}", &blob.hex()[..2], blob.hex()));
    let needed = housekeeping::needed(&ctx).await.map_err(|e| match e {
        tradewind_control::Error::Refused(fault) => BackupError::Refused(*fault),
        tradewind_control::Error::Store(e) => e.into(),
    })?;
    if let Some(missing) = needed.iter().find(|blob| !held(blob)) {
        return Err(incomplete(said!("the artifact {digest}", "产物 {digest}", digest = missing)));
    }
    // A blob is named by what is in it.
    let misnamed = manifest.files.iter().find(|(name, entry)| {
        name.strip_prefix("blobs/sha256/").is_some_and(|n| n.rsplit('/').next() != Some(&*entry.sha256.hex()))
    });
    if let Some((name, _)) = misnamed {
        let what = said!("{name} holds something else", "{name} 的内容不符", name = name);
        return Err(Fault::new(&faults::DAMAGED).with("what", what).into());
    }
    let repositories = repositories(unpacked, &store, &incomplete).await?;
    let releases = rows::releases::bundles(&mut store.read().await?).await?.len() as u64;
    let report = Report {
        made_at: manifest.made_at,
        schema: manifest.schema,
        head: manifest.head,
        files: manifest.files.len() as u64,
        bytes: manifest.bytes(),
        events: chain.intact,
        releases,
        repositories,
        keys: manifest.keys,
        vault_elsewhere: manifest.vault_elsewhere,
        version: manifest.version,
    };
    Ok((report, store))
}

/// Git finds everything that a ref names, and there is the commit of every run that goes on.
async fn repositories(
    unpacked: &Path,
    store: &Store,
    incomplete: &impl Fn(Said) -> BackupError,
) -> Result<u64, BackupError> {
    let root = unpacked.join(GIT);
    let failed = |service: &dyn std::fmt::Display, why: String| {
        incomplete(said!("the repository of {service}: {why}", "{service} 的仓库：{why}", service = service, why = why))
    };
    let repos = Repos::new(root.clone(), unpacked.join("no-hooks"));
    if root.is_dir() {
        for service in repos.services().map_err(BackupError::file("list", &root))? {
            repos.examine(&service).await.map_err(|e| failed(&service, fault::chain(&e)))?;
        }
    }
    for run in rows::runs::unfinished(&mut store.read().await?).await? {
        let there = repos.exists(&run.service) && repos.has(&run.service, &run.commit).await.unwrap_or(false);
        if !there {
            return Err(failed(&run.service, format!("commit {}", run.commit)));
        }
    }
    let count = if root.is_dir() { repos.services().map_err(BackupError::file("list", &root))?.len() } else { 0 };
    Ok(count as u64)
}
