use super::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradewind_model::{
    event,
    id::{Digest, EventId},
};
use utoipa::ToSchema;

/// A sealed fact of the event log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its place in the chain, from 1, without gaps.
    pub seq: i64,
    #[schema(value_type = uuid::Uuid)]
    pub id: EventId,
    pub at: Time,
    /// Noun, dot, past tense.
    #[schema(example = "rollout.completed")]
    pub kind: String,
    /// Version of the shape of `before` and `after` for this kind.
    pub schema: u32,
    pub actor: Actor,
    #[schema(example = "service/shop")]
    pub subject: String,
    /// The event or request that led here.
    pub cause: Option<String>,
    pub service: Option<String>,
    pub env: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    #[schema(value_type = String)]
    pub prev: Digest,
    #[schema(value_type = String)]
    pub hash: Digest,
}

impl From<event::Event> for Event {
    fn from(e: event::Event) -> Self {
        Self {
            seq: e.seq,
            id: e.id,
            at: e.at.into(),
            kind: e.fact.kind,
            schema: e.fact.schema,
            actor: e.fact.actor.into(),
            subject: e.fact.subject,
            cause: e.fact.cause,
            service: e.fact.service,
            env: e.fact.env,
            before: e.fact.before,
            after: e.fact.after,
            prev: e.prev,
            hash: e.hash,
        }
    }
}

/// Who or what caused a change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    User { name: String },
    System { part: String },
    Agent { host: String },
}

impl From<event::Actor> for Actor {
    fn from(a: event::Actor) -> Self {
        match a {
            event::Actor::User { name, .. } => Self::User { name },
            event::Actor::System { part } => Self::System { part },
            event::Actor::Agent { host } => Self::Agent { host },
        }
    }
}

/// What reading the whole chain found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditReport {
    pub ok: bool,
    /// Events that are as they were written, from the first on.
    pub intact: i64,
    /// Events written a moment ago that have no number yet.
    pub unsealed: i64,
    /// The last intact event: compare it with a copy kept elsewhere.
    pub head: Option<ChainHead>,
    /// The first thing that is not as it was written; what comes after it cannot be vouched for.
    pub finding: Option<AuditFinding>,
}

/// Where the chain ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChainHead {
    pub seq: i64,
    #[schema(value_type = String)]
    pub hash: Digest,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditFinding {
    /// The event's place; of several, the first's.
    pub seq: i64,
    pub problem: AuditProblem,
    /// A sentence in the caller's language.
    pub detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditProblem {
    /// The event says something else than it did.
    Altered,
    /// The event is gone.
    Removed,
    /// The event stands in another's place.
    Reordered,
    /// Something is gone or was put in before the event, and the numbers were made to fit.
    Renumbered,
    /// Events follow the recorded end of the chain.
    HeadBehind,
}
