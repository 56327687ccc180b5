//! What is on the disk, by kind. What a collection would free is the collector's to say.

use crate::{App, http::Refusal};
use rustix::fs::statvfs;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tradewind_api::v1::{self, StoredAs};
use tradewind_control::housekeeping::{self, Collected, Last, Outcome};
use tradewind_store::Backend;

pub async fn look(app: &App) -> Result<v1::Storage, Refusal> {
    let due = app.collector.due().await?;
    let (bytes, files) = match app.store.backend() {
        Backend::Postgres => (Some(app.store.bytes().await?), None),
        Backend::Sqlite => (None, Some(PathBuf::from(app.config.database_at()))),
    };
    let config = app.config.clone();
    let measured = tokio::task::spawn_blocking(move || {
        let data = &config.data;
        let walked = [
            (StoredAs::JobLogs, config.logs()),
            (StoredAs::Sources, config.repositories()),
            (StoredAs::Hosts, data.join("agent")),
            (StoredAs::Logs, data.join("log")),
        ];
        let mut kinds: Vec<_> = walked.into_iter().map(|(kind, folder)| (kind, Sum::of(&folder))).collect();
        kinds.extend(files.map(|at| (StoredAs::Database, Sum::named(&at))));
        kinds.extend(config.backups.as_ref().map(|b| (StoredAs::Backups, Sum::of(&b.to))));
        (kinds, disk(data))
    });
    let (mut kinds, disk) = measured.await.map_err(Refusal::internal)?;
    kinds.push((StoredAs::Releases, due.releases.into()));
    kinds.push((StoredAs::Artifacts, due.artifacts.into()));
    let mut kinds: Vec<_> =
        kinds.into_iter().map(|(kind, s)| v1::StoredKind { kind, bytes: s.bytes, files: Some(s.files) }).collect();
    kinds.extend(bytes.map(|bytes| v1::StoredKind { kind: StoredAs::Database, bytes, files: None }));
    kinds.sort_by_key(|k| (std::cmp::Reverse(k.bytes), k.kind));
    let last = app.collector.last();
    Ok(v1::Storage {
        measured_at: app.store.now().into(),
        disk,
        kinds,
        due: freed(due.sum()),
        artifacts_kept_s: housekeeping::ARTIFACTS.as_secs(),
        next_at: app.collector.next_at().map(Into::into),
        last: last.map(collection),
    })
}

pub fn freed(c: Collected) -> v1::Collected {
    let Collected { artifacts, artifact_bytes, uploads, upload_bytes } = c;
    v1::Collected { artifacts, artifact_bytes, uploads, upload_bytes }
}

fn collection(last: Last) -> v1::Collection {
    let (done, held, error) = match last.outcome {
        Outcome::Done(done) => (done, false, None),
        Outcome::Held => (Collected::default(), true, None),
        Outcome::Failed(why) => (Collected::default(), false, Some(why)),
    };
    let took_ms = u64::try_from(last.took.as_millis()).unwrap_or(u64::MAX);
    v1::Collection { at: last.at.into(), took_ms, by: last.by, freed: freed(done), held, error }
}

pub fn disk(folder: &Path) -> Option<v1::Disk> {
    let disk = statvfs(folder).ok()?;
    Some(v1::Disk { bytes: disk.f_blocks * disk.f_frsize, free_bytes: disk.f_bavail * disk.f_frsize })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sum {
    bytes: u64,
    files: u64,
}

impl From<(u64, u64)> for Sum {
    fn from((bytes, files): (u64, u64)) -> Self {
        Self { bytes, files }
    }
}

impl Sum {
    /// Of a folder with all below it. What vanishes meanwhile, or cannot be read, is not counted: this is for people. No link
    /// is followed.
    fn of(folder: &Path) -> Self {
        let mut sum = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(meta) = entry.metadata() else { continue };
                if meta.is_dir() {
                    folders.push(entry.path());
                } else if meta.is_file() {
                    sum.bytes += meta.len();
                    sum.files += 1;
                }
            }
        }
        sum
    }

    /// Of a file with what stands beside it under its name: a log, copies from before an upgrade.
    fn named(file: &Path) -> Self {
        let mut sum = Self::default();
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return sum };
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let ours = entry.file_name().as_encoded_bytes().starts_with(name.as_encoded_bytes());
            if let (true, Ok(meta)) = (ours, entry.metadata()) {
                sum.bytes += meta.len();
                sum.files += 1;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_summed_without_what_links_lead_to() {
        let tmp = tempfile::tempdir().unwrap();
        let at = |name: &str| tmp.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("a/one"), "12345").unwrap();
        fs::write(at("a/b/two"), "123").unwrap();
        fs::write(at("big"), [0; 1_000]).unwrap();
        std::os::unix::fs::symlink(at("big"), at("a/link")).unwrap();
        std::os::unix::fs::symlink(tmp.path(), at("a/round")).unwrap();
        assert_eq!(Sum::of(&at("a")), Sum { bytes: 8, files: 2 });
        assert_eq!(Sum::of(&at("nothing")), Sum::default());
        fs::write(at("big-wal"), "12").unwrap();
        assert_eq!(Sum::named(&at("big")), Sum { bytes: 1_002, files: 2 });
    }
}
