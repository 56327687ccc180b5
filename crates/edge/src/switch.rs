//! Puts tables into force and lets go of what left them. One owner: the control loop.
//!
//! The order is: publish, drain, make durable, acknowledge. From `publish` on no request enters a target by an older
//! table (see [`target`](crate::target)); the acknowledgement waits for the disk, so that a restart does not serve an older table than
//! was acknowledged. Draining happens beside, without any lock.

use crate::{
    counters::Counters,
    disk::{self, Home, Kept},
    faults,
    health::Checks,
    proxy::Proxy,
    registry::Registry,
    table::{Live, check::check},
    target::Target,
    units::{Memory, Trials},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};
use tradewind_model::{
    fault::Fault,
    id::InstanceId,
    protocol::{
        edge::{SplitStats, Table, TargetStats},
        trial::UnitTick,
    },
    time::Timestamp,
};

/// What is closed at the end of its drain time is gone within this.
const CUT_GRACE: Duration = Duration::from_secs(5);
/// Drained instances told to an agent that connects later.
const REMEMBERED: usize = 1_024;

pub struct Switch {
    proxy: Arc<Proxy>,
    registry: Registry,
    checks: Checks,
    /// None when a successor keeps the table.
    home: Option<Home>,
    /// What should be on disk and is not, because writing failed.
    unkept: bool,
    draining: Vec<Arc<Target>>,
    emptied: mpsc::UnboundedSender<Arc<Target>>,
    drained: VecDeque<InstanceId>,
    drained_total: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// In force from now on.
    New,
    /// It was in force already.
    Again,
}

impl Switch {
    /// `emptied` hears of draining targets that have nothing in flight any more.
    pub fn new(
        proxy: Arc<Proxy>,
        shards: usize,
        checks: Checks,
        home: Home,
        emptied: mpsc::UnboundedSender<Arc<Target>>,
        trials: Trials,
    ) -> Self {
        Self {
            proxy,
            registry: Registry::new(shards, trials),
            checks,
            home: Some(home),
            unkept: false,
            draining: Vec::new(),
            emptied,
            drained: VecDeque::new(),
            drained_total: 0,
        }
    }

    /// Version of the table being served.
    pub fn serving(&self) -> u64 {
        self.proxy.live().table.version
    }

    /// What was kept, with targets in the health they were last known in, and what is remembered of trials' clients.
    pub fn restore(&mut self, kept: Kept, drained: Vec<InstanceId>, memories: Vec<Memory>) -> Result<(), Fault> {
        check(&kept.table)?;
        self.registry.trials.inherit(memories);
        self.drained.extend(drained);
        let (live, _) = self.registry.compile(Arc::new(kept.table));
        for target in kept.failing.iter().filter_map(|i| self.registry.target(*i)) {
            target.set_failing(true);
        }
        self.put_in_force(live);
        Ok(())
    }

    pub async fn apply(&mut self, table: Table) -> Result<Applied, Fault> {
        let serving = self.serving();
        if table.version < serving {
            let fault = Fault::new(&faults::TABLE_OLD);
            return Err(fault.with("version", table.version).with("serving", serving));
        }
        if table.version == serving && serving > 0 {
            return Ok(Applied::Again);
        }
        check(&table)?;
        let before = self.proxy.live();
        let (live, removed) = self.registry.compile(Arc::new(table));
        self.put_in_force(live);
        self.drain(&before, removed);
        self.keep().await;
        Ok(Applied::New)
    }

    fn put_in_force(&mut self, live: Live) {
        self.proxy.publish(live);
        self.checks.follow(&self.proxy.live());
    }

    fn drain(&mut self, before: &Live, removed: Vec<Arc<Target>>) {
        let times: HashMap<InstanceId, u64> = before
            .routes
            .iter()
            .flat_map(|r| r.splits.iter().flat_map(|s| &s.targets).map(|t| (t.instance, r.limits.drain_ms)))
            .collect();
        for target in removed {
            target.start_draining();
            let time = Duration::from_millis(times.get(&target.instance).copied().unwrap_or_default());
            self.draining.push(target.clone());
            let emptied = self.emptied.clone();
            tokio::spawn(async move {
                if timeout(time, target.empty()).await.is_err() {
                    let left = target.in_flight();
                    tracing::warn!(instance = %target.instance, left, "drain time is over: closing what is left");
                    target.cut_off();
                    drop(timeout(CUT_GRACE, target.empty()).await);
                }
                drop(emptied.send(target));
            });
        }
    }

    /// A draining target has nothing in flight any more. Its instance, when it is out of use altogether.
    pub fn emptied(&mut self, target: &Arc<Target>) -> Option<InstanceId> {
        self.draining.retain(|t| !Arc::ptr_eq(t, target));
        let instance = target.instance;
        if !self.is_idle(instance) {
            return None;
        }
        self.drained_total += 1;
        Some(instance)
    }

    /// For agents that connect later.
    pub fn remember_drained(&mut self, instance: InstanceId) {
        if self.drained.len() == REMEMBERED {
            self.drained.pop_front();
        }
        self.drained.push_back(instance);
    }

    /// Instances that were drained and are not in use again, for an agent that was not there to hear it.
    pub fn drained(&self) -> impl Iterator<Item = InstanceId> {
        self.drained.iter().copied().filter(|i| self.is_idle(*i))
    }

    /// Instances that left the table and have requests in flight.
    pub fn draining(&self) -> impl Iterator<Item = InstanceId> {
        self.draining.iter().map(|t| t.instance)
    }

    pub fn kept(&self) -> Kept {
        let live = self.proxy.live();
        let failing = live.targets().filter(|t| t.is_failing()).map(|t| t.instance).collect();
        Kept { table: Table::clone(&live.table), failing }
    }

    /// Writes the table and the health of its targets to disk. A disk that refuses does not stop traffic: it is said
    /// and tried again.
    pub async fn keep(&mut self) {
        let Some(home) = &self.home else { return };
        let (path, kept) = (home.table(), self.kept());
        let written = tokio::task::spawn_blocking(move || disk::keep_table(&path, &kept)).await;
        let result = written.map_err(std::io::Error::other).flatten();
        if let Err(error) = &result {
            tracing::error!(%error, "the table is served but could not be kept: a restart would serve the one before");
        }
        self.unkept = result.is_err();
    }

    pub fn leave_disk_to_successor(&mut self) {
        self.home = None;
    }

    /// Neither in the table nor draining.
    pub fn is_idle(&self, instance: InstanceId) -> bool {
        self.registry.target(instance).is_none() && !self.draining.iter().any(|t| t.instance == instance)
    }

    /// Once a second.
    pub async fn tick(&mut self) {
        let now = std::time::Instant::now();
        for target in self.proxy.live().targets() {
            target.pool.expire(now);
        }
        if self.unkept {
            self.keep().await;
        }
    }

    pub fn trials(&self) -> &Trials {
        &self.registry.trials
    }

    /// What was counted of each trial since the last time.
    pub fn end_second(&mut self, at: std::time::Instant, now: Timestamp) -> Vec<UnitTick> {
        self.registry.trials.end_second(at, now)
    }

    pub fn drained_total(&self) -> u64 {
        self.drained_total
    }

    pub fn counters(&self) -> impl Iterator<Item = &Arc<Counters>> {
        self.registry.counters()
    }

    pub fn split_stats(&self) -> Vec<SplitStats> {
        let mut all: Vec<_> = self.registry.counters().map(|c| c.snapshot()).collect();
        all.sort_by(|a, b| (&a.route, a.revision).cmp(&(&b.route, b.revision)));
        all
    }

    pub fn target_stats(&self) -> Vec<TargetStats> {
        let live = self.proxy.live();
        let mut seen = std::collections::HashSet::new();
        let served = live.targets().filter(|t| seen.insert(t.instance));
        let stats = |t: &Arc<Target>, draining| TargetStats {
            instance: t.instance,
            in_flight: t.in_flight().into(),
            healthy: !t.is_failing(),
            draining,
        };
        served.map(|t| stats(t, false)).chain(self.draining.iter().map(|t| stats(t, true))).collect()
    }
}
