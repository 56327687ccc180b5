//! Throws away what nothing can need any more: job artifacts past their time, uploads that broke off, requests and login
//! codes long over. [`Collector::due`] says what a round would throw away, and a round throws away just that.
//!
//! Architecture invariant: what a release is made of is never collected, so a rollback never finds its bundle gone.

use crate::{Ctx, Result, ctx::Asker, faults, judging::usual, rounds::Loop, runs::JobBody};
use futures_util::TryStreamExt as _;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tradewind_model::{
    access::{Action, Subject},
    event::NewEvent,
    fault::{self, Fault},
    id::Digest,
    pipeline::Keep,
    time::Timestamp,
};
use tradewind_store::{
    BlobInfo, Blobs, Hold, StoreError, Tx, Unfinished,
    rows::{self, artifact_terms::Kept},
    transact,
};

/// Between two rounds.
pub const EVERY: Duration = Duration::from_secs(3_600);
/// How long artifacts are kept whose pipeline does not say.
pub const ARTIFACTS: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How long the counts a finished rollout was judged by are kept.
pub const EVIDENCE: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How long what a forge delivered is known again.
const DELIVERIES: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long a broken upload, a request's answer and a login code are kept.
pub const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What a round threw away, or would.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Collected {
    pub artifacts: u64,
    pub artifact_bytes: u64,
    pub uploads: u64,
    pub upload_bytes: u64,
}

/// What is stored and what of it is due: both by one look.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// Bytes and number of what releases are made of.
    pub releases: (u64, u64),
    /// The same of everything else that is whole.
    pub artifacts: (u64, u64),
    artifacts_due: Vec<BlobInfo>,
    uploads_due: Vec<Unfinished>,
}

impl Due {
    pub fn sum(&self) -> Collected {
        Collected {
            artifacts: self.artifacts_due.len() as u64,
            artifact_bytes: self.artifacts_due.iter().map(|b| b.size).sum(),
            uploads: self.uploads_due.len() as u64,
            upload_bytes: self.uploads_due.iter().map(|u| u.size).sum(),
        }
    }
}

/// How the last round went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Last {
    pub at: Timestamp,
    pub took: Duration,
    /// Who asked for it; nobody: it was time.
    pub by: Option<String>,
    pub outcome: Outcome,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done(Collected),
    /// A backup was being made: nothing goes meanwhile.
    Held,
    Failed(String),
}

/// Clones share everything.
#[derive(Clone)]
pub struct Collector(Arc<Inner>);

struct Inner {
    ctx: Ctx,
    blobs: Blobs,
    hold: Hold,
    /// One round at a time: two would count the same things.
    turn: tokio::sync::Mutex<()>,
    last: Mutex<Option<Last>>,
    /// When the last round ended that came by itself.
    turned: Mutex<Option<Timestamp>>,
}

impl Collector {
    pub fn new(ctx: Ctx, blobs: Blobs, hold: Hold) -> Self {
        Self(Arc::new(Inner {
            ctx,
            blobs,
            hold,
            turn: tokio::sync::Mutex::default(),
            last: Mutex::default(),
            turned: Mutex::default(),
        }))
    }

    /// Runs until it is dropped.
    pub async fn run(self) {
        loop {
            let done = self.round(&Asker::system("collector"), None).await;
            let now = self.0.ctx.now();
            self.0.ctx.rounds.note(Loop::Collector, now, EVERY, &done);
            *self.0.turned.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
            match done {
                Ok(Some(done)) if done != Collected::default() => tracing::info!(?done, "collected"),
                Ok(_) => {}
                Err(e) => tracing::error!(error = &e as &dyn std::error::Error, "collection failed"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// A round because somebody asks for it. It throws away what the next one would: at any time, nothing else.
    ///
    /// # Errors
    /// [`faults::COLLECT_HELD`] while a backup is being made.
    pub async fn collect(&self, reason: &str, by: &Asker) -> Result<Collected> {
        by.allow(Action::System, &Subject::ORGANISATION)?;
        self.round(by, Some(reason)).await?.ok_or_else(|| Fault::new(&faults::COLLECT_HELD).into())
    }

    /// What the next round would throw away if it came now.
    pub async fn due(&self) -> Result<Due> {
        due(&self.0.ctx, &self.0.blobs).await
    }

    /// None before the first.
    pub fn last(&self) -> Option<Last> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the next round comes by itself; none before the first.
    pub fn next_at(&self) -> Option<Timestamp> {
        let turned = *self.0.turned.lock().unwrap_or_else(PoisonError::into_inner);
        turned.map(|at| at.plus(EVERY))
    }

    /// None where a copy is being made: another round comes.
    async fn round(&self, by: &Asker, asked: Option<&str>) -> Result<Option<Collected>> {
        let inner = &*self.0;
        let _turn = inner.turn.lock().await;
        let at = inner.ctx.now();
        let failed = |e| StoreError::Io { what: "the data folder cannot be held".into(), source: Box::new(e) };
        let done = match inner.hold.to_collect().map_err(failed) {
            Ok(Some(_held)) => once(&inner.ctx, &inner.blobs, by, asked).await.map(Some),
            Ok(None) => Ok(None),
            Err(e) => Err(e.into()),
        };
        let outcome = match &done {
            Ok(Some(done)) => Outcome::Done(*done),
            Ok(None) => Outcome::Held,
            Err(e) => Outcome::Failed(fault::chain(e)),
        };
        let last = Last { at, took: inner.ctx.now().since(at), by: asked.map(|_| by.name().to_owned()), outcome };
        *inner.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        done
    }
}

/// What is stored, and what of it may go.
pub async fn due(ctx: &Ctx, blobs: &Blobs) -> Result<Due> {
    let now = ctx.now();
    let mut found = Due { uploads_due: blobs.unfinished(now.minus(DAY)).await?, ..Due::default() };
    let all: Vec<_> = blobs.list().try_collect().await?;
    // Behind the list: what became a release meanwhile is in here.
    let (releases, wanted) = needed_by(ctx).await?;
    let terms = rows::artifact_terms::all(&mut ctx.store.read().await?).await?;
    for blob in all {
        let (bytes, files) = if releases.contains(&blob.digest) { &mut found.releases } else { &mut found.artifacts };
        *bytes += blob.size;
        *files += 1;
        let is_over = match terms.get(&blob.digest).copied().unwrap_or(Kept::Until(blob.stored_at.plus(ARTIFACTS))) {
            Kept::Until(at) => at < now,
            Kept::ForGood => false,
        };
        let may_go = is_over && !releases.contains(&blob.digest) && !wanted.contains(&blob.digest);
        if may_go && !blobs.is_fresh(&blob.digest).await {
            found.artifacts_due.push(blob);
        }
    }
    Ok(found)
}

/// One round. What goes is told of before it goes.
pub async fn once(ctx: &Ctx, blobs: &Blobs, by: &Asker, asked: Option<&str>) -> Result<Collected> {
    let now = ctx.now();
    let due = due(ctx, blobs).await?;
    let sum = due.sum();
    if asked.is_some() || sum != Collected::default() {
        let told: Result<()> = transact!(ctx.store, tx => { tx.event(about(sum, by, asked)).await?; Ok(()) });
        told?;
    }
    let mut done = Collected::default();
    for upload in due.uploads_due {
        if blobs.drop_unfinished(&upload).await? {
            done.uploads += 1;
            done.upload_bytes += upload.size;
        }
    }
    for blob in due.artifacts_due {
        if blobs.discard(&blob.digest).await? {
            done.artifacts += 1;
            done.artifact_bytes += blob.size;
            transact!(ctx.store, tx => rows::artifact_terms::forget(tx, &blob.digest, now).await)?;
        }
    }
    transact!(ctx.store, tx => {
        rows::forges::deliveries::purge(tx, now.minus(DELIVERIES)).await?;
        rows::forges::statuses::purge(tx, now.minus(DELIVERIES)).await?;
        rows::secrets::forget(tx, now.minus(DAY)).await?;
        rows::evidence::purge(tx, now.minus(EVIDENCE)).await?;
        rows::usual::purge(tx, usual::hour_of(now) - usual::KEPT_H).await?;
        forget(tx, now.minus(DAY)).await
    })?;
    Ok(done)
}

/// Until when what a job has left now is kept.
pub fn kept(keep: Keep, now: Timestamp) -> Kept {
    match keep {
        Keep::AsUsual => Kept::Until(now.plus(ARTIFACTS)),
        Keep::For(ms) => Kept::Until(now.plus(Duration::from_millis(ms))),
        Keep::ForGood => Kept::ForGood,
    }
}

fn about(sum: Collected, by: &Asker, reason: Option<&str>) -> NewEvent {
    NewEvent {
        after: Some(serde_json::json!({
            "artifacts": sum.artifacts, "artifact_bytes": sum.artifact_bytes,
            "uploads": sum.uploads, "upload_bytes": sum.upload_bytes,
            "reason": reason.filter(|r| !r.is_empty()),
        })),
        ..by.event("storage.collected", "installation/storage")
    }
}

async fn forget(tx: &mut Tx, before: Timestamp) -> Result<()> {
    rows::idempotency::purge(tx, before).await?;
    rows::login_codes::purge(tx, before).await?;
    rows::session_links::purge(tx, before).await?;
    tx.without_event("what was over is forgotten");
    Ok(())
}

/// Bundles of every release, and artifacts that a run under way may still hand on.
pub async fn needed(ctx: &Ctx) -> Result<HashSet<Digest>> {
    let (mut releases, wanted) = needed_by(ctx).await?;
    releases.extend(wanted);
    Ok(releases)
}

async fn needed_by(ctx: &Ctx) -> Result<(HashSet<Digest>, HashSet<Digest>)> {
    let mut r = ctx.store.read().await?;
    let releases = rows::releases::bundles(&mut r).await?.into_iter().collect();
    let mut wanted = HashSet::new();
    for run in rows::runs::unfinished(&mut r).await? {
        for job in rows::jobs::of_run(&mut r, run.id).await? {
            let body: JobBody = job.body.read()?;
            wanted.extend(body.artifacts);
        }
    }
    Ok((releases, wanted))
}
