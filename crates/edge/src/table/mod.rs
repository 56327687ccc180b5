//! The table in the form requests are routed by.
//!
//! A [`Live`] table never changes. What outlives it (targets with their connections, counters) is shared with the
//! table before it through the [`Registry`](crate::registry::Registry).

pub mod assign;
pub mod check;
pub mod hosts;

use crate::{
    counters::Counters,
    target::Target,
    units::{Arm, LiveTrial},
};
use assign::{AssignKey, ClientPoint, SplitPoint};
use hosts::Hosts;
use http::{HeaderName, HeaderValue};
use std::sync::{Arc, atomic::AtomicU32};
use tradewind_model::{
    id::RevisionId,
    protocol::edge::{Mode, RouteLimits, Table},
};

pub struct Live {
    /// Names this table within the worker: versions may repeat over restarts, serials do not.
    pub serial: u64,
    pub table: Arc<Table>,
    pub routes: Vec<Arc<LiveRoute>>,
    pub hosts: Hosts,
}

pub struct LiveRoute {
    pub id: Box<str>,
    pub mode: Mode,
    pub sticky: LiveSticky,
    pub key: AssignKey,
    pub limits: RouteLimits,
    pub splits: Vec<LiveSplit>,
    /// The split that has all the weight, if one has.
    pub only: Option<usize>,
    /// Requests held by [`Mode::Pause`], over all tables.
    pub held: Arc<AtomicU32>,
    /// One whose units are counted.
    pub trial: Option<LiveTrial>,
}

pub enum LiveSticky {
    None,
    Cookie {
        name: Box<str>,
        /// What follows the cookie's value in `Set-Cookie`.
        attributes: Box<str>,
    },
    Header(HeaderName),
}

pub struct LiveSplit {
    pub revision: RevisionId,
    pub revision_header: HeaderValue,
    pub weight: u32,
    pub point: SplitPoint,
    pub targets: Vec<Arc<Target>>,
    pub counters: Arc<Counters>,
    /// What it is in the route's trial.
    pub arm: Option<Arm>,
}

impl Live {
    /// What is served before the first table.
    pub fn empty() -> Self {
        Self { serial: 0, table: Arc::default(), routes: Vec::new(), hosts: Hosts::default() }
    }

    pub fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.routes.iter().flat_map(|r| r.splits.iter()).flat_map(|s| s.targets.iter())
    }
}

impl LiveRoute {
    /// The split a client belongs to, whether or not it has targets.
    pub fn assign(&self, client: ClientPoint) -> Option<usize> {
        match self.only {
            Some(only) => Some(only),
            None => assign::choose(client, self.splits.iter().enumerate().map(|(i, s)| (i, s.point, s.weight))),
        }
    }

    /// Where a client goes whose own split has no target: the same draw among the splits that have one. A split of
    /// weight 0 never takes over: that is a rollback, and not for the edge to decide.
    pub fn assign_with_targets(&self, client: ClientPoint) -> Option<usize> {
        let with_targets = self.splits.iter().enumerate().filter(|(_, s)| !s.targets.is_empty());
        assign::choose(client, with_targets.map(|(i, s)| (i, s.point, s.weight)))
    }
}
