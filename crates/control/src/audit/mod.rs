//! The event log proved to others: signed checkpoints of it, where they go, and what the log says of itself.
//!
//! A checkpoint is made when enough was sealed since the last one, or when something was and enough time has passed
//! ([`notary`]); a key in the data folder signs it ([`keys`]); it is sent elsewhere ([`sinks`]). Reading everything and
//! comparing it with every checkpoint is [`verify`]; what is past its time is taken away by [`retention`].

pub mod keys;
pub mod notary;
pub mod retention;
pub mod sinks;
pub mod verify;

pub use sinks::Sink;

use crate::{Ctx, Result};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::Duration,
};
use tokio::sync::watch;
use tradewind_api::v1;
use tradewind_audit::{Checkpoint, Note, Signer, Verifier};
use tradewind_model::id::Digest;
use tradewind_store::{Reader, events, rows, rows::audit::Kept};

/// What is set about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Events sealed since the last checkpoint that call for another.
    pub events: u32,
    /// How long anything sealed may be without a checkpoint.
    pub interval: Duration,
    /// Where checkpoints are sent; of each kind one at most.
    pub sinks: Vec<Sink>,
    /// How long events are kept; none: for ever.
    pub keep: Option<Duration>,
    /// Where events go before they are taken away.
    pub archive: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { events: 1_000, interval: Duration::from_secs(600), sinks: Vec::new(), keep: None, archive: None }
    }
}

/// Clones share everything.
#[derive(Clone)]
pub struct Audit {
    ctx: Ctx,
    settings: Arc<Settings>,
    /// `keys/` of the data folder.
    folder: Arc<PathBuf>,
    signer: Arc<RwLock<Arc<Signer>>>,
    /// The number of the last checkpoint that was made here.
    made: watch::Sender<i64>,
    /// One round at a time: two would send twice, and one would write down what the other has overtaken.
    round: Arc<tokio::sync::Mutex<()>>,
}

impl Audit {
    /// Reads the key in `keys`, or makes the first one, and introduces one that was put there.
    ///
    /// # Errors
    /// Where the folder cannot be used or holds something else under the key's name.
    pub async fn open(ctx: Ctx, keys: &Path, settings: Settings) -> Result<Self, keys::KeyError> {
        let signer = keys::load(&ctx.store, keys).await?;
        let (settings, folder) = (Arc::new(settings), Arc::new(keys.to_owned()));
        Ok(Self {
            ctx,
            settings,
            folder,
            signer: Arc::new(RwLock::new(Arc::new(signer))),
            made: watch::Sender::new(0),
            round: Arc::default(),
        })
    }

    fn signer(&self) -> Arc<Signer> {
        self.signer.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// The public half of the key that signs now.
    pub fn verifier(&self) -> Verifier {
        self.signer().verifier().clone()
    }

    /// Newest first, below `seq`.
    pub async fn checkpoints(&self, below: i64, limit: u32) -> Result<Vec<v1::Checkpoint>> {
        let found = rows::audit::before(&mut self.ctx.store.read().await?, below, limit).await?;
        Ok(found.into_iter().map(view).collect())
    }

    /// Oldest first.
    pub async fn keys(&self) -> Result<Vec<v1::AuditKey>> {
        keys::list(&self.ctx.store, &self.signer()).await
    }

    pub async fn status(&self) -> Result<v1::AuditStatus> {
        let mut r = self.ctx.store.read().await?;
        let head = events::audit::head(&mut r).await?;
        Ok(v1::AuditStatus {
            log: log(&mut r).await?,
            head: (head.seq > 0).then_some(v1::ChainHead { seq: head.seq, hash: head.hash }),
            pruned: rows::audit::anchor(&mut r).await?.mark.seq,
            checkpoint: rows::audit::newest(&mut r).await?.map(view),
            key: self.signer().verifier().to_string(),
            keep_s: self.settings.keep.map(|k| k.as_secs()),
            sinks: self.sinks_view(rows::audit::sinks(&mut r).await?),
        })
    }
}

pub(crate) fn view(kept: Kept) -> v1::Checkpoint {
    let Kept { mark, made_at, note } = kept;
    v1::Checkpoint { seq: mark.seq, hash: mark.hash, at: made_at.into(), note }
}

/// Which log this is: its first event's hash, which checkpoints remember when the event is gone.
pub async fn log(r: &mut impl Reader) -> Result<Option<Digest>> {
    if let Some(first) = events::audit::first(r).await? {
        return Ok(Some(first));
    }
    let newest = rows::audit::newest(r).await?;
    let read = |kept: Kept| Checkpoint::read(&kept.note.parse::<Note>().ok()?).ok();
    Ok(newest.and_then(read).map(|c| c.log))
}
