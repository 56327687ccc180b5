//! A host in the simulation: an agent that reconciles, processes that outlive it, and an edge that acknowledges.

use super::random::Random;
use std::collections::BTreeMap;
use tradewind_model::{
    id::{InstanceId, RevisionId, SiteName},
    protocol::{
        agent::{DesiredPhase, InstancePhase},
        edge::Mode,
    },
    rollout::desired::PlaceDesired,
};

/// How a revision's processes behave, whatever host they are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    Good,
    NeverReady,
    CannotStart,
    /// Becomes ready, and fails some time later.
    Fails,
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
    pub phase: Phase,
}

/// The whole desired state of the host, as sent.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    pub generation: u64,
    pub sites: BTreeMap<SiteName, PlaceDesired>,
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
    pub routes: BTreeMap<SiteName, u64>,
    pub verified: BTreeMap<String, bool>,
}

/// What the edge serves for one site.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub version: u64,
    pub mode: Option<Mode>,
    pub targets: Vec<InstanceId>,
}

#[derive(Default, Debug)]
pub struct Host {
    pub epoch: u64,
    seq: u64,
    pub desired: Desired,
    /// It has a desired state. Without one, what runs goes on.
    told: bool,
    pub processes: BTreeMap<InstanceId, Process>,
    pub edge: BTreeMap<SiteName, Table>,
    verified: BTreeMap<String, bool>,
}

impl Host {
    /// A stale generation is refused.
    pub fn receive(&mut self, desired: Desired) {
        if desired.generation >= self.desired.generation {
            self.desired = desired;
            self.told = true;
        }
    }

    pub fn report(&mut self) -> Observed {
        self.seq += 1;
        Observed {
            epoch: self.epoch,
            seq: self.seq,
            generation: self.desired.generation,
            instances: self.processes.iter().map(|(id, p)| (*id, (p.site.clone(), p.revision, p.phase))).collect(),
            routes: self.edge.iter().map(|(s, t)| (s.clone(), t.version)).collect(),
            verified: self.verified.clone(),
        }
    }

    /// kill -9: what it held in memory is gone, processes and the edge's table are not.
    pub fn restart_agent(&mut self) {
        self.epoch += 1;
        self.seq = 0;
    }

    /// kill -9, and the next agent finds its desired state damaged.
    pub fn forget(&mut self) {
        self.restart_agent();
        (self.desired, self.told) = (Desired::default(), false);
    }

    /// The machine is set up anew, with an empty data folder.
    pub fn begin_anew(&mut self) {
        self.forget();
        self.processes.clear();
        self.edge.clear();
        self.verified.clear();
    }

    /// Reconciles a little: one process, one table or one verification.
    pub fn tick(&mut self, random: &mut Random, natures: &BTreeMap<RevisionId, Nature>, faults: bool) {
        if !self.told {
            return;
        }
        match random.below(4) {
            0 | 1 => self.tick_process(random, natures, faults),
            2 => self.tick_edge(),
            _ => self.tick_verify(random, natures, faults),
        }
    }

    fn wanted(&self, id: InstanceId) -> Option<DesiredPhase> {
        self.desired.sites.values().flat_map(|p| &p.instances).find(|i| i.id == id).map(|i| i.phase)
    }

    fn tick_process(&mut self, random: &mut Random, natures: &BTreeMap<RevisionId, Nature>, faults: bool) {
        for (site, place) in &self.desired.sites {
            for i in &place.instances {
                self.processes.entry(i.id).or_insert_with(|| Process {
                    site: site.clone(),
                    revision: i.revision,
                    phase: Phase::Prepared,
                });
            }
        }
        let ids: Vec<InstanceId> = self.processes.keys().copied().collect();
        let Some(id) = random.pick(&ids).copied() else { return };
        let wanted = self.wanted(id);
        let in_table = self.edge.values().any(|t| t.targets.contains(&id));
        let Some(p) = self.processes.get_mut(&id) else { return };
        let nature = natures.get(&p.revision).copied().unwrap_or(Nature::Good);
        p.phase = match (wanted, p.phase) {
            (Some(DesiredPhase::Run), Phase::Prepared) if nature == Nature::CannotStart => Phase::Failed,
            (Some(DesiredPhase::Run), Phase::Prepared | Phase::Failed) => Phase::Starting,
            (Some(DesiredPhase::Run), Phase::Starting) => match nature {
                Nature::NeverReady => Phase::Starting,
                Nature::CannotStart => Phase::Failed,
                Nature::Good | Nature::Fails => Phase::Ready,
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
            let weighted = |r: RevisionId| route.splits.iter().any(|(s, w)| *s == r && *w > 0);
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
            let good = natures.get(&revision).is_none_or(|n| *n == Nature::Good);
            let passed = good && !(faults && random.one_in(20));
            self.verified.entry(task).or_insert(passed);
        }
    }
}
