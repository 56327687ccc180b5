//! The trials of the table: which are counted, how their seconds are numbered, and what outlives a worker. One owner,
//! the [`Registry`](crate::registry::Registry).

use super::{Levels, MOST_CLIENTS, Units, ignore::Ignored};
use crate::counters::{Buckets, Counters};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc, time::Instant};
use tradewind_model::{
    id::RevisionId,
    protocol::trial::{Trial, UnitCounts, UnitTick},
    time::Timestamp,
};

/// A trial as requests see it.
pub struct LiveTrial {
    pub units: Arc<Units>,
    pub ignored: Ignored,
}

/// What must stay the same, or it is another trial: what was counted under one would be wrong under the other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Key {
    rollout: String,
    canary: RevisionId,
    baseline: RevisionId,
    bounds_ms: Vec<u32>,
}

struct Counting {
    route: String,
    key: Key,
    units: Arc<Units>,
    levels: Levels,
    /// Each start of counting has its own: it has forgotten who failed before.
    epoch: String,
    seq: u64,
    canary: Requests,
    baseline: Requests,
}

/// What a revision was asked since the last second.
struct Requests {
    counters: Option<Arc<Counters>>,
    requests: u64,
    failed: u64,
    latency: Buckets,
}

impl Requests {
    fn of(counters: Option<Arc<Counters>>) -> Self {
        let mut this = Self { counters, requests: 0, failed: 0, latency: Buckets::default() };
        this.since(&mut UnitCounts::default());
        this
    }

    fn since(&mut self, counts: &mut UnitCounts) {
        let Some(counters) = &self.counters else { return };
        let (requests, failed) = (counters.requests(), counters.failed());
        counts.requests = requests.saturating_sub(self.requests);
        counts.failed = failed.saturating_sub(self.failed);
        (self.requests, self.failed) = (requests, failed);
        let latency = counters.latency();
        counts.latency = latency.iter().zip(self.latency).map(|(now, before)| now.saturating_sub(before)).collect();
        counts.latency.truncate(counts.latency.iter().rposition(|n| *n > 0).map_or(0, |last| last + 1));
        self.latency = latency;
    }
}

impl Counting {
    fn end_second(&mut self, at: Instant, now: Timestamp) -> UnitTick {
        let mut second = self.units.end_second(at, &mut self.levels);
        self.canary.since(&mut second.canary);
        self.baseline.since(&mut second.baseline);
        self.seq += 1;
        UnitTick {
            route: self.route.clone(),
            rollout: self.key.rollout.clone(),
            epoch: self.epoch.clone(),
            seq: self.seq,
            at: now,
            feed: Default::default(),
            sampled: second.sampled,
            canary: second.canary,
            baseline: second.baseline,
        }
    }
}

/// What is remembered of a trial's clients: what a worker hands to the one that takes over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Memory {
    route: String,
    key: Key,
    sampled: u32,
    known: u32,
    /// Of each client, in base64: its point, the metrics it is out of, the arms it was seen on; little end first.
    clients: String,
}

const CLIENT_BYTES: usize = 11;
/// Clients of all trials that are handed on at most: a message has its bounds.
const MOST_HANDED: usize = 4 * MOST_CLIENTS;

impl Memory {
    fn clients(&self) -> impl Iterator<Item = (u64, (u16, u8))> {
        let bytes = BASE64.decode(&self.clients).unwrap_or_default();
        let clients: Vec<_> = bytes
            .as_chunks::<CLIENT_BYTES>()
            .0
            .iter()
            .map(|&[p0, p1, p2, p3, p4, p5, p6, p7, o0, o1, seen]| {
                let point = u64::from_le_bytes([p0, p1, p2, p3, p4, p5, p6, p7]);
                (point, (u16::from_le_bytes([o0, o1]), seen))
            })
            .collect();
        clients.into_iter()
    }
}

pub struct Trials {
    worker: String,
    threads: usize,
    most: usize,
    begun: u64,
    counting: HashMap<String, Counting>,
    /// They left the table within this second.
    over: Vec<Counting>,
    inherited: Vec<Memory>,
}

impl Trials {
    /// `worker` names this one among all; `most` clients are remembered for a trial.
    pub fn new(worker: &str, threads: usize, most: usize) -> Self {
        Self {
            worker: worker.to_owned(),
            threads,
            most,
            begun: 0,
            counting: HashMap::new(),
            over: Vec::new(),
            inherited: Vec::new(),
        }
    }

    /// To be called before the first table is put in force.
    pub fn inherit(&mut self, memories: Vec<Memory>) {
        self.inherited = memories;
    }

    /// A route of the table has this trial; it goes on if it is the one the route had before.
    pub fn follow(
        &mut self,
        route: &str,
        salt: &str,
        trial: &Trial,
        counters: impl Fn(RevisionId) -> Option<Arc<Counters>>,
    ) -> LiveTrial {
        let key = Key {
            rollout: salt.to_owned(),
            canary: trial.canary,
            baseline: trial.baseline,
            bounds_ms: trial.bounds_ms.clone(),
        };
        let ignored = Ignored::of(&trial.ignore);
        if let Some(counting) = self.counting.get(route).filter(|c| c.key == key) {
            return LiveTrial { units: counting.units.clone(), ignored };
        }
        self.begun += 1;
        let mut levels = Levels::default();
        let units = Arc::new(Units::new(&key.bounds_ms, self.threads, self.most));
        if let Some(at) = self.inherited.iter().position(|m| m.route == route && m.key == key) {
            let memory = self.inherited.swap_remove(at);
            levels = Levels { sampled: memory.sampled, known: memory.known };
            units.learn(levels, memory.clients());
        }
        let counting = Counting {
            route: route.to_owned(),
            units: units.clone(),
            levels,
            epoch: format!("{}-{}", self.worker, self.begun),
            seq: 0,
            canary: Requests::of(counters(key.canary)),
            baseline: Requests::of(counters(key.baseline)),
            key,
        };
        self.over.extend(self.counting.insert(route.to_owned(), counting));
        LiveTrial { units, ignored }
    }

    /// All others left the table.
    pub fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.over.extend(self.counting.extract_if(|route, _| !is_there(route)).map(|(_, c)| c));
        self.inherited.clear();
    }

    /// One tick a trial, also where nothing happened; the last of those that are over.
    pub fn end_second(&mut self, at: Instant, now: Timestamp) -> Vec<UnitTick> {
        let over = std::mem::take(&mut self.over);
        let mut ticks: Vec<_> = over.into_iter().map(|mut c| c.end_second(at, now)).collect();
        ticks.extend(self.counting.values_mut().map(|c| c.end_second(at, now)));
        ticks.sort_by(|a, b| a.route.cmp(&b.route));
        ticks
    }

    /// For the worker that takes over. What does not fit begins anew there.
    pub fn memories(&self) -> Vec<Memory> {
        let mut room = MOST_HANDED;
        let mut memories = Vec::new();
        for c in self.counting.values() {
            let clients = c.units.remembered();
            let Some(left) = room.checked_sub(clients.len()) else { continue };
            room = left;
            let mut bytes = Vec::with_capacity(clients.len() * CLIENT_BYTES);
            for (point, (out, seen)) in clients {
                bytes.extend(point.to_le_bytes());
                bytes.extend(out.to_le_bytes());
                bytes.push(seen);
            }
            memories.push(Memory {
                route: c.route.clone(),
                key: c.key.clone(),
                sampled: c.levels.sampled,
                known: c.levels.known,
                clients: BASE64.encode(bytes),
            });
        }
        memories
    }

    /// Routes with a trial: clients remembered, and one of `2^` how many is looked at.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, u64, u32)> {
        self.counting.values().map(|c| (c.route.as_str(), c.units.clients(), c.levels.sampled))
    }
}
