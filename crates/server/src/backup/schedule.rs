//! Backups by the clock: made, read through, and only then kept; the oldest beyond the number asked for go. It takes no input:
//! what is in the folder says when the next one is due, so neither a restart nor another program's backup confuses it.

use super::{BackupError, Keys, take, verify};
use crate::{App, backup::archive::Scratch};
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};
use tradewind_api::v1::Time;
use tradewind_control::{ctx::Asker, rounds::Loop};
use tradewind_model::{event::NewEvent, fault, time::Timestamp};
use tradewind_store::{StoreError, transact};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(60);
/// Before one that failed is tried again.
const AGAIN: Duration = Duration::from_secs(600);
const BEFORE: &str = "tradewind-";
const BEHIND: &str = ".tar.zst";
/// `20261122T220000Z`.
const STAMP: usize = 16;

/// When, where to, and how many.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub every: Duration,
    /// A folder, better on another disk.
    pub to: PathBuf,
    /// At least 1.
    pub keep: usize,
    /// Its first line locks the keys; without it they are left out.
    pub passphrase: Option<PathBuf>,
}

/// Until it is dropped.
pub async fn run(app: App, schedule: Schedule) {
    let mut failing = false;
    loop {
        let done = once(&app, &schedule).await;
        app.ctx.rounds.note(Loop::Backups, app.ctx.now(), AGAIN, &done);
        match done {
            Ok(None) => {}
            Ok(Some(file)) => {
                failing = false;
                tracing::info!(file = %file.display(), "backed up");
            }
            Err(e) => {
                tracing::error!(error = &e as &dyn std::error::Error, "a scheduled backup failed");
                // Told once, until one succeeds.
                if !std::mem::replace(&mut failing, true)
                    && let Err(e) = tell_of(&app, &e).await
                {
                    tracing::error!(error = %fault::chain(&e), "that could not be told");
                }
            }
        }
        tokio::time::sleep(if failing { AGAIN } else { LOOK }).await;
    }
}

/// Makes one where it is due; its file.
pub async fn once(app: &App, schedule: &Schedule) -> Result<Option<PathBuf>, BackupError> {
    let (now, to) = (app.store.now(), &schedule.to);
    DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(BackupError::file("make", to))?;
    if there(to)?.last().is_some_and(|newest| *newest > name(now.minus(schedule.every))) {
        return Ok(None);
    }
    let passphrase = match &schedule.passphrase {
        None => None,
        Some(file) => {
            let text = fs::read_to_string(file).map_err(BackupError::file("read", file))?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        }
    };
    let keys = passphrase.clone().map_or(Keys::LeftOut, Keys::Locked);
    // In a folder of its own: what a kill leaves behind goes with the next one.
    sweep(to);
    let making = Scratch::below(to, MAKING)?;
    let half = making.0.join(name(now));
    let cannot = || BackupError::file("write", &half);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half).map_err(cannot())?;
    let out = BufWriter::with_capacity(1 << 20, file);
    let by = Asker::system("backup");
    let made = take(&app.store, &app.config.data, &app.config.vault, keys, out, Box::new(|_| {}), &by).await?;
    let mut out = made.out;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(cannot())?;
    verify(&half, passphrase.as_deref(), Box::new(|_| {})).await?;
    let file = to.join(name(now));
    fs::rename(&half, &file).map_err(cannot())?;
    fs::File::open(to).and_then(|f| f.sync_all()).map_err(cannot())?;
    let all = there(to)?;
    for old in &all[..all.len().saturating_sub(schedule.keep.max(1))] {
        let old = to.join(old);
        fs::remove_file(&old).map_err(BackupError::file("remove", &old))?;
    }
    Ok(Some(file))
}

const MAKING: &str = ".making-";

fn sweep(to: &Path) {
    for entry in fs::read_dir(to).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(MAKING) {
            drop(Scratch(entry.path()));
        }
    }
}

/// In the order of time.
fn name(at: Timestamp) -> String {
    let stamp: String = at.to_rfc3339().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{BEFORE}{stamp}Z{BEHIND}")
}

/// Our own names, oldest first; whatever else is in the folder is none of ours.
fn there(to: &Path) -> Result<Vec<String>, BackupError> {
    let is_ours = |name: &String| {
        let stamp = name.strip_prefix(BEFORE).and_then(|n| n.strip_suffix(BEHIND)).unwrap_or_default();
        stamp.len() == STAMP
            && stamp.bytes().enumerate().all(|(n, b)| match n {
                8 => b == b'T',
                15 => b == b'Z',
                _ => b.is_ascii_digit(),
            })
    };
    let listed = fs::read_dir(to).and_then(|all| {
        all.map(|e| Ok(e?.file_name().into_string().ok())).collect::<io::Result<Vec<Option<String>>>>()
    });
    let mut names: Vec<String> =
        listed.map_err(BackupError::file("list", to))?.into_iter().flatten().filter(is_ours).collect();
    names.sort();
    Ok(names)
}

/// A backup that the schedule keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    pub name: String,
    pub at: Timestamp,
    pub bytes: u64,
}

/// Newest first; none where the folder cannot be read.
pub fn kept(to: &Path) -> Vec<Kept> {
    let mut kept: Vec<_> = there(to).unwrap_or_default();
    kept.reverse();
    let of = |name: String| {
        let bytes = fs::metadata(to.join(&name)).ok()?.len();
        Some(Kept { at: stamped(&name)?, name, bytes })
    };
    kept.into_iter().filter_map(of).collect()
}

/// When it was made, by its name.
fn stamped(name: &str) -> Option<Timestamp> {
    let part = |from: usize, to: usize| name.get(BEFORE.len() + from..BEFORE.len() + to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(9, 11)?,
        part(11, 13)?,
        part(13, 15)?
    );
    serde_json::from_value::<Time>(text.into()).ok().map(|t| t.0)
}

async fn tell_of(app: &App, why: &BackupError) -> Result<(), StoreError> {
    let fault = why.fault();
    transact!(app.store, tx => {
        tx.event(NewEvent {
            kind: "admin.backup_failed".into(),
            schema: 1,
            actor: Asker::system("backup").actor,
            subject: "installation/backup".into(),
            cause: None,
            service: None,
            env: None,
            before: None,
            after: Some(serde_json::json!({ "code": fault.code.id, "why": fault.said().en() })),
        })
        .await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_it_was_made() {
        let at = Timestamp(1_700_000_000_000_000);
        assert_eq!(stamped(&name(at)), Some(at));
        assert_eq!(stamped("tradewind-20261122T"), None);
    }
}
