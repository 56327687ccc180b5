//! What outlives a table: targets by instance, counters by route and revision. One owner, the [`Switch`](crate::switch).

use crate::{
    counters::Counters,
    table::{
        Live, LiveRoute, LiveSplit, LiveSticky,
        assign::{AssignKey, SplitPoint},
        hosts::Hosts,
    },
    target::Target,
    units::{Arm, Trials},
};
use http::{HeaderName, HeaderValue};
use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU32},
};
use tradewind_model::{
    id::{InstanceId, RevisionId},
    protocol::edge::{Route, Sticky, Table},
};

const COUNTERS_KEPT: usize = 512;

pub struct Registry {
    shards: usize,
    serial: u64,
    targets: HashMap<InstanceId, Arc<Target>>,
    counters: HashMap<(String, RevisionId), Arc<Counters>>,
    held: HashMap<String, Arc<AtomicU32>>,
    pub trials: Trials,
}

impl Registry {
    pub fn new(shards: usize, trials: Trials) -> Self {
        Self { shards, serial: 0, targets: HashMap::new(), counters: HashMap::new(), held: HashMap::new(), trials }
    }

    /// The live form of a table that passed [`check`](crate::table::check::check), and the targets that are not in it any more. An instance that
    /// comes back, or comes with another address, is a new target: what drains, drains.
    pub fn compile(&mut self, table: Arc<Table>) -> (Live, Vec<Arc<Target>>) {
        let mut before = std::mem::take(&mut self.targets);
        let mut hosts = Hosts::default();
        let mut routes = Vec::with_capacity(table.routes.len());
        for (index, route) in table.routes.iter().enumerate() {
            if route.hosts.is_empty() {
                hosts.add(None, &route.path_prefix, index);
            }
            for host in &route.hosts {
                hosts.add(Some(host), &route.path_prefix, index);
            }
            routes.push(Arc::new(self.route(route, &before)));
        }
        before.retain(|instance, old| self.targets.get(instance).is_none_or(|new| !Arc::ptr_eq(old, new)));
        self.held.retain(|id, _| table.routes.iter().any(|r| r.id == *id));
        self.trials.retain(|id| routes.iter().any(|r| *r.id == *id && r.trial.is_some()));
        self.forget_counters();
        self.serial += 1;
        (Live { serial: self.serial, table, routes, hosts }, before.into_values().collect())
    }

    fn route(&mut self, route: &Route, before: &HashMap<InstanceId, Arc<Target>>) -> LiveRoute {
        let counted = route.trial.as_ref().filter(|t| t.counted);
        let splits: Vec<_> = route
            .splits
            .iter()
            .map(|split| LiveSplit {
                revision: split.revision,
                revision_header: header(&split.revision.to_string()),
                weight: split.weight,
                point: SplitPoint::of(&split.revision.to_string()),
                arm: counted.and_then(|t| Arm::of(t, split.revision)),
                counters: self
                    .counters
                    .entry((route.id.clone(), split.revision))
                    .or_insert_with(|| Arc::new(Counters::new(self.shards, &route.id, split.revision, &split.label)))
                    .clone(),
                targets: split
                    .targets
                    .iter()
                    .map(|t| {
                        let shards = self.shards;
                        self.targets
                            .entry(t.instance)
                            .or_insert_with(|| match before.get(&t.instance) {
                                Some(old) if old.addr == t.addr => old.clone(),
                                _ => Arc::new(Target::new(t.instance, t.addr, shards)),
                            })
                            .clone()
                    })
                    .collect(),
            })
            .collect();
        let mut weighted = splits.iter().enumerate().filter(|(_, s)| s.weight > 0).map(|(i, _)| i);
        let only = weighted.next().filter(|_| weighted.next().is_none());
        let trial = counted.map(|trial| {
            let counters = |of| splits.iter().find(|s| s.revision == of).map(|s| s.counters.clone());
            self.trials.follow(&route.id, &route.salt, trial, counters)
        });
        LiveRoute {
            id: route.id.as_str().into(),
            mode: route.mode,
            sticky: sticky(&route.sticky),
            key: AssignKey::of(&route.salt),
            limits: route.limits,
            splits,
            only,
            held: self.held.entry(route.id.clone()).or_default().clone(),
            trial,
        }
    }

    /// Counters outlive their table, so that a revision that comes back counts on; not without end, though.
    fn forget_counters(&mut self) {
        if self.counters.len() <= COUNTERS_KEPT {
            return;
        }
        // What no table and no request holds, longest without a request first.
        let mut idle: Vec<_> = self
            .counters
            .iter()
            .filter(|(_, c)| Arc::strong_count(c) == 1)
            .map(|(key, c)| (c.snapshot().last_request_at, key.clone()))
            .collect();
        idle.sort();
        for (_, key) in idle.into_iter().take(self.counters.len() - COUNTERS_KEPT) {
            self.counters.remove(&key);
        }
    }

    pub fn counters(&self) -> impl Iterator<Item = &Arc<Counters>> {
        self.counters.values()
    }

    pub fn target(&self, instance: InstanceId) -> Option<&Arc<Target>> {
        self.targets.get(&instance)
    }
}

fn sticky(sticky: &Sticky) -> LiveSticky {
    match sticky {
        Sticky::None => LiveSticky::None,
        Sticky::Cookie { name, max_age_s, secure } => LiveSticky::Cookie {
            name: name.as_str().into(),
            attributes: format!(
                "; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{}",
                if *secure { "; Secure" } else { "" }
            )
            .into(),
        },
        Sticky::Header { name } => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => LiveSticky::Header(name),
            Err(_) => LiveSticky::None,
        },
    }
}

/// Ids are visible ASCII.
pub fn header(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static("-"))
}
