//! What is signed: where the chain was at a moment, and which key came after which.
//!
//! A checkpoint:
//!
//! ```text
//! tradewind audit checkpoint 1
//! log sha256:…        the first event's hash: which log this is
//! seq 1200            the last event's number, and so how many there have been
//! hash sha256:…       that event's hash
//! at 2026-11-22T17:30:00.000000Z
//!
//! — tradewind-audit …
//! ```
//!
//! An introduction, signed by the new key and by the one it takes over from:
//!
//! ```text
//! tradewind audit key 1
//! key tradewind-audit+0a1b2c3d+A…
//! at 2026-11-22T17:30:00.000000Z
//! ```

use crate::{
    chain::Mark,
    key::{Signer, Verifier},
    note::{BadNote, NotSigned, Note},
};
use std::str::FromStr;
use tradewind_model::{id::Digest, time::Timestamp};

const CHECKPOINT: &str = "tradewind audit checkpoint 1";
const KEY: &str = "tradewind audit key 1";

/// Why a text is none of ours, or is not to be believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadCheckpoint {
    #[error(transparent)]
    Note(#[from] BadNote),
    #[error("its first line is not `{0}`")]
    Kind(&'static str),
    #[error("it has no line `{0} …` in its place, or that one cannot be read")]
    Line(&'static str),
    #[error("it has more lines than it may have")]
    More,
    #[error(transparent)]
    NotSigned(#[from] NotSigned),
}

/// Where the chain was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    pub log: Digest,
    pub seq: i64,
    pub hash: Digest,
    pub at: Timestamp,
}

impl Checkpoint {
    pub fn mark(&self) -> Mark {
        Mark { seq: self.seq, hash: self.hash }
    }

    pub fn sign(&self, by: &Signer) -> Note {
        let Self { log, seq, hash, at } = self;
        Note::sign(format!("{CHECKPOINT}\nlog {log}\nseq {seq}\nhash {hash}\nat {at}\n"), &[by])
    }

    /// What the note says, whoever signed it.
    ///
    /// # Errors
    /// Where it is not a checkpoint.
    pub fn read(note: &Note) -> Result<Self, BadCheckpoint> {
        let mut lines = Lines::of(note, CHECKPOINT)?;
        let found = Self {
            log: lines.value("log")?,
            seq: lines.value("seq")?,
            hash: lines.value("hash")?,
            at: Timestamp(lines.value::<jiff::Timestamp>("at")?.as_microsecond()),
        };
        if found.seq < 1 {
            return Err(BadCheckpoint::Line("seq"));
        }
        lines.end()?;
        Ok(found)
    }

    /// What a text says that one of the known keys signed.
    ///
    /// # Errors
    /// Where it is not a checkpoint, or not signed by any of them.
    pub fn open(text: &str, known: &[Verifier]) -> Result<Self, BadCheckpoint> {
        let note: Note = text.parse()?;
        let found = Self::read(&note)?;
        note.signed_by(known)?;
        Ok(found)
    }
}

/// A key says that it signs from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduction {
    pub key: Verifier,
    pub at: Timestamp,
}

impl Introduction {
    /// `former` is the key that signed until now; the first has none.
    pub fn sign(new: &Signer, former: Option<&Signer>, at: Timestamp) -> Note {
        let text = format!("{KEY}\nkey {}\nat {at}\n", new.verifier());
        let mut signers: Vec<&Signer> = former.into_iter().collect();
        signers.push(new);
        Note::sign(text, &signers)
    }

    /// What the note says; that the new key signed it is checked.
    ///
    /// # Errors
    /// Where it is not an introduction, or the new key did not sign it.
    pub fn read(note: &Note) -> Result<Self, BadCheckpoint> {
        let mut lines = Lines::of(note, KEY)?;
        let key: Verifier = lines.value("key")?;
        let at = Timestamp(lines.value::<jiff::Timestamp>("at")?.as_microsecond());
        lines.end()?;
        note.signed_by(std::slice::from_ref(&key))?;
        Ok(Self { key, at })
    }
}

/// Every key that can be believed where `roots` are: those, and those that one of them introduced, and so on.
pub fn trusted(roots: &[Verifier], introductions: &[Note]) -> Vec<Verifier> {
    let mut known = roots.to_vec();
    loop {
        let new = introductions.iter().find_map(|note| {
            let new = Introduction::read(note).ok()?.key;
            (!known.contains(&new) && note.signed_by(&known).is_ok()).then_some(new)
        });
        match new {
            Some(key) => known.push(key),
            None => return known,
        }
    }
}

struct Lines<'n>(std::str::Lines<'n>);

impl<'n> Lines<'n> {
    fn of(note: &'n Note, first: &'static str) -> Result<Self, BadCheckpoint> {
        let mut lines = note.text().lines();
        if lines.next() == Some(first) { Ok(Self(lines)) } else { Err(BadCheckpoint::Kind(first)) }
    }

    fn value<T: FromStr>(&mut self, name: &'static str) -> Result<T, BadCheckpoint> {
        let line = self.0.next().and_then(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|v| v.parse().ok()).ok_or(BadCheckpoint::Line(name))
    }

    fn end(mut self) -> Result<(), BadCheckpoint> {
        if self.0.next().is_none() { Ok(()) } else { Err(BadCheckpoint::More) }
    }
}
