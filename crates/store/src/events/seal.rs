//! The sealer: gives events their number, their predecessor's hash and their own, once, and moves the chain's head.
//!
//! It wakes at every commit of this process and on a timer, because other processes commit too. The head moves by
//! compare-and-swap, so two sealers cannot both extend the chain; on PostgreSQL a lease keeps the others from trying.

use std::{future::Future, pin::pin, time::Duration};
use tradewind_audit::record::genesis;
use tradewind_model::id::Digest;

use super::envelope::{envelope_columns, record};
use crate::{
    error::{Result, StoreError},
    lease::{self, Lease},
    stmt::statements,
    store::{Backend, Store, random},
    transact,
    tx::{Reader, Tx},
    value::args,
};

statements! {
    HEAD = "SELECT seq, hash FROM chain_head WHERE id = 1";
    MOVE_HEAD quiet "the log itself" =
        "UPDATE chain_head SET seq = $1, hash = $2 WHERE id = 1 AND seq = $3";
    WAITING = "SELECT arrival FROM events WHERE seq IS NULL LIMIT 1";
    UNSEALED = concat!(
        "SELECT ", envelope_columns!(), " FROM events WHERE seq IS NULL ORDER BY arrival LIMIT $1"
    );
    SEAL quiet "the log itself" =
        "UPDATE events SET seq = $1, prev = $2, hash = $3 WHERE arrival = $4 AND seq IS NULL";
}

/// Events sealed in one transaction.
const BATCH: i64 = 256;
/// How late this process may notice what another one committed or sealed.
const TICK: Duration = Duration::from_millis(500);
const LEASE: &str = "event-sealer";
/// A sealer that was killed is missed for so long.
const LEASE_FOR: Duration = Duration::from_secs(2);
/// How many rounds apart room is set aside again that an urgent transaction took.
const REFILL_EVERY: u32 = 64;

/// The end of the chain: its number (0 before the first event) and hash.
/// Where the chain ends: the last sealed event's number and hash; 0 and the genesis where there is none.
pub async fn head(r: &mut impl Reader) -> Result<(i64, Digest)> {
    let row = r.fetch_one(&HEAD, args![]).await?;
    let seq = row.i64("seq")?;
    let hash = if row.opt_blob("hash")?.is_some() { row.digest("hash")? } else { genesis() };
    Ok((seq, hash))
}

/// Seals for one store. Every server runs one; they agree among themselves which of them works.
pub struct Sealer {
    store: Store,
    holder: String,
    lease: Option<Lease>,
}

impl Sealer {
    pub fn new(store: Store) -> Self {
        // Names this sealer and no other, across machines and restarts.
        Self { store, holder: format!("{}-{:016x}", std::process::id(), random()), lease: None }
    }

    /// Seals until `stop` is ready, and once more then. Failures are logged and tried again: nothing is lost, events
    /// only stay unseen for longer.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut commits = self.store.commits();
        for round in 1_u32.. {
            commits.mark_unchanged();
            if round % REFILL_EVERY == 0 {
                self.store.refill_reserve().await;
            }
            if let Err(e) = self.seal_now().await {
                tracing::warn!(error = &e as &dyn std::error::Error, "events could not be sealed yet");
            }
            tokio::select! {
                () = &mut stop => break,
                _ = commits.changed() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
        if let Err(e) = self.seal_now().await {
            tracing::warn!(error = &e as &dyn std::error::Error, "the last events are sealed at the next start");
        }
        if let Some(lease) = self.lease.take() {
            let released = transact!(self.store, tx => lease::release(tx, &lease).await);
            if let Err(e) = released {
                tracing::debug!(error = &e as &dyn std::error::Error, "the sealer's lease runs out by itself");
            }
        }
    }

    /// Seals what is there now, unless another server is the sealer. Events sealed.
    pub async fn seal_now(&mut self) -> Result<u64> {
        let mut sealed = 0;
        // An idle system writes nothing, not even a lease.
        let mut r = self.store.read().await?;
        let waiting = r.fetch_opt(&WAITING, args![]).await?.is_some();
        let (seq, _) = head(&mut r).await?;
        drop(r);
        self.store.publish_head(seq);
        if waiting && self.may_seal().await? {
            loop {
                let lease = &self.lease;
                match transact!(self.store, tx => seal_batch(tx, lease.as_ref()).await) {
                    Ok(0) => break,
                    Ok(n) => sealed += n,
                    // Someone else moved the head: the work is done, or the next round finds what is left.
                    Err(StoreError::Conflict { .. } | StoreError::StaleFence { .. }) => {
                        self.lease = None;
                        break;
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        if sealed > 0 {
            let (seq, _) = head(&mut self.store.read().await?).await?;
            self.store.publish_head(seq);
        }
        Ok(sealed)
    }

    /// On SQLite there is one server, and the compare-and-swap suffices; a lease would only keep its successor waiting.
    async fn may_seal(&mut self) -> Result<bool> {
        if self.store.backend() == Backend::Sqlite {
            return Ok(true);
        }
        let now = self.store.now();
        if self.lease.as_ref().is_some_and(|l| l.until > now.plus(LEASE_FOR / 2)) {
            return Ok(true);
        }
        let holder = &self.holder;
        self.lease = transact!(self.store, tx => {
            tx.hush();
            lease::acquire(tx, LEASE, holder, LEASE_FOR).await
        })?;
        Ok(self.lease.is_some())
    }
}

async fn seal_batch(tx: &mut Tx, lease: Option<&Lease>) -> Result<u64> {
    tx.hush();
    if let Some(lease) = lease {
        lease::check(tx, lease).await?;
    }
    let rows = tx.fetch_all(&UNSEALED, args![BATCH]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let (begin, mut prev) = head(tx).await?;
    let mut seq = begin;
    for row in &rows {
        let record = record(row)?;
        let hash = record.hash(&prev);
        seq += 1;
        let args = args![seq, prev.as_bytes().as_slice(), hash.as_bytes().as_slice(), row.i64("arrival")?];
        if tx.execute(&SEAL, args).await? != 1 {
            return Err(StoreError::conflict("event", record.id));
        }
        prev = hash;
    }
    if tx.execute(&MOVE_HEAD, args![seq, prev.as_bytes().as_slice(), begin]).await? != 1 {
        return Err(StoreError::conflict("chain head", begin));
    }
    Ok(rows.len() as u64)
}
