//! Services whose code lives on a forge: GitHub, GitLab, Gitea, Gitee, Bitbucket.
//!
//! A service is linked to one repository ([`links`]). What the forge sends is checked and written down before it is answered
//! ([`intake`]); what follows from it is done behind the answer, in the order it came, until it is done ([`work`]; the fetching
//! itself is the server's, which has the repositories). How the run and its rollouts go is told to the forge ([`statuses`]).
//!
//! Architecture invariants: there is no link without a secret. A push that came from a forge acts as the link's own account,
//! whoever pushed there, and that account was given no right that the person who linked it did not have. What is run is what the
//! repository itself holds, never what a delivery says.

pub mod faults;
pub mod intake;
pub mod links;
mod sealed;
pub mod statuses;
pub mod view;
pub mod work;

pub use sealed::reseal;

use crate::Result;
use tradewind_api::v1;
use tradewind_forges::{Kind, Repository};
use tradewind_store::{StoreError, rows::forges::Link};

/// A link as its row means it.
#[derive(Clone, Debug)]
pub struct Linked {
    pub kind: Kind,
    pub repository: Repository,
}

impl Linked {
    /// # Errors
    /// Where the row is damaged.
    pub fn of(row: &Link) -> Result<Self> {
        let damaged = |what: String| StoreError::Corrupt { what, source: None };
        Ok(Self {
            kind: row.kind.parse().map_err(|e| damaged(format!("{e}")))?,
            repository: row.url.parse().map_err(|e| damaged(format!("{e}")))?,
        })
    }

    /// Where the forge answers programs, without a slash at its end.
    pub fn api(&self, row: &Link) -> String {
        row.api.clone().unwrap_or_else(|| self.repository.api(self.kind))
    }
}

/// What a run names as its cause: the forge, its delivery, and who pushed, in the forge's words.
pub fn cause(kind: Kind, delivery: &str, pusher: &str) -> String {
    format!("{CAUSE}{kind}/{delivery}/{pusher}")
}

/// How such a cause begins.
pub const CAUSE: &str = "forge/";

/// What such a cause says; none where it is another.
pub fn push_of(cause: &str) -> Option<v1::ForgePush> {
    let mut words = cause.strip_prefix(CAUSE)?.splitn(3, '/');
    let (kind, delivery, pusher) = (words.next()?, words.next()?, words.next()?);
    Some(v1::ForgePush { kind: kind.parse().ok()?, delivery: delivery.into(), pusher: pusher.into() })
}
