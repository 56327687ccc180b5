//! An event as a line of JSON: what an export holds, and what can be verified without the log it came from.
//!
//! `before` and `after` are written byte for byte as they are stored, because the hash is over those bytes.

use crate::{
    chain::Link,
    record::{Record, Sealed},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use tradewind_model::{id::Digest, time::Timestamp};

#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    #[error("it is not an event in JSON")]
    Json(#[from] serde_json::Error),
    #[error("`{0}` cannot be read")]
    Field(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    seq: i64,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    org: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    schema: i64,
    #[serde(borrow)]
    actor: Actor<'a>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    cause: Option<Cow<'a, str>>,
    #[serde(borrow)]
    service: Option<Cow<'a, str>>,
    #[serde(borrow)]
    env: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    before: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    after: Option<&'a RawValue>,
    prev: Option<Digest>,
    hash: Option<Digest>,
}

/// A `null` that was written is another thing than nothing.
fn there<'de, D: Deserializer<'de>>(d: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(d).map(Some)
}

/// The name stands under a word that says whose it is.
#[derive(Serialize, Deserialize)]
struct Actor<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    part: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    host: Option<Cow<'a, str>>,
}

/// An event of another tenant, or one that cannot be read: its place in the chain and nothing else.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withheld {
    seq: i64,
    withheld: bool,
    prev: Option<Digest>,
    hash: Option<Digest>,
}

/// What stands between events in a piece of the chain: the checkpoint it begins behind, and the ones it was to meet.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed<'a> {
    #[serde(borrow)]
    checkpoint: Cow<'a, str>,
}

/// A line of a piece of the chain.
#[derive(Debug)]
pub enum Piece {
    Event(Link),
    /// The text of a signed note.
    Checkpoint(String),
}

impl<'a> Actor<'a> {
    fn of(kind: &'a str, name: &'a str) -> Self {
        let name = Some(Cow::Borrowed(name));
        let empty = Self { kind: kind.into(), name: None, part: None, host: None };
        match kind {
            "system" => Self { part: name, ..empty },
            "agent" => Self { host: name, ..empty },
            _ => Self { name, ..empty },
        }
    }
}

/// Without a line break. What is stored as JSON and is none is left out, and the event then does not verify.
pub fn write(event: &Sealed) -> String {
    let Sealed { seq, prev, hash, record } = event;
    let Some(r) = record else {
        return json(&Withheld { seq: *seq, withheld: true, prev: *prev, hash: *hash });
    };
    json(&Line {
        seq: *seq,
        id: (&r.id).into(),
        org: (&r.org).into(),
        at: at(r.at).into(),
        kind: (&r.kind).into(),
        schema: r.schema,
        actor: Actor::of(&r.actor_type, &r.actor_name),
        subject: (&r.subject).into(),
        cause: r.cause.as_deref().map(Into::into),
        service: r.service.as_deref().map(Into::into),
        env: r.env.as_deref().map(Into::into),
        before: r.before.as_deref().and_then(raw),
        after: r.after.as_deref().and_then(raw),
        prev: *prev,
        hash: *hash,
    })
}

fn json<T: Serialize>(x: &T) -> String {
    serde_json::to_string(x).expect("strings and numbers serialize")
}

fn raw(text: &str) -> Option<&RawValue> {
    // A break within would end the line.
    (!text.contains(['\n', '\r'])).then(|| serde_json::from_str(text).ok()).flatten()
}

fn at(us: i64) -> String {
    Timestamp(us).to_rfc3339()
}

fn us(at: &str) -> Option<i64> {
    match at.strip_suffix("us") {
        Some(us) => us.parse().ok(),
        None => at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond),
    }
}

/// # Errors
/// Where the line is not an event.
pub fn read(line: &str) -> Result<Sealed, BadLine> {
    if let Ok(Withheld { seq, withheld: true, prev, hash }) = serde_json::from_str(line) {
        return Ok(Sealed { seq, prev, hash, record: None });
    }
    let l: Line<'_> = serde_json::from_str(line)?;
    let Actor { kind, name, part, host } = l.actor;
    let name = name.or(part).or(host).ok_or(BadLine::Field("actor"))?;
    let record = Record {
        org: l.org.into_owned(),
        id: l.id.into_owned(),
        at: us(&l.at).ok_or(BadLine::Field("at"))?,
        kind: l.kind.into_owned(),
        schema: l.schema,
        actor_type: kind.into_owned(),
        actor_name: name.into_owned(),
        subject: l.subject.into_owned(),
        cause: l.cause.map(Cow::into_owned),
        service: l.service.map(Cow::into_owned),
        env: l.env.map(Cow::into_owned),
        before: l.before.map(|raw| raw.get().to_owned()),
        after: l.after.map(|raw| raw.get().to_owned()),
    };
    Ok(Sealed { seq: l.seq, prev: l.prev, hash: l.hash, record: Some(record) })
}

/// A line that holds a checkpoint's note.
pub fn checkpoint(note: &str) -> String {
    json(&Signed { checkpoint: note.into() })
}

/// A line as the walk takes it. Of a withheld event only its place is looked at.
///
/// # Errors
/// Where the line is neither an event nor a checkpoint.
pub fn piece(line: &str) -> Result<Piece, BadLine> {
    if let Ok(Signed { checkpoint }) = serde_json::from_str(line) {
        return Ok(Piece::Checkpoint(checkpoint.into_owned()));
    }
    let sealed = read(line)?;
    Ok(Piece::Event(match (&sealed.record, sealed.prev, sealed.hash) {
        (None, Some(prev), Some(hash)) => Link::unseen(sealed.seq, prev, hash),
        _ => Link::of(&sealed),
    }))
}
