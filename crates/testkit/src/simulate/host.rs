//! A host in the simulation: an agent that reconciles, processes that outlive it, and an edge that acknowledges.

use super::{random::Random, sizes::Size};
use std::collections::BTreeMap;
use tradewind_model::{
    id::{InstanceId, RevisionId, RolloutId, SiteName},
    protocol::{
        agent::{DesiredPhase, InstancePhase},
        edge::Mode,
        trial::{ShardTrial, Trial, TripCause},
    },
    rollout::desired::{PlaceDesired, WantedRoute},
    workload::ServiceKind,
};

/// How a revision's processes behave, whatever host they are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    Good,
    NeverReady,
    CannotStart,
    /// Becomes ready, and fails some time later.
    Fails,
    /// Passes every check, and answers wrongly: only the judge and the fixed limits find out.
    Wrong,
}

/// What a host lives in.
pub struct Surroundings<'a> {
    pub natures: &'a BTreeMap<RevisionId, Nature>,
    pub faults: bool,
    pub now_ms: u64,
    /// No worker begins beside another that does the same work, and shards may be taken back without the server. Without a
    /// fence the server alone keeps them apart.
    pub fenced: bool,
    pub size: &'a dyn Fn(RevisionId) -> Size,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Unpacked, nothing runs.
    Prepared,
    Starting,
    Ready,
    Unready,
    Stopping,
    Failed,
}

impl Phase {
    pub fn alive(self) -> bool {
        match self {
            Self::Prepared | Self::Failed => false,
            Self::Starting | Self::Ready | Self::Unready | Self::Stopping => true,
        }
    }
    pub fn reported(self) -> InstancePhase {
        match self {
            Self::Prepared => InstancePhase::Stopped,
            Self::Starting => InstancePhase::Starting,
            Self::Ready => InstancePhase::Ready,
            Self::Unready => InstancePhase::Unhealthy,
            Self::Stopping => InstancePhase::Stopping,
            Self::Failed => InstancePhase::Failed,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Process {
    pub site: SiteName,
    pub revision: RevisionId,
    pub ordinal: u32,
    pub phase: Phase,
    /// What it heard last that it is to do; it goes by that, and by nothing newer.
    pub heard: Option<DesiredPhase>,
}

/// The whole desired state of the host, as sent.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    pub generation: u64,
    pub sites: BTreeMap<SiteName, PlaceDesired>,
    /// The rollout that wrote a site's route last.
    pub salts: BTreeMap<SiteName, RolloutId>,
    pub shard_trials: BTreeMap<SiteName, ShardTrial>,
    /// (site, revision, attempt) of verifications wanted.
    pub verify: Vec<(SiteName, RevisionId, String)>,
}

/// The whole observed state of the host, as sent.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub epoch: u64,
    pub seq: u64,
    pub generation: u64,
    pub instances: BTreeMap<InstanceId, (SiteName, RevisionId, Phase)>,
    pub routes: BTreeMap<SiteName, (u64, Option<Trip>)>,
    pub shard_trips: BTreeMap<SiteName, (ShardTrial, TripCause)>,
    pub verified: BTreeMap<String, bool>,
}

/// A canary that the agent gave up by itself; in force until the route has another salt or another trial.
#[derive(Clone, PartialEq, Debug)]
pub struct Trip {
    pub rollout: RolloutId,
    pub trial: Trial,
    pub cause: TripCause,
}

/// What the edge serves for one site.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub version: u64,
    pub mode: Option<Mode>,
    pub targets: Vec<InstanceId>,
    /// What its shares come from, where they are not the server's.
    pub trip: Option<Trip>,
}

#[derive(Default, Debug)]
pub struct Host {
    /// Its processes are runs of a schedule, which begin and end by themselves.
    scheduled: bool,
    pub epoch: u64,
    seq: u64,
    /// The generation it reported last.
    said: u64,
    pub desired: Desired,
    /// It has a desired state. Without one, what runs goes on.
    told: bool,
    pub processes: BTreeMap<InstanceId, Process>,
    pub edge: BTreeMap<SiteName, Table>,
    verified: BTreeMap<String, bool>,
    trips: BTreeMap<SiteName, Trip>,
    shard_trips: BTreeMap<SiteName, (ShardTrial, TripCause)>,
    /// When the server was heard of last, by a clock that nobody sets; milliseconds.
    pub heard_ms: u64,
}

impl Host {
    pub fn of(kind: ServiceKind) -> Self {
        Self { scheduled: kind == ServiceKind::Cron, ..Self::default() }
    }

    /// A stale generation is refused.
    pub fn receive(&mut self, desired: Desired) {
        if desired.generation >= self.desired.generation {
            self.desired = desired;
            self.told = true;
        }
    }

    pub fn report(&mut self) -> Observed {
        self.seq += 1;
        if self.all_have_heard() {
            self.said = self.desired.generation;
        }
        Observed {
            epoch: self.epoch,
            seq: self.seq,
            generation: self.said,
            instances: self.processes.iter().map(|(id, p)| (*id, (p.site.clone(), p.revision, p.phase))).collect(),
            routes: self.edge.iter().map(|(s, t)| (s.clone(), (t.version, t.trip.clone()))).collect(),
            shard_trips: self
                .shard_trips
                .iter()
                .filter(|(site, (trial, _))| self.desired.shard_trials.get(*site) == Some(trial))
                .map(|(site, trip)| (site.clone(), trip.clone()))
                .collect(),
            verified: self.verified.clone(),
        }
    }

    /// One that has not heard yet that it is to rest may begin at any moment: what is seen was not seen under the newest wish.
    fn all_have_heard(&self) -> bool {
        let run = Some(DesiredPhase::Run);
        self.processes.iter().all(|(id, p)| p.heard != run || self.wanted(*id) == run)
    }

    /// kill -9: what it held in memory is gone, processes and the edge's table are not.
    pub fn restart_agent(&mut self) {
        self.epoch += 1;
        self.seq = 0;
        // The next one tells them what is desired before they do anything.
        let wanted: Vec<_> = self.processes.keys().map(|id| self.wanted(*id)).collect();
        for (p, wanted) in self.processes.values_mut().zip(wanted) {
            if wanted != Some(DesiredPhase::Run) {
                p.heard = wanted;
            }
        }
    }

    /// kill -9, and the next agent finds its desired state damaged.
    pub fn forget(&mut self) {
        self.restart_agent();
        (self.desired, self.told, self.said) = (Desired::default(), false, 0);
    }

    /// The machine is set up anew, with an empty data folder.
    pub fn begin_anew(&mut self) {
        self.forget();
        self.processes.clear();
        self.edge.clear();
        self.verified.clear();
        self.trips.clear();
        self.shard_trips.clear();
    }

    /// Reconciles a little: one process, one table or one verification. Fixed limits and leases are looked at first.
    pub fn tick(&mut self, random: &mut Random, surroundings: &Surroundings<'_>) {
        let Surroundings { natures, faults, now_ms, .. } = *surroundings;
        if !self.told {
            return self.tick_process(random, surroundings);
        }
        self.watch_trials(random, natures, faults, now_ms);
        if surroundings.fenced {
            self.watch_shards(random, natures, faults, now_ms);
        }
        match random.below(4) {
            0 | 1 => self.tick_process(random, surroundings),
            2 => self.tick_edge(),
            _ => self.tick_verify(random, natures, faults),
        }
    }

    fn watch_trials(&mut self, random: &mut Random, natures: &BTreeMap<RevisionId, Nature>, faults: bool, now_ms: u64) {
        let mut happened = Vec::new();
        for (site, place) in &self.desired.sites {
            let Some(route) = &place.route else { continue };
            let (Some(trial), Some(salt)) = (&route.trial, self.desired.salts.get(site)) else { continue };
            let on = route.splits.iter().any(|(r, w)| *r == trial.canary && *w > 0);
            if !on || in_force(&self.trips, site, route, *salt).is_some() {
                continue;
            }
            let wrong = natures.get(&trial.canary) == Some(&Nature::Wrong);
            let served = self.edge.get(site).is_some_and(|t| {
                t.targets.iter().any(|id| self.processes.get(id).is_some_and(|p| p.revision == trial.canary))
            });
            let cause = if now_ms.saturating_sub(self.heard_ms) >= trial.lease_ms {
                TripCause::Lease { lease_ms: trial.lease_ms }
            } else if served && (wrong && random.one_in(40) || faults && random.one_in(1_500)) {
                match random.one_in(2) {
                    true => TripCause::ErrorRate { failed: 30, requests: 400, limit: 500, for_ms: 30_000 },
                    false => TripCause::P99 { slow: 9, requests: 400, limit_ms: 3_000, for_ms: 30_000 },
                }
            } else {
                continue;
            };
            happened.push((site.clone(), Trip { rollout: *salt, trial: trial.clone(), cause }));
        }
        self.trips.extend(happened);
    }

    /// By shard: what the route's trials are for requests.
    fn watch_shards(&mut self, random: &mut Random, natures: &BTreeMap<RevisionId, Nature>, faults: bool, now_ms: u64) {
        for (site, trial) in &self.desired.shard_trials {
            if self.gave_back(site).is_some() {
                continue;
            }
            let works = |p: &Process| p.site == *site && p.revision == trial.canary && p.phase == Phase::Ready;
            let wrong = natures.get(&trial.canary) == Some(&Nature::Wrong);
            let cause = if now_ms.saturating_sub(self.heard_ms) >= trial.lease_ms {
                TripCause::Lease { lease_ms: trial.lease_ms }
            } else if self.processes.values().any(works) && (wrong && random.one_in(10) || faults && random.one_in(20))
            {
                TripCause::Events { metric: "cycles".into(), failed: 30, of: 200, limit: 500, for_ms: 30_000 }
            } else {
                continue;
            };
            self.shard_trips.insert(site.clone(), (trial.clone(), cause));
        }
    }

    /// The trial whose shards this host takes back by itself.
    pub fn gave_back(&self, site: &SiteName) -> Option<&ShardTrial> {
        let (trial, _) = self.shard_trips.get(site)?;
        self.desired.shard_trials.get(site).filter(|desired| *desired == trial)
    }

    fn wanted(&self, id: InstanceId) -> Option<DesiredPhase> {
        if !self.told {
            return self.processes.get(&id).and_then(|p| p.heard);
        }
        let (site, wanted) =
            self.desired.sites.iter().find_map(|(s, p)| Some((s, p.instances.iter().find(|i| i.id == id)?)))?;
        match self.gave_back(site) {
            Some(trial) if wanted.revision == trial.canary => Some(DesiredPhase::Stopped),
            Some(trial) if wanted.revision == trial.baseline => Some(DesiredPhase::Run),
            Some(_) | None => Some(wanted.phase),
        }
    }

    /// Somebody else does its work: it does not begin.
    fn is_held(&self, id: InstanceId, size: &dyn Fn(RevisionId) -> Size) -> bool {
        let Some(own) = self.processes.get(&id) else { return false };
        let beside = |p: &Process| {
            let works = p.phase.alive() || p.heard == Some(DesiredPhase::Run);
            let other = p.site == own.site && works && p.revision != own.revision;
            other && size(own.revision).collides(own.ordinal, &size(p.revision), p.ordinal)
        };
        self.processes.iter().any(|(other, p)| *other != id && beside(p))
    }

    fn tick_process(&mut self, random: &mut Random, surroundings: &Surroundings<'_>) {
        let Surroundings { natures, faults, fenced, size, .. } = *surroundings;
        for (site, place) in &self.desired.sites {
            for i in &place.instances {
                self.processes.entry(i.id).or_insert_with(|| Process {
                    site: site.clone(),
                    revision: i.revision,
                    ordinal: i.ordinal,
                    phase: Phase::Prepared,
                    heard: Some(DesiredPhase::Stopped),
                });
            }
        }
        let ids: Vec<InstanceId> = self.processes.keys().copied().collect();
        let Some(id) = random.pick(&ids).copied() else { return };
        let wanted = self.wanted(id);
        let held = fenced && self.is_held(id, size);
        let in_table = self.edge.values().any(|t| t.targets.contains(&id));
        let Some(p) = self.processes.get_mut(&id) else { return };
        let nature = natures.get(&p.revision).copied().unwrap_or(Nature::Good);
        let next = match wanted {
            Some(DesiredPhase::Run) if held && p.heard != Some(DesiredPhase::Run) => Some(DesiredPhase::Stopped),
            told => told,
        };
        if random.one_in(2) {
            p.heard = next;
        }
        p.phase = match (p.heard, p.phase) {
            (Some(DesiredPhase::Run), Phase::Prepared) if self.scheduled && !random.one_in(3) => Phase::Prepared,
            (Some(DesiredPhase::Run), p @ (Phase::Starting | Phase::Ready)) if self.scheduled => {
                random.pick(&[p, Phase::Ready, Phase::Prepared]).copied().unwrap_or(p)
            }
            (Some(DesiredPhase::Stopped) | None, Phase::Ready) if self.scheduled => Phase::Stopping,
            (Some(DesiredPhase::Run), Phase::Prepared) if nature == Nature::CannotStart => Phase::Failed,
            (Some(DesiredPhase::Run), Phase::Prepared | Phase::Failed) => Phase::Starting,
            (Some(DesiredPhase::Run), Phase::Starting) => match nature {
                Nature::NeverReady => Phase::Starting,
                Nature::CannotStart => Phase::Failed,
                Nature::Good | Nature::Fails | Nature::Wrong => Phase::Ready,
            },
            (Some(DesiredPhase::Run), Phase::Ready) if nature == Nature::Fails && random.one_in(6) => Phase::Unready,
            (Some(DesiredPhase::Run), Phase::Ready) if faults && random.one_in(60) => Phase::Unready,
            (Some(DesiredPhase::Run), Phase::Unready) if nature == Nature::Fails => Phase::Failed,
            (Some(DesiredPhase::Run), Phase::Unready) => Phase::Ready,
            (Some(DesiredPhase::Run), Phase::Stopping) => Phase::Prepared,
            (Some(DesiredPhase::Run), Phase::Ready) => Phase::Ready,
            // Out of the table first, then the signal, then the end.
            (Some(DesiredPhase::Stopped) | None, Phase::Ready) => Phase::Unready,
            (Some(DesiredPhase::Stopped) | None, Phase::Starting | Phase::Unready) if !in_table => Phase::Stopping,
            (Some(DesiredPhase::Stopped) | None, p @ (Phase::Starting | Phase::Unready)) => p,
            (Some(DesiredPhase::Stopped), Phase::Stopping | Phase::Prepared | Phase::Failed) => Phase::Prepared,
            (None, Phase::Stopping | Phase::Prepared | Phase::Failed) => {
                self.processes.remove(&id);
                return;
            }
        };
        if p.phase != Phase::Ready {
            for t in self.edge.values_mut() {
                t.targets.retain(|i| *i != id);
            }
        }
    }

    fn tick_edge(&mut self) {
        for (site, place) in &self.desired.sites {
            let Some(route) = &place.route else { continue };
            let table = self.edge.entry(site.clone()).or_default();
            if route.version < table.version {
                continue;
            }
            let ready = |r: RevisionId| {
                self.processes.values().any(|p| p.site == *site && p.phase == Phase::Ready && p.revision == r)
            };
            let salt = self.desired.salts.get(site).copied();
            table.trip = salt.and_then(|salt| in_force(&self.trips, site, route, salt)).cloned();
            let given_back = table.trip.as_ref().map(|t| &t.trial).filter(|t| ready(t.baseline));
            let weighted = |r: RevisionId| match given_back {
                Some(trial) if r == trial.canary => false,
                Some(trial) if r == trial.baseline => true,
                _ => route.splits.iter().any(|(s, w)| *s == r && *w > 0),
            };
            table.version = route.version;
            table.mode = Some(route.mode);
            table.targets = self
                .processes
                .iter()
                .filter(|(_, p)| p.site == *site && p.phase == Phase::Ready && weighted(p.revision))
                .map(|(id, _)| *id)
                .collect();
        }
    }

    fn tick_verify(&mut self, random: &mut Random, natures: &BTreeMap<RevisionId, Nature>, faults: bool) {
        for (_, revision, task) in self.desired.verify.clone() {
            let good = natures.get(&revision).is_none_or(|n| matches!(n, Nature::Good | Nature::Wrong));
            let passed = good && !(faults && random.one_in(20));
            self.verified.entry(task).or_insert(passed);
        }
    }
}

/// The trip that a site's route is under.
fn in_force<'a>(
    trips: &'a BTreeMap<SiteName, Trip>,
    site: &SiteName,
    route: &WantedRoute,
    salt: RolloutId,
) -> Option<&'a Trip> {
    trips.get(site).filter(|t| t.rollout == salt && route.trial.as_ref() == Some(&t.trial))
}
