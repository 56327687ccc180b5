//! State rows, one module a table.
//!
//! Reading functions take any [`Reader`](crate::Reader); writing ones take the [`Tx`](crate::Tx). Rows that change
//! carry a `version`: `update` takes the row as it was read, with its fields changed, and gives it back at its new
//! version, or [`Conflict`](crate::StoreError::Conflict) where someone else was faster. What the pure core owns (plans,
//! states, bodies) is [`Json`](crate::Json); the words in `state`, `phase` and `kind` belong to their owners too.

pub mod approvals;
pub mod artifact_terms;
pub mod audit;
pub mod certificates;
pub(crate) mod counters;
pub mod environments;
pub mod evidence;
pub mod forges;
pub mod freezes;
pub mod grants;
pub mod groups;
pub mod hosts;
pub mod idempotency;
pub mod instances;
pub mod invitations;
pub mod jobs;
pub mod login_codes;
pub mod observed;
pub mod orgs;
pub mod overview;
pub mod places;
pub mod queues;
pub mod releases;
pub mod revisions;
pub mod rollouts;
pub mod routes;
pub mod runs;
pub mod search;
pub mod secrets;
pub mod services;
pub mod session_links;
pub mod sessions;
pub mod settings;
pub mod sites;
pub mod tasks;
pub mod tokens;
pub mod users;
pub mod usual;

/// A part of a list that is ordered newest first: what comes after `after`, `limit` rows at most.
#[derive(Clone, Debug)]
pub struct Page<K> {
    /// The last row of the part before.
    pub after: Option<K>,
    pub limit: u32,
}

impl<K> Page<K> {
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}
