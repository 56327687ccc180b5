//! The rows of desired state of one place, and what effects do to them. The control plane loads them, applies, and
//! writes what differs; the simulation does the same in memory.

use super::{effect::Effect, plan::Plan};
use crate::{
    id::{InstanceId, RevisionId},
    protocol::{agent::DesiredPhase, edge::Mode, trial::Trial},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// One row of `instances`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WantedInstance {
    pub id: InstanceId,
    pub revision: RevisionId,
    /// 0, 1, 2 … within its revision and site.
    pub ordinal: u32,
    pub phase: DesiredPhase,
    /// A warm predecessor goes then.
    pub retire_at: Option<Timestamp>,
}

/// One row of `routes`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WantedRoute {
    pub version: u64,
    pub mode: Mode,
    /// Revision and basis points.
    pub splits: Vec<(RevisionId, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
}

/// What one place (service, environment, site) is to look like.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PlaceDesired {
    pub instances: Vec<WantedInstance>,
    pub route: Option<WantedRoute>,
}

impl PlaceDesired {
    /// Applies one effect that names this place's site. Effects that are not about rows (verification, queue) do nothing.
    pub fn apply(&mut self, effect: &Effect, plan: &Plan, new_id: &mut dyn FnMut() -> InstanceId) {
        match effect {
            Effect::Want { revision, count, phase, .. } => self.want(*revision, *count, *phase, new_id),
            Effect::StopOthers { than, .. } => {
                for i in self.instances.iter_mut().filter(|i| i.revision != *than) {
                    i.phase = DesiredPhase::Stopped;
                }
            }
            Effect::Carry { revision, ordinals, phase, .. } => {
                for ordinal in ordinals {
                    self.put(*revision, *ordinal, *phase, new_id);
                }
            }
            Effect::StopOthersBelow { than, below, .. } => {
                for i in self.instances.iter_mut().filter(|i| i.revision != *than && i.ordinal < *below) {
                    i.phase = DesiredPhase::Stopped;
                }
            }
            Effect::Route { version, mode, splits, trial, .. } => {
                let known = self.route.as_ref().map_or(0, |r| r.version);
                if *version > known {
                    self.route = Some(WantedRoute {
                        version: *version,
                        mode: *mode,
                        splits: splits.clone(),
                        trial: trial.clone(),
                    });
                }
            }
            Effect::Complete { revision, keep, .. } => {
                for i in &mut self.instances {
                    i.retire_at = keep.filter(|(r, _)| *r == i.revision).map(|(_, at)| at);
                }
                let kept = keep.map(|(r, _)| r);
                self.instances.retain(|i| i.revision == *revision || Some(i.revision) == kept);
                let exclusive = plan.flow != super::plan::Flow::Overlapping;
                for i in self.instances.iter_mut().filter(|i| exclusive && Some(i.revision) == kept) {
                    i.phase = DesiredPhase::Stopped;
                }
                if let Some(route) = self.route.as_mut().filter(|r| r.trial.is_some()) {
                    route.trial = None;
                    route.version += 1;
                }
                self.prune_route();
            }
            Effect::Verify { .. } | Effect::FreezeQueue { .. } => {}
        }
    }

    /// Removes warm predecessors whose time is up. True when something changed. Call it only while no rollout of the
    /// place is active: an active one may be about to need them.
    pub fn retire(&mut self, now: Timestamp) -> bool {
        let before = self.instances.len();
        self.instances.retain(|i| i.retire_at.is_none_or(|t| t > now));
        if self.instances.len() == before {
            return false;
        }
        self.prune_route();
        true
    }

    /// When [`Self::retire`] has something to do next.
    pub fn next_retirement(&self) -> Option<Timestamp> {
        self.instances.iter().filter_map(|i| i.retire_at).min()
    }

    fn want(&mut self, r: RevisionId, count: u32, phase: DesiredPhase, new_id: &mut dyn FnMut() -> InstanceId) {
        self.instances.retain(|i| i.revision != r || i.ordinal < count);
        for ordinal in 0..count {
            self.put(r, ordinal, phase, new_id);
        }
    }

    fn put(&mut self, r: RevisionId, ordinal: u32, phase: DesiredPhase, new_id: &mut dyn FnMut() -> InstanceId) {
        match self.instances.iter_mut().find(|i| i.revision == r && i.ordinal == ordinal) {
            Some(i) => {
                i.phase = phase;
                i.retire_at = None;
            }
            None => self.instances.push(WantedInstance { id: new_id(), revision: r, ordinal, phase, retire_at: None }),
        }
    }

    /// A split without traffic and without instances is dropped.
    fn prune_route(&mut self) {
        let Some(route) = &mut self.route else { return };
        let before = route.splits.len();
        let instances = &self.instances;
        route.splits.retain(|(r, w)| *w > 0 || instances.iter().any(|i| i.revision == *r));
        if route.splits.len() != before {
            route.version += 1;
        }
    }
}
