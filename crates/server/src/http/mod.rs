//! What every route shares: how a refusal is told, how input is read, how routes are declared, what goes round them.

pub mod idempotency;
pub mod input;
pub mod layers;
pub mod openapi;
pub mod precondition;
pub mod refusal;
pub mod route;
pub mod serve;
pub mod sse;

pub use input::{Body, PageQuery, Params, Query, Why};
pub use precondition::IfMatch;
pub use refusal::Refusal;
pub use route::{Permission, Route};

/// What a handler of JSON gives.
pub type Answer<T> = Result<axum::Json<T>, Refusal>;
