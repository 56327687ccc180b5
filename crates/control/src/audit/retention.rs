//! How long events are kept, where not for ever. Only a beginning of the chain is ever taken away, up to a signed
//! checkpoint, which stays as what the rest follows; and an event in the rest tells of it.
//!
//! In that order, so that a death in between loses nothing: the archive is on the disk; the event is written, with what
//! is to go; it is sealed; then the rows go. Who verifies in between finds everything there.

use super::Audit;
use crate::{Result, rounds::Loop};
use serde_json::json;
use std::{
    fs, io,
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tradewind_audit::{Mark, chain::PRUNED, line};
use tradewind_model::event::{Actor, NewEvent};
use tradewind_store::{
    StoreError, events, rows,
    rows::audit::{Anchor, Kept},
    transact,
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3_600);
/// Between telling of a cut and making it, while the event is not sealed.
const SOON: Duration = Duration::from_secs(2);
/// Events taken away in one go: others wait for that transaction.
const MOST: i64 = 20_000;
/// Events written to an archive in one go.
const PART: u32 = 500;

#[derive(Debug, thiserror::Error)]
#[error("the archive {path} could not be written")]
struct ArchiveError {
    path: String,
    #[source]
    source: io::Error,
}

/// What a step of it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Nothing,
    /// A cut was told of: up to this number.
    Told(i64),
    /// It was made.
    Cut(i64),
}

impl Audit {
    /// Runs until it is dropped.
    pub async fn retention(self) {
        loop {
            let done = self.prune().await;
            self.ctx.rounds.note(Loop::Retention, self.ctx.now(), EVERY, &done);
            let pause = match done {
                Ok(Step::Nothing) => EVERY,
                Ok(Step::Told(_) | Step::Cut(_)) => SOON,
                Err(e) => {
                    tracing::error!(error = &e as &dyn std::error::Error, "events past their time were not taken away");
                    EVERY
                }
            };
            tokio::time::sleep(pause.min(self.settings.keep.unwrap_or(EVERY))).await;
        }
    }

    /// The next step of taking away what is past its time.
    pub async fn prune(&self) -> Result<Step> {
        let mut r = self.ctx.store.read().await?;
        let anchor = rows::audit::anchor(&mut r).await?;
        if let Some((until, told)) = anchor.next {
            // Told of, and sealed: then it is made, whatever is set now.
            return match events::get(&mut r, told).await {
                Ok(_) => self.cut(until).await,
                Err(StoreError::NotFound { .. }) => Ok(Step::Told(until)),
                Err(e) => Err(e.into()),
            };
        }
        let Some(keep) = self.settings.keep else { return Ok(Step::Nothing) };
        let before = self.ctx.now().minus(keep);
        let from = anchor.mark.seq;
        let within = rows::audit::last_made_before(&mut r, before, from + MOST).await?.filter(|k| k.mark.seq > from);
        let next = match within {
            Some(kept) => Some(kept),
            None => rows::audit::after(&mut r, from, 1).await?.pop().filter(|k| k.made_at < before),
        };
        drop(r);
        match next {
            None => Ok(Step::Nothing),
            Some(kept) => self.tell(&anchor, &kept).await,
        }
    }

    async fn tell(&self, anchor: &Anchor, kept: &Kept) -> Result<Step> {
        let archive = match &self.settings.archive {
            None => None,
            Some(folder) => Some(self.archive(folder, anchor.mark, kept).await?),
        };
        let until = kept.mark.seq;
        transact!(self.ctx.store, tx => {
            let after = json!({ "until": until, "hash": kept.mark.hash, "archive": archive });
            let told = tx.event(NewEvent {
                kind: PRUNED.into(),
                schema: 1,
                actor: Actor::System { part: "retention".into() },
                subject: "audit/log".into(),
                cause: None,
                service: None,
                env: None,
                before: Some(json!({ "until": anchor.mark.seq })),
                after: Some(after),
            }).await?;
            rows::audit::plan_cut(tx, until, told).await?;
            Ok::<_, StoreError>(())
        })?;
        Ok(Step::Told(until))
    }

    async fn cut(&self, until: i64) -> Result<Step> {
        let mut r = self.ctx.store.read().await?;
        let at = rows::audit::after(&mut r, until - 1, 1).await?.pop().filter(|k| k.mark.seq == until);
        drop(r);
        let Some(at) = at else {
            let what = format!("the checkpoint at {until}, behind which the log is to begin");
            return Err(StoreError::NotFound { what }.into());
        };
        let gone: Result<u64, StoreError> = transact!(self.ctx.store, tx => rows::audit::cut(tx, at.mark).await);
        tracing::info!(until, events = gone?, "events past their time were taken away");
        Ok(Step::Cut(until))
    }

    /// Every event of the cut as a line, between the checkpoints at its ends: `tradewind audit verify --file` reads it.
    /// Its name.
    async fn archive(&self, folder: &Path, from: Mark, kept: &Kept) -> Result<String> {
        let name = format!("events-{:012}-{:012}.jsonl", from.seq + 1, kept.mark.seq);
        let failed = |source| {
            let path = folder.join(&name).display().to_string();
            StoreError::Io {
                what: "events past their time are kept".into(),
                source: ArchiveError { path, source }.into(),
            }
        };
        let half = folder.join(format!(".{name}.part"));
        let mut out = BufWriter::new(create(folder, &half).map_err(failed)?);
        if from.seq > 0 {
            let mut r = self.ctx.store.read().await?;
            for begin in rows::audit::after(&mut r, from.seq - 1, 1).await? {
                writeln!(out, "{}", line::checkpoint(&begin.note)).map_err(failed)?;
            }
        }
        let mut seq = from.seq;
        while seq < kept.mark.seq {
            let part = events::audit::whole_part(&mut self.ctx.store.read().await?, seq, PART).await?;
            for event in part.iter().take_while(|e| e.seq <= kept.mark.seq) {
                writeln!(out, "{}", line::write(event)).map_err(failed)?;
            }
            match part.last() {
                Some(last) => seq = last.seq,
                None => return Err(failed(io::ErrorKind::UnexpectedEof.into()).into()),
            }
        }
        writeln!(out, "{}", line::checkpoint(&kept.note)).map_err(failed)?;
        let written = out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|f| f.sync_all());
        let placed = written
            .and_then(|()| fs::rename(&half, folder.join(&name)))
            .and_then(|()| fs::File::open(folder)?.sync_all());
        placed.map_err(failed)?;
        Ok(name)
    }
}

fn create(folder: &Path, half: &PathBuf) -> io::Result<fs::File> {
    fs::create_dir_all(folder)?;
    fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(half)
}
