//! An event between its row and the forms others know it in.

use tradewind_audit::{Record, Sealed};
use tradewind_model::{
    event::{Actor, Event, NewEvent},
    id::EventId,
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

/// The row as the chain takes it, unparsed. What cannot be read at all has no record.
pub(crate) fn sealed(r: &Row) -> Result<Sealed> {
    let seal = |column| match r.digest(column) {
        Ok(digest) => Ok(Some(digest)),
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(e) => Err(e),
    };
    let record = match record(r) {
        Ok(record) => Some(record),
        Err(StoreError::Corrupt { .. }) => None,
        Err(e) => return Err(e),
    };
    Ok(Sealed { seq: r.i64("seq")?, prev: seal("prev")?, hash: seal("hash")?, record })
}

pub(crate) fn record(r: &Row) -> Result<Record> {
    Ok(Record {
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
    let e = record(r)?;
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
