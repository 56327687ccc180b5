//! Checkpoints of the event log, the keys that sign them, where the chain begins, and how far checkpoints were sent.
//!
//! What is written here is about the log and not in it: an event for each checkpoint would need a checkpoint again.

use tradewind_audit::{Mark, record::genesis};
use tradewind_model::{id::EventId, time::Timestamp};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

statements! {
    INSERT quiet "about the log" =
        "INSERT INTO audit_checkpoints (seq, hash, made_at, note) VALUES ($1, $2, $3, $4) ON CONFLICT (seq) DO NOTHING";
    NEWEST = "SELECT seq, hash, made_at, note FROM audit_checkpoints ORDER BY seq DESC LIMIT 1";
    AFTER = "SELECT seq, hash, made_at, note FROM audit_checkpoints WHERE seq > $1 ORDER BY seq LIMIT $2";
    BEFORE = "SELECT seq, hash, made_at, note FROM audit_checkpoints WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
    LAST_MADE_BEFORE =
        "SELECT seq, hash, made_at, note FROM audit_checkpoints WHERE made_at < $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1";
    FORGET quiet "they are in the archive, or wanted no longer" = "DELETE FROM audit_checkpoints WHERE seq < $1";
    KEYS = "SELECT id, verifier, introduction, introduced_at FROM audit_keys ORDER BY introduced_at, id";
    INSERT_KEY = "INSERT INTO audit_keys (id, verifier, introduction, introduced_at) VALUES ($1, $2, $3, $4)";
    ANCHOR = "SELECT seq, hash, next_seq, next_told FROM audit_anchor WHERE id = 1";
    PLAN_CUT = "UPDATE audit_anchor SET next_seq = $1, next_told = $2 WHERE id = 1";
    CUT quiet "told before" =
        "UPDATE audit_anchor SET seq = next_seq, hash = $1, next_seq = NULL, next_told = NULL WHERE id = 1 AND next_seq = $2";
    SINKS = "SELECT name, delivered, delivered_at, failing_since, tries, next_at, error FROM audit_sinks ORDER BY name";
    PUT_SINK quiet "about the log" =
        "INSERT INTO audit_sinks (name, delivered, delivered_at, failing_since, tries, next_at, error)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (name) DO UPDATE SET delivered = $2, delivered_at = $3, failing_since = $4, tries = $5, next_at = $6, error = $7";
}

/// A checkpoint, with the note that says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    pub mark: Mark,
    pub made_at: Timestamp,
    pub note: String,
}

impl Kept {
    fn from_row(r: &Row) -> Result<Self> {
        let mark = Mark { seq: r.i64("seq")?, hash: r.digest("hash")? };
        Ok(Self { mark, made_at: r.time("made_at")?, note: r.text("note")? })
    }
}

/// False where there is one for this place already.
pub async fn keep(tx: &mut Tx, mark: Mark, note: &str) -> Result<bool> {
    let args = args![mark.seq, mark.hash.as_bytes().as_slice(), tx.now(), note];
    Ok(tx.execute(&INSERT, args).await? == 1)
}

pub async fn newest(r: &mut impl Reader) -> Result<Option<Kept>> {
    r.fetch_opt(&NEWEST, args![]).await?.as_ref().map(Kept::from_row).transpose()
}

/// Above `seq`, oldest first.
pub async fn after(r: &mut impl Reader, seq: i64, limit: u32) -> Result<Vec<Kept>> {
    r.fetch_all(&AFTER, args![seq, limit]).await?.iter().map(Kept::from_row).collect()
}

/// Below `seq`, newest first.
pub async fn before(r: &mut impl Reader, seq: i64, limit: u32) -> Result<Vec<Kept>> {
    r.fetch_all(&BEFORE, args![seq, limit]).await?.iter().map(Kept::from_row).collect()
}

/// The last one made before `at`, at `most` or below.
pub async fn last_made_before(r: &mut impl Reader, at: Timestamp, most: i64) -> Result<Option<Kept>> {
    r.fetch_opt(&LAST_MADE_BEFORE, args![at, most]).await?.as_ref().map(Kept::from_row).transpose()
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Eight hex digits.
    pub id: String,
    /// The public key, as a line.
    pub verifier: String,
    /// The note by which it was introduced.
    pub introduction: String,
    pub at: Timestamp,
}

/// Oldest first.
pub async fn keys(r: &mut impl Reader) -> Result<Vec<Key>> {
    let key = |r: &Row| {
        Ok(Key {
            id: r.text("id")?,
            verifier: r.text("verifier")?,
            introduction: r.text("introduction")?,
            at: r.time("introduced_at")?,
        })
    };
    r.fetch_all(&KEYS, args![]).await?.iter().map(key).collect()
}

pub async fn add_key(tx: &mut Tx, key: &Key) -> Result<()> {
    tx.execute(&INSERT_KEY, args![&key.id, &key.verifier, &key.introduction, key.at]).await?;
    Ok(())
}

/// Where the chain begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anchor {
    pub mark: Mark,
    /// A cut that was told of and not made yet: up to this number, and the event that tells of it.
    pub next: Option<(i64, EventId)>,
}

pub async fn anchor(r: &mut impl Reader) -> Result<Anchor> {
    let row = r.fetch_one(&ANCHOR, args![]).await?;
    let hash = if row.opt_blob("hash")?.is_some() { row.digest("hash")? } else { genesis() };
    let told: Option<EventId> = row.opt_parse("next_told")?;
    let next = row.opt_i64("next_seq")?.zip(told);
    Ok(Anchor { mark: Mark { seq: row.i64("seq")?, hash }, next })
}

/// In the transaction of the event that tells of it.
pub async fn plan_cut(tx: &mut Tx, until: i64, told: EventId) -> Result<()> {
    tx.execute(&PLAN_CUT, args![until, told]).await?;
    Ok(())
}

/// Takes away what was told of: events up to `at`, and the checkpoints before it. Returns how many events.
///
/// # Errors
/// [`StoreError::Conflict`] where another cut is planned.
pub async fn cut(tx: &mut Tx, at: Mark) -> Result<u64> {
    if tx.execute(&CUT, args![at.hash.as_bytes().as_slice(), at.seq]).await? != 1 {
        return Err(StoreError::conflict("cut", at.seq));
    }
    tx.execute(&FORGET, args![at.seq]).await?;
    crate::events::write::forget(tx, at.seq).await
}

/// How far one place has got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinkState {
    pub name: String,
    /// The number of the last checkpoint that is there; 0: none.
    pub delivered: i64,
    pub delivered_at: Option<Timestamp>,
    /// None: the last attempt succeeded.
    pub failing_since: Option<Timestamp>,
    /// Since it last succeeded.
    pub tries: i64,
    pub next_at: Option<Timestamp>,
    pub error: Option<String>,
}

pub async fn sinks(r: &mut impl Reader) -> Result<Vec<SinkState>> {
    let sink = |r: &Row| {
        Ok(SinkState {
            name: r.text("name")?,
            delivered: r.i64("delivered")?,
            delivered_at: r.opt_time("delivered_at")?,
            failing_since: r.opt_time("failing_since")?,
            tries: r.i64("tries")?,
            next_at: r.opt_time("next_at")?,
            error: r.opt_text("error")?,
        })
    };
    r.fetch_all(&SINKS, args![]).await?.iter().map(sink).collect()
}

pub async fn put_sink(tx: &mut Tx, s: &SinkState) -> Result<()> {
    let SinkState { name, delivered, delivered_at, failing_since, tries, next_at, error } = s;
    let args = args![name, *delivered, *delivered_at, *failing_since, *tries, *next_at, error.as_ref()];
    tx.execute(&PUT_SINK, args).await?;
    Ok(())
}
