//! `tradewind audit verify`: reads the whole chain and names the first thing that is not as it was written.
//!
//! What it cannot see: someone who rewrites every row after an alteration *and* the head. Against that, keep a head's
//! number and hash elsewhere and compare ([`Verification::head`]).

use futures_util::StreamExt as _;
use serde::Serialize;
use tradewind_model::id::Digest;

use super::{
    envelope::{Envelope, envelope_columns, genesis},
    seal,
};
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader as _, Snapshot},
    value::{Row, args},
};

statements! {
    CHAIN = concat!("SELECT ", envelope_columns!(), " FROM events WHERE seq > 0 ORDER BY seq");
    OUTSIDE = "SELECT COUNT(*) AS n FROM events WHERE seq IS NULL";
    MISNUMBERED = concat!("SELECT ", envelope_columns!(), " FROM events WHERE seq <= 0 ORDER BY seq LIMIT 1");
    BY_HASH = "SELECT seq FROM events WHERE hash = $1 ORDER BY seq LIMIT 1";
}

/// What a reading of the whole chain found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verification {
    /// Events that are as they were written, from the first on.
    pub intact: i64,
    /// Events that have no number yet.
    pub unsealed: i64,
    /// The last intact event's number and hash.
    pub head: Option<(i64, Digest)>,
    pub broken: Option<Broken>,
}

/// The first thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Broken {
    /// The event is there and says something else.
    Altered { seq: i64, id: String },
    /// Events are gone: these numbers, both included.
    Removed { from: i64, to: i64 },
    /// The event is genuine but stands in another's place.
    Reordered { seq: i64, id: String },
    /// Something is gone or was put in before this event, and the numbers were made to fit.
    Renumbered { seq: i64, id: String },
    /// The head says the chain ends at `head`, and the events go on to `last`.
    HeadBehind { head: i64, last: i64 },
}

/// Reads everything once, at one moment; memory stays small.
///
/// # Errors
/// Only where the database fails: a broken chain is an answer.
pub async fn verify(r: &mut Snapshot) -> Result<Verification> {
    let unsealed = r.fetch_one(&OUTSIDE, args![]).await?.i64("n")?;
    let (head_seq, head_hash) = seal::head(r).await?;
    let mut seq = 0;
    let mut prev = genesis();
    let mut broken = None;
    if let Some(row) = r.fetch_opt(&MISNUMBERED, args![]).await? {
        broken = Some(Broken::Renumbered { seq: row.i64("seq")?, id: row.text("id")? });
    } else {
        let mut out_of_place = None;
        let mut rows = r.conn.stream(&CHAIN, args![])?;
        while let Some(row) = rows.next().await {
            match link(&row?, seq + 1, &prev)? {
                Link::Holds(hash) => {
                    seq += 1;
                    prev = hash;
                }
                Link::Breaks(b) => {
                    broken = Some(b);
                    break;
                }
                Link::OutOfPlace { seq, id, follows } => {
                    out_of_place = Some((seq, id, follows));
                    break;
                }
            }
        }
        drop(rows);
        if let Some((seq, id, follows)) = out_of_place {
            let known = r.fetch_opt(&BY_HASH, args![follows.as_bytes().as_slice()]).await?;
            broken = Some(match known {
                Some(_) => Broken::Reordered { seq, id },
                None => Broken::Renumbered { seq, id },
            });
        }
    }
    if broken.is_none() {
        broken = match seq.cmp(&head_seq) {
            std::cmp::Ordering::Less => Some(Broken::Removed { from: seq + 1, to: head_seq }),
            std::cmp::Ordering::Greater => Some(Broken::HeadBehind { head: head_seq, last: seq }),
            std::cmp::Ordering::Equal if prev != head_hash => Some(Broken::HeadBehind { head: head_seq, last: seq }),
            std::cmp::Ordering::Equal => None,
        };
    }
    Ok(Verification { intact: seq, unsealed, head: (seq > 0).then_some((seq, prev)), broken })
}

enum Link {
    Holds(Digest),
    Breaks(Broken),
    OutOfPlace { seq: i64, id: String, follows: Digest },
}

/// Does this row follow the event whose hash is `prev`?
fn link(row: &Row, expected: i64, prev: &Digest) -> Result<Link> {
    let seq = row.i64("seq")?;
    if seq > expected {
        return Ok(Link::Breaks(Broken::Removed { from: expected, to: seq - 1 }));
    }
    let altered = |id| Ok(Link::Breaks(Broken::Altered { seq, id }));
    let id = row.text("id")?;
    // A seal that was taken away or cannot be one is an alteration too.
    let (Ok(stored_prev), Ok(stored)) = (row.digest("prev"), row.digest("hash")) else { return altered(id) };
    let envelope = match Envelope::from_row(row) {
        Ok(e) => e,
        Err(StoreError::Corrupt { .. }) => return altered(id),
        Err(e) => return Err(e),
    };
    if envelope.hash(&stored_prev) != stored {
        return altered(id);
    }
    if stored_prev != *prev {
        return Ok(Link::OutOfPlace { seq, id, follows: stored_prev });
    }
    Ok(Link::Holds(stored))
}
