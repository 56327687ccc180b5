//! Throws away what nothing can need any more: job artifacts past their time, uploads that broke off, requests and login
//! codes long over.
//!
//! Architecture invariant: what a release is made of is never collected, so a rollback never finds its bundle gone.

use crate::{Ctx, Result, judging::usual, runs::JobBody};
use futures_util::TryStreamExt as _;
use std::{collections::HashSet, time::Duration};
use tradewind_model::{id::Digest, time::Timestamp};
use tradewind_store::{Blobs, Hold, StoreError, Tx, rows, transact};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(3_600);
/// How long a finished run's artifacts are kept.
const ARTIFACTS: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How long the counts a finished rollout was judged by are kept.
const EVIDENCE: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How long what a forge delivered is known again.
const DELIVERIES: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long a broken upload, a request's answer and a login code are kept.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What a round threw away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Collected {
    pub artifacts: u64,
    pub artifact_bytes: u64,
    pub uploads: u64,
}

/// Runs until it is dropped.
pub async fn run(ctx: Ctx, blobs: Blobs, hold: Hold) {
    loop {
        match collect(&ctx, &blobs, &hold).await {
            Ok(done) if done != Collected::default() => tracing::info!(?done, "collected"),
            Ok(_) => {}
            Err(e) => tracing::error!(error = &e as &dyn std::error::Error, "collection failed"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Another round comes: while a copy is being made, nothing goes.
async fn collect(ctx: &Ctx, blobs: &Blobs, hold: &Hold) -> Result<Collected> {
    let failed = |e| StoreError::Io { what: "the data folder cannot be held".into(), source: Box::new(e) };
    match hold.to_collect().map_err(failed)? {
        Some(_held) => once(ctx, blobs).await,
        None => Ok(Collected::default()),
    }
}

pub async fn once(ctx: &Ctx, blobs: &Blobs) -> Result<Collected> {
    let now = ctx.now();
    let mut done = Collected { uploads: blobs.sweep(now.minus(DAY)).await?, ..Collected::default() };
    let old: Vec<_> = {
        let limit = now.minus(ARTIFACTS);
        let listed = blobs.list().try_filter(|b| std::future::ready(b.stored_at < limit));
        listed.try_collect().await?
    };
    if !old.is_empty() {
        let needed = needed(ctx).await?;
        for blob in old.iter().filter(|b| !needed.contains(&b.digest)) {
            if blobs.discard(&blob.digest).await? {
                done.artifacts += 1;
                done.artifact_bytes += blob.size;
            }
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

async fn forget(tx: &mut Tx, before: Timestamp) -> Result<()> {
    rows::idempotency::purge(tx, before).await?;
    rows::login_codes::purge(tx, before).await?;
    rows::session_links::purge(tx, before).await?;
    tx.without_event("what was over is forgotten");
    Ok(())
}

/// Bundles of every release, and artifacts that a run under way may still hand on.
pub async fn needed(ctx: &Ctx) -> Result<HashSet<Digest>> {
    let mut r = ctx.store.read().await?;
    let mut needed: HashSet<Digest> = rows::releases::bundles(&mut r).await?.into_iter().collect();
    for run in rows::runs::unfinished(&mut r).await? {
        for job in rows::jobs::of_run(&mut r, run.id).await? {
            let body: JobBody = job.body.read()?;
            needed.extend(body.artifacts);
        }
    }
    Ok(needed)
}
