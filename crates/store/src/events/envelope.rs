//! An event as it is stored, and the bytes its hash is taken over.

use sha2::{Digest as _, Sha256};
use tradewind_model::{
    event::{Actor, Event, NewEvent},
    id::{Digest, EventId},
};

use crate::{
    error::{Result, StoreError},
    value::{Json, Row},
};

/// The columns of an envelope, in the order everything here lists them.
macro_rules! envelope_columns {
    () => {
        "arrival, org_id, id, at, kind, schema_version, actor_type, actor_name, subject, cause, service, env, before_json, \
         after_json, seq, prev, hash"
    };
}
pub(crate) use envelope_columns;

/// What is stored, unparsed: a hash is over what is there, not over what it means.
pub(crate) struct Envelope {
    pub arrival: i64,
    pub org: String,
    pub id: String,
    pub at: i64,
    pub kind: String,
    pub schema: i64,
    pub actor_type: String,
    pub actor_name: String,
    pub subject: String,
    pub cause: Option<String>,
    pub service: Option<String>,
    pub env: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What stands before the first event.
pub(crate) fn genesis() -> Digest {
    Digest::from_bytes([0; 32])
}

impl Envelope {
    pub fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            arrival: r.i64("arrival")?,
            org: r.text("org_id")?,
            id: r.text("id")?,
            at: r.i64("at")?,
            kind: r.text("kind")?,
            schema: r.i64("schema_version")?,
            actor_type: r.text("actor_type")?,
            actor_name: r.text("actor_name")?,
            subject: r.text("subject")?,
            cause: r.opt_text("cause")?,
            service: r.opt_text("service")?,
            env: r.opt_text("env")?,
            before: r.opt_text("before_json")?,
            after: r.opt_text("after_json")?,
        })
    }

    /// SHA-256 over a version word, `prev`, and every field with its length before it.
    ///
    /// The number is not among them: the chain gives each event its place, and so a row that was moved can be told from
    /// a row that was altered.
    pub fn hash(&self, prev: &Digest) -> Digest {
        let mut h = Sha256::new();
        h.update(b"tradewind event 1");
        h.update(prev.as_bytes());
        let mut field = |bytes: Option<&[u8]>| match bytes {
            None => h.update([0]),
            Some(b) => {
                h.update([1]);
                h.update((b.len() as u64).to_be_bytes());
                h.update(b);
            }
        };
        field(Some(self.org.as_bytes()));
        field(Some(self.id.as_bytes()));
        field(Some(&self.at.to_be_bytes()));
        field(Some(self.kind.as_bytes()));
        field(Some(&self.schema.to_be_bytes()));
        field(Some(self.actor_type.as_bytes()));
        field(Some(self.actor_name.as_bytes()));
        field(Some(self.subject.as_bytes()));
        for optional in [&self.cause, &self.service, &self.env, &self.before, &self.after] {
            field(optional.as_deref().map(str::as_bytes));
        }
        Digest::from_bytes(h.finalize().into())
    }
}

pub(crate) fn actor_columns(actor: &Actor) -> (&'static str, &str) {
    match actor {
        Actor::User { name, .. } => ("user", name),
        Actor::System { part } => ("system", part),
        Actor::Agent { host } => ("agent", host),
    }
}

fn actor(kind: &str, name: String) -> Result<Actor> {
    match kind {
        "user" => Ok(Actor::named(name)),
        "system" => Ok(Actor::System { part: name }),
        "agent" => Ok(Actor::Agent { host: name }),
        other => Err(StoreError::corrupt(format!("an event's actor is a `{other}`"))),
    }
}

/// A sealed row as the rest of Tradewind sees it.
pub(crate) fn event(r: &Row) -> Result<Event> {
    let e = Envelope::from_row(r)?;
    let json = |column| r.opt_json(column)?.map(|j: Json| j.read()).transpose();
    Ok(Event {
        seq: r.i64("seq")?,
        id: r.parse::<EventId>("id")?,
        org: e.org.parse()?,
        at: r.time("at")?,
        fact: NewEvent {
            kind: e.kind,
            schema: u32::try_from(e.schema).map_err(|x| StoreError::unreadable("an event's schema version", x))?,
            actor: actor(&e.actor_type, e.actor_name)?,
            subject: e.subject,
            cause: e.cause,
            service: e.service,
            env: e.env,
            before: json("before_json")?,
            after: json("after_json")?,
        },
        prev: r.digest("prev")?,
        hash: r.digest("hash")?,
    })
}
