use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Version {
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Version of the API: the number in `/api/v1`.
    pub api: u32,
    /// Newest version of the agent protocol spoken; one older is accepted.
    pub agent_protocol: u32,
}

/// Answer of `/healthz`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// The store answers.
    pub ok: bool,
}

/// A refusal: `application/problem+json` (RFC 9457). This type describes it in the OpenAPI document; programs use
/// [`tradewind_model::fault::Problem`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A page about the code.
    #[serde(rename = "type")]
    #[schema(example = "/help/TW-API-003")]
    pub kind: String,
    /// Stable; never reused for another meaning.
    #[schema(example = "TW-API-003")]
    pub code: String,
    pub status: u16,
    /// What happened, in the language of `Accept-Language` (en, zh).
    pub title: String,
    /// What to do about it.
    pub fix: String,
    /// Where in a file a person wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// A file's other faults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub more: Vec<Self>,
}

/// Line and column count from 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Position {
    pub file: String,
    pub line: usize,
    pub col: usize,
}
