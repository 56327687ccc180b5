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
//! former tradewind-audit+4e5f6a7b+A…        left out of the first one's
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

/// A key says that it signs from now on, and which one did before. Both sign it, so who knows either knows the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduction {
    pub key: Verifier,
    pub former: Option<Verifier>,
    pub at: Timestamp,
}

impl Introduction {
    /// `former` is the key that signed until now; the first has none.
    pub fn sign(new: &Signer, former: Option<&Signer>, at: Timestamp) -> Note {
        let before = former.map(|f| format!("former {}\n", f.verifier())).unwrap_or_default();
        let signers: Vec<&Signer> = former.into_iter().chain([new]).collect();
        Note::sign(format!("{KEY}\nkey {}\n{before}at {at}\n", new.verifier()), &signers)
    }

    /// What the note says; that each key it names signed it is checked.
    ///
    /// # Errors
    /// Where it is not an introduction, or one of its keys did not sign it.
    pub fn read(note: &Note) -> Result<Self, BadCheckpoint> {
        let mut lines = Lines::of(note, KEY)?;
        let key: Verifier = lines.value("key")?;
        let former: Option<Verifier> = lines.optional("former")?;
        let at = Timestamp(lines.value::<jiff::Timestamp>("at")?.as_microsecond());
        lines.end()?;
        for named in former.iter().chain([&key]) {
            note.signed_by(std::slice::from_ref(named))?;
        }
        Ok(Self { key, former, at })
    }
}

/// Every key that can be believed where `roots` are: those, and the neighbours of each in the introductions.
pub fn trusted(roots: &[Verifier], introductions: &[Note]) -> Vec<Verifier> {
    let told: Vec<Introduction> = introductions.iter().filter_map(|note| Introduction::read(note).ok()).collect();
    let mut known = roots.to_vec();
    loop {
        let new = told.iter().find_map(|i| {
            let former = i.former.as_ref()?;
            match (known.contains(&i.key), known.contains(former)) {
                (true, false) => Some(former.clone()),
                (false, true) => Some(i.key.clone()),
                (true, true) | (false, false) => None,
            }
        });
        match new {
            Some(key) => known.push(key),
            None => return known,
        }
    }
}

struct Lines<'n>(std::iter::Peekable<std::str::Lines<'n>>);

impl<'n> Lines<'n> {
    fn of(note: &'n Note, first: &'static str) -> Result<Self, BadCheckpoint> {
        let mut lines = note.text().lines().peekable();
        if lines.next() == Some(first) { Ok(Self(lines)) } else { Err(BadCheckpoint::Kind(first)) }
    }

    fn value<T: FromStr>(&mut self, name: &'static str) -> Result<T, BadCheckpoint> {
        let line = self.0.next().and_then(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|v| v.parse().ok()).ok_or(BadCheckpoint::Line(name))
    }

    fn optional<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, BadCheckpoint> {
        let there = self.0.peek().is_some_and(|l| l.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        if there { self.value(name).map(Some) } else { Ok(None) }
    }

    fn end(mut self) -> Result<(), BadCheckpoint> {
        if self.0.next().is_none() { Ok(()) } else { Err(BadCheckpoint::More) }
    }
}
