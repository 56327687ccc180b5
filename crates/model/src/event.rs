//! The envelope of the event log. Every change of state writes one, in the same transaction as its row.

use crate::{
    access::Principal,
    id::{Digest, EventId, OrgName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who or what caused a change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    User {
        name: String,
        /// Whose rights it was done with; not known of what was done before there were rights.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        principal: Option<Principal>,
    },
    /// The control plane itself, by the part that acted: `rollout`, `run`, `retention`.
    System {
        part: String,
    },
    Agent {
        host: String,
    },
}

impl Actor {
    /// Somebody by name alone.
    pub fn named(name: impl Into<String>) -> Self {
        Self::User { name: name.into(), principal: None }
    }
}

/// A new fact, before it is sealed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewEvent {
    /// `rollout.wave_started`, `run.finished`: noun, dot, past tense.
    pub kind: String,
    /// Version of `data`'s shape for this kind.
    pub schema: u32,
    pub actor: Actor,
    /// What changed: `rollout/0190…`, `service/shop`.
    pub subject: String,
    /// The event or request that led here.
    pub cause: Option<String>,
    pub service: Option<String>,
    pub env: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// A sealed fact: it has its place in the chain.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    pub seq: i64,
    pub id: EventId,
    pub org: OrgName,
    pub at: Timestamp,
    #[serde(flatten)]
    pub fact: NewEvent,
    pub prev: Digest,
    pub hash: Digest,
}
