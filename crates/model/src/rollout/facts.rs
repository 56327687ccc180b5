//! What has been seen of a rollout's world. Built by the shell from rows of desired state and the agents' last reports.

use crate::id::{RevisionId, SiteName};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    /// All agents this rollout needs are connected.
    pub agents_present: bool,
    /// A freeze is on: no new wave begins. Never true for a rollback.
    pub frozen: bool,
    pub sites: BTreeMap<SiteName, SiteFacts>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct SiteFacts {
    /// The agents' reports were made under the newest desired state; without it, "nothing runs" proves nothing.
    pub fresh: bool,
    pub revisions: BTreeMap<RevisionId, RevisionFacts>,
    pub route: RouteFacts,
    pub verify: Option<VerifyFacts>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RevisionFacts {
    /// Rows that want it running.
    pub wanted: u32,
    /// Rows that want it running or unpacked.
    pub kept: u32,
    /// Wanted running, and seen ready.
    pub ready: u32,
    /// Wanted unpacked, and seen so.
    pub prepared: u32,
    /// Processes alive, in whatever phase, wanted or not.
    pub alive: u32,
    /// An instance that cannot start, or is in a crash loop: why.
    pub failed: Option<String>,
    /// The last thing an instance that is not ready said.
    pub message: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RouteFacts {
    /// Of the row; 0 when there is none.
    pub version: u64,
    /// What every edge of the site has acknowledged.
    pub acked: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct VerifyFacts {
    pub attempt: u32,
    pub outcome: VerifyOutcome,
}

#[derive(Clone, PartialEq, Debug)]
pub enum VerifyOutcome {
    Pending,
    Passed,
    Failed { detail: String },
}

impl SiteFacts {
    pub fn of(&self, revision: RevisionId) -> RevisionFacts {
        self.revisions.get(&revision).cloned().unwrap_or_default()
    }
    /// Processes of any other revision that are alive or wanted to be.
    pub fn others_alive(&self, than: RevisionId) -> bool {
        self.revisions.iter().any(|(r, f)| *r != than && (f.alive > 0 || f.wanted > 0))
    }
}
