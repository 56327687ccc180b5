use super::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradewind_audit::Broken;
use tradewind_model::{
    event,
    fault::Lang,
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
    /// Events that are as they were written, from the first that is kept on.
    pub intact: i64,
    /// Events written a moment ago that have no number yet.
    pub unsealed: i64,
    /// Events up to this number were pruned, as an event in the chain tells; 0: none.
    #[serde(default)]
    pub pruned: i64,
    /// Signed checkpoints that agree with the events.
    #[serde(default)]
    pub checkpoints: u64,
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

impl AuditFinding {
    pub fn of(broken: &Broken, lang: Lang) -> Self {
        let problem = match broken {
            Broken::Altered { .. } => AuditProblem::Altered,
            Broken::Removed { .. } => AuditProblem::Removed,
            Broken::Reordered { .. } => AuditProblem::Reordered,
            Broken::Renumbered { .. } => AuditProblem::Renumbered,
            Broken::HeadBehind { .. } => AuditProblem::HeadBehind,
            Broken::Rewritten { .. } => AuditProblem::Rewritten,
            Broken::Truncated { .. } => AuditProblem::Truncated,
            Broken::Unannounced { .. } => AuditProblem::Unannounced,
        };
        Self { seq: broken.seq(), problem, detail: broken.detail(lang) }
    }
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
    /// The events fit together and not with a signed checkpoint.
    Rewritten,
    /// A signed checkpoint saw events that are gone from the end.
    Truncated,
    /// The beginning is gone, and no event tells that it was pruned.
    Unannounced,
    /// A stored checkpoint is not one that the server signed.
    Forged,
}

/// A signed statement of where the chain was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Checkpoint {
    pub seq: i64,
    #[schema(value_type = String)]
    pub hash: Digest,
    pub at: Time,
    /// The statement itself, a signed note: keep this, unchanged.
    pub note: String,
}

/// A key that signs checkpoints, or did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditKey {
    #[schema(example = "0a1b2c3d")]
    pub id: String,
    /// The public key in one line: for `--key`, and for tools that read signed notes.
    pub verifier: String,
    /// The same for OpenSSL.
    pub pem: String,
    pub since: Time,
    /// Signs now.
    pub current: bool,
    /// The note by which it was introduced, signed by it and by the key before it.
    pub introduction: String,
}

/// How the log's proof stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditStatus {
    /// Hash of the first event: which log this is. None before there is one.
    #[schema(value_type = Option<String>)]
    pub log: Option<Digest>,
    pub head: Option<ChainHead>,
    /// Events up to this number were pruned; 0: none.
    pub pruned: i64,
    pub checkpoint: Option<Checkpoint>,
    /// The key that signs.
    pub key: String,
    /// How long events are kept, in seconds; none: for ever.
    pub keep_s: Option<u64>,
    pub sinks: Vec<AuditSink>,
}

/// A place that checkpoints are sent to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditSink {
    #[schema(example = "webhook")]
    pub name: String,
    /// Where, without secrets.
    pub target: String,
    /// The number of the last checkpoint that is there; 0: none.
    pub delivered: i64,
    pub delivered_at: Option<Time>,
    /// None: the last attempt succeeded.
    pub failing_since: Option<Time>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}
