//! Reads the whole chain, as it is stored, and names the first thing that is not as it was written.
//!
//! The walk itself is [`tradewind_audit::Chain`]. What it cannot see without marks of signed checkpoints: someone who
//! rewrites every row after an alteration *and* the head.

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use tradewind_audit::{Broken, Chain, Link, Mark, Sealed, chain::Stop};
use tradewind_model::{id::Digest, time::Timestamp};

use super::{
    envelope::{envelope_columns, sealed},
    seal,
};
use crate::{
    error::{Result, StoreError},
    rows,
    stmt::statements,
    tx::{Reader, Snapshot},
    value::{Row, args},
};

statements! {
    CHAIN = concat!("SELECT ", envelope_columns!(), " FROM events WHERE seq > $1 ORDER BY seq");
    CHAIN_PART = concat!("SELECT ", envelope_columns!(), " FROM events WHERE seq > $1 ORDER BY seq LIMIT $2");
    OUTSIDE = "SELECT COUNT(*) AS n FROM events WHERE seq IS NULL";
    WAITING = "SELECT COUNT(*) AS n, MIN(at) AS since FROM events WHERE seq IS NULL";
    MISNUMBERED = "SELECT seq, id FROM events WHERE seq <= $1 ORDER BY seq LIMIT 1";
    BY_HASH = "SELECT seq FROM events WHERE hash = $1 ORDER BY seq LIMIT 1";
    FIRST = "SELECT hash FROM events WHERE seq = 1";
}

/// Rows that are hashed in one go, beside the reading.
const BATCH: usize = 512;
const BATCHES: usize = 4;

/// What a reading of the whole chain found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verification {
    /// Events that are as they were written, from the first that is kept on.
    pub intact: i64,
    /// Events that have no number yet.
    pub unsealed: i64,
    /// The last intact event's number and hash.
    pub head: Option<(i64, Digest)>,
    /// Events up to this one were pruned; 0: none.
    pub anchor: i64,
    /// Marks that agree.
    pub met: u64,
    pub broken: Option<Broken>,
}

/// Reads everything once, at one moment; memory stays small. `marks`: what checkpoints saw, believed by the caller.
///
/// # Errors
/// Only where the database fails: a broken chain is an answer.
pub async fn verify(r: &mut Snapshot, marks: Vec<Mark>) -> Result<Verification> {
    let unsealed = r.fetch_one(&OUTSIDE, args![]).await?.i64("n")?;
    let (seq, hash) = seal::head(r).await?;
    let anchor = rows::audit::anchor(r).await?.mark;
    let mut chain = Chain::new(anchor, marks);
    let stop = match r.fetch_opt(&MISNUMBERED, args![anchor.seq]).await? {
        Some(row) => Some(Stop::Broken(Broken::Renumbered { seq: row.i64("seq")?, id: row.text("id")? })),
        None => walk(r, &mut chain).await?,
    };
    let broken = match stop {
        None => chain.end(Some(Mark { seq, hash })).err(),
        Some(stop) => {
            let known = match &stop {
                Stop::Broken(_) => false,
                Stop::OutOfPlace { follows, .. } => {
                    r.fetch_opt(&BY_HASH, args![follows.as_bytes().as_slice()]).await?.is_some()
                }
            };
            Some(stop.resolve(known))
        }
    };
    let last = chain.last();
    Ok(Verification {
        intact: last.seq - anchor.seq,
        unsealed,
        head: (last.seq > 0).then_some((last.seq, last.hash)),
        anchor: anchor.seq,
        met: chain.met(),
        broken,
    })
}

/// Hashing waits for nothing but its own rows: it goes on beside the reading, several batches at once.
async fn walk(r: &mut Snapshot, chain: &mut Chain) -> Result<Option<Stop>> {
    let rows = r.conn.stream(&CHAIN, args![chain.anchor()])?;
    let batches = rows.try_chunks(BATCH).map_err(|e| e.1).map(|batch| async {
        let batch = batch?;
        let links = tokio::task::spawn_blocking(move || batch.iter().map(link).collect::<Result<Vec<_>>>()).await;
        links.map_err(|e| StoreError::Io { what: "a batch of events was not hashed".into(), source: e.into() })?
    });
    let mut batches = std::pin::pin!(batches.buffered(BATCHES));
    while let Some(links) = batches.next().await {
        for link in links? {
            if let Err(stop) = chain.next(&link) {
                return Ok(Some(stop));
            }
        }
    }
    Ok(None)
}

fn link(row: &Row) -> Result<Link> {
    Ok(Link::of(&sealed(row)?))
}

/// Sealed events behind `seq`, as they are stored, in order, `limit` at most: all tenants', because the chain is one.
/// What is another's is without its content.
pub async fn part(r: &mut impl Reader, seq: i64, limit: u32) -> Result<Vec<Sealed>> {
    let org = r.org().to_string();
    let mut part = whole_part(r, seq, limit).await?;
    for event in &mut part {
        event.record = event.record.take().filter(|record| record.org == org);
    }
    Ok(part)
}

/// The same with everybody's content: for the installation's own archive.
pub async fn whole_part(r: &mut impl Reader, seq: i64, limit: u32) -> Result<Vec<Sealed>> {
    r.fetch_all(&CHAIN_PART, args![seq, limit]).await?.iter().map(sealed).collect()
}

/// The hash of the log's first event: which log this is. None before there is one, and once it was pruned; the
/// checkpoints know it then.
pub async fn first(r: &mut impl Reader) -> Result<Option<Digest>> {
    r.fetch_opt(&FIRST, args![]).await?.map(|row| row.digest("hash")).transpose()
}

/// Events that have no number yet, all tenants', and the time of the oldest.
pub async fn waiting(r: &mut impl Reader) -> Result<(u64, Option<Timestamp>)> {
    let row = r.fetch_one(&WAITING, args![]).await?;
    Ok((row.i64("n")?.unsigned_abs(), row.opt_time("since")?))
}

/// Where the chain ends.
pub async fn head(r: &mut impl Reader) -> Result<Mark> {
    let (seq, hash) = seal::head(r).await?;
    Ok(Mark { seq, hash })
}
