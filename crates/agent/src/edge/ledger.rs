//! What the edge serves, and what it may still be serving. Pure bookkeeping.
//!
//! Between sending a table and its acknowledgement the edge may follow either; after it, requests begun under the
//! older table may still be in flight until the edge reports them drained. An instance is stopped only when neither
//! holds, or when its drain time is over.

use super::compose::Plan;
use std::collections::{BTreeSet, VecDeque};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::ObservedRoute,
        edge::{Stats, Table},
    },
};

const MOST_UNACKNOWLEDGED: usize = 64;

#[derive(Debug)]
struct Sent {
    version: u64,
    instances: BTreeSet<InstanceId>,
    observed: Vec<ObservedRoute>,
}

#[derive(Debug)]
pub struct Ledger {
    probe_token: String,
    /// The newest plan and the version it was given.
    newest: Option<(u64, Plan)>,
    /// Handed to the link, oldest first; the first is the acknowledged one if there is any.
    sent: VecDeque<Sent>,
    acknowledged: Option<u64>,
    /// Left the acknowledged table and still have requests in flight, for all we know.
    leaving: BTreeSet<InstanceId>,
    /// Reported drained before the acknowledgement arrived.
    drained_early: BTreeSet<InstanceId>,
    /// Tables of an earlier life of this agent may hold these; empty after the first acknowledgement.
    inherited: BTreeSet<InstanceId>,
}

impl Ledger {
    /// `inherited`: the instances a predecessor of this process may have given to the edge.
    pub fn new(probe_token: String, inherited: BTreeSet<InstanceId>) -> Self {
        Self {
            probe_token,
            newest: None,
            sent: VecDeque::new(),
            acknowledged: None,
            leaving: BTreeSet::new(),
            drained_early: BTreeSet::new(),
            inherited,
        }
    }

    pub fn probe_token(&self) -> &str {
        &self.probe_token
    }

    /// The table to send if `plan` asks for another than the newest, under a version from `next_version`.
    /// `afresh`: give it a new version even so.
    pub fn plan(&mut self, plan: Plan, afresh: bool, next_version: impl FnOnce() -> u64) -> Option<Table> {
        if let Some((version, newest)) = &mut self.newest
            && !afresh
            && newest.routes == plan.routes
        {
            // The same table under a later intent: whoever acknowledged it has acknowledged the intent.
            if newest.observed != plan.observed {
                newest.observed.clone_from(&plan.observed);
                if let Some(sent) = self.sent.iter_mut().rfind(|s| s.version == *version) {
                    sent.observed.clone_from(&plan.observed);
                }
            }
            return None;
        }
        let version = next_version();
        self.sent.push_back(Sent { version, instances: plan.instances(), observed: plan.observed.clone() });
        if self.sent.len() > MOST_UNACKNOWLEDGED {
            // An edge that reads and never answers must not fill our memory: what it was sent is remembered as one.
            let merged = self.sent.remove(1).map(|s| s.instances).unwrap_or_default();
            self.sent[0].instances.extend(merged);
        }
        self.drained_early.clear();
        self.newest = Some((version, plan));
        self.table()
    }

    /// The newest table.
    pub fn table(&self) -> Option<Table> {
        let (version, plan) = self.newest.as_ref()?;
        Some(Table { version: *version, routes: plan.routes.clone(), probe_token: self.probe_token.clone() })
    }

    pub fn newest_version(&self) -> u64 {
        self.newest.as_ref().map_or(0, |(version, _)| *version)
    }

    /// From here on no new request follows a table older than `version`.
    pub fn acknowledge(&mut self, version: u64) {
        let Some(at) = self.sent.iter().position(|s| s.version == version) else {
            return;
        };
        let mut left: BTreeSet<InstanceId> = std::mem::take(&mut self.inherited);
        for old in self.sent.drain(..at) {
            left.extend(old.instances);
        }
        let held = &self.sent[0].instances;
        self.leaving.extend(left.into_iter().filter(|id| !self.drained_early.contains(id)));
        self.leaving.retain(|id| !held.contains(id));
        self.acknowledged = Some(version);
    }

    pub fn drained(&mut self, id: InstanceId) {
        self.leaving.remove(&id);
        if self.newest.as_ref().is_some_and(|(_, plan)| !plan.instances().contains(&id)) {
            self.drained_early.insert(id);
        }
    }

    /// Counters name every target the edge still has something to do with; who is not named is drained, even when the
    /// word for it was lost with a connection.
    pub fn counted(&mut self, stats: &Stats) {
        if self.acknowledged.is_some_and(|version| stats.table >= version) {
            self.leaving.retain(|id| stats.targets.iter().any(|t| t.instance == *id));
        }
    }

    /// May a request still be on its way to this instance, or begin to be?
    pub fn may_be_served(&self, id: InstanceId) -> bool {
        self.inherited.contains(&id)
            || self.leaving.contains(&id)
            || self.sent.iter().any(|s| s.instances.contains(&id))
    }

    /// Routes of the acknowledged table.
    pub fn observed(&self) -> Vec<ObservedRoute> {
        match (self.acknowledged, self.sent.front()) {
            (Some(version), Some(sent)) if sent.version == version => sent.observed.clone(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{
        id::{Place, RevisionId},
        protocol::edge::{Mode, Route, RouteLimits, Split, Sticky, Target, TargetStats},
        time::Timestamp,
    };
    use uuid::Uuid;

    fn id(n: u128) -> InstanceId {
        InstanceId(Uuid::from_u128(n))
    }
    fn plan(version: u64, instances: &[u128]) -> Plan {
        let place =
            Place { service: "shop".parse().unwrap(), env: "dev".parse().unwrap(), site: "default".parse().unwrap() };
        Plan {
            routes: vec![Route {
                id: place.to_string(),
                hosts: vec![],
                path_prefix: "/".into(),
                mode: Mode::Serve,
                sticky: Sticky::None,
                salt: String::new(),
                splits: vec![Split {
                    revision: RevisionId(Uuid::nil()),
                    label: "v1".into(),
                    weight: 10_000,
                    targets: instances
                        .iter()
                        .map(|&n| Target { instance: id(n), addr: ([127, 0, 0, 1], 1).into() })
                        .collect(),
                }],
                limits: RouteLimits::default(),
                health: None,
                trial: None,
            }],
            observed: vec![ObservedRoute { place, version, splits: vec![], tripped: None }],
        }
    }
    fn stats(table: u64, draining: &[u128]) -> Stats {
        Stats {
            epoch: "e".into(),
            at: Timestamp(0),
            table,
            splits: vec![],
            targets: draining
                .iter()
                .map(|&n| TargetStats { instance: id(n), in_flight: 1, healthy: true, draining: true })
                .collect(),
        }
    }

    #[test]
    fn an_instance_is_let_go_only_after_acknowledgement_and_drain() {
        let mut ledger = Ledger::new("t".into(), BTreeSet::new());
        assert_eq!(ledger.plan(plan(1, &[1]), false, || 10).unwrap().version, 10);
        assert!(ledger.may_be_served(id(1)), "a sent table may be served");
        assert!(ledger.observed().is_empty(), "nothing was acknowledged");
        ledger.acknowledge(10);
        assert_eq!(ledger.observed()[0].version, 1);

        ledger.plan(plan(2, &[2]), false, || 11).unwrap();
        assert!(ledger.may_be_served(id(1)) && ledger.may_be_served(id(2)));
        assert_eq!(ledger.observed()[0].version, 1, "the older table is still followed");
        ledger.acknowledge(11);
        assert!(ledger.may_be_served(id(1)), "requests in flight");
        ledger.drained(id(1));
        assert!(!ledger.may_be_served(id(1)));
        assert_eq!(ledger.observed()[0].version, 2);
    }

    #[test]
    fn a_later_intent_for_the_same_table_needs_no_new_table() {
        let mut ledger = Ledger::new("t".into(), BTreeSet::new());
        ledger.plan(plan(1, &[1]), false, || 1);
        ledger.acknowledge(1);
        assert_eq!(ledger.plan(plan(2, &[1]), false, || unreachable!()), None);
        assert_eq!(ledger.observed()[0].version, 2);
        assert_eq!(ledger.plan(plan(2, &[1]), true, || 2).unwrap().version, 2, "afresh, after a refusal");
    }

    #[test]
    fn a_lost_word_of_draining_is_made_good_by_the_counters() {
        let mut ledger = Ledger::new("t".into(), BTreeSet::new());
        ledger.plan(plan(1, &[1]), false, || 1);
        ledger.plan(plan(1, &[2]), false, || 2);
        ledger.acknowledge(2);
        ledger.counted(&stats(1, &[]));
        assert!(ledger.may_be_served(id(1)), "counted before the swap");
        ledger.counted(&stats(2, &[1]));
        assert!(ledger.may_be_served(id(1)), "still draining");
        ledger.counted(&stats(2, &[]));
        assert!(!ledger.may_be_served(id(1)));
    }

    #[test]
    fn what_an_earlier_agent_gave_to_the_edge_is_remembered_until_the_first_acknowledgement() {
        let mut ledger = Ledger::new("t".into(), BTreeSet::from([id(1), id(2)]));
        assert!(ledger.may_be_served(id(1)));
        ledger.plan(plan(1, &[2]), false, || 5);
        ledger.drained(id(1));
        assert!(ledger.may_be_served(id(1)), "not acknowledged yet");
        ledger.acknowledge(5);
        assert!(!ledger.may_be_served(id(1)), "drained before its acknowledgement was read");
        assert!(ledger.may_be_served(id(2)));
    }

    #[test]
    fn an_instance_that_comes_back_is_not_taken_for_leaving() {
        let mut ledger = Ledger::new("t".into(), BTreeSet::new());
        ledger.plan(plan(1, &[1]), false, || 1);
        ledger.plan(plan(1, &[]), false, || 2);
        ledger.acknowledge(2);
        ledger.plan(plan(1, &[1]), false, || 3);
        ledger.acknowledge(3);
        ledger.drained(id(1));
        assert!(ledger.may_be_served(id(1)), "it is in the table");
    }
}
