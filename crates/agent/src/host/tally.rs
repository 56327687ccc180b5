//! The host's side of what cron services' runs come to while two revisions are compared.

use super::{Held, Host};
use crate::{
    disk::{self, Outlives},
    home::Home,
    instance::tally::{History, Tally},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        agent::{Desired, DesiredInstance},
        trial::UnitsTaken,
    },
};

#[derive(Debug)]
pub struct Tallies {
    now: Tally,
    /// As it is on disk.
    saved: Tally,
    file: PathBuf,
}

impl Tallies {
    /// With what an earlier agent counted.
    pub fn open(home: &Home) -> Self {
        let file = home.tally();
        let kept = disk::read_json::<Tally>(&file).unwrap_or_else(|error| {
            tracing::error!(%error, "it is not known which runs were counted; counting begins anew");
            None
        });
        let now = kept.unwrap_or_default();
        Self { saved: now.clone(), now, file }
    }

    pub fn taken(&mut self, taken: &[UnitsTaken]) {
        self.now.taken(taken);
    }

    /// False where the next agent would not know of it.
    fn save(&mut self) -> bool {
        if self.now != self.saved {
            match disk::write_json(&self.file, &self.now, Outlives::Process) {
                Ok(()) => self.saved = self.now.clone(),
                Err(error) => {
                    tracing::error!(%error, "what was counted of runs could not be recorded; it is not passed on yet");
                    return false;
                }
            }
        }
        true
    }
}

impl Host {
    /// Counts for the trials there are.
    pub(super) fn tally_runs(&mut self, desired: Option<&Desired>) {
        let Some(desired) = desired else { return };
        if desired.counted_runs.is_empty() && self.tallies.now.is_empty() {
            return;
        }
        let held = known(&self.instances);
        let epoch = || format!("runs-{}", uuid::Uuid::now_v7());
        self.tallies.now.follow(&desired.counted_runs, &histories(&held), epoch);
    }

    /// Before an instance is forgotten.
    pub(super) fn tally_last(&mut self, held: &Held) {
        let desired = held.desired();
        self.tallies.now.saw(&history(&desired, held));
    }

    /// Passes on what has ended since the last time, on disk first.
    pub(super) fn send_runs(&mut self) {
        let now = self.time.now();
        if !self.tallies.now.is_empty() {
            self.tallies.now.cut(&histories(&known(&self.instances)), now.wall);
        }
        if self.tallies.save() && !self.tallies.now.is_empty() {
            self.units.came(self.tallies.now.ticks(), now.mono);
            self.send_units();
        }
    }
}

fn known(instances: &BTreeMap<InstanceId, Held>) -> Vec<(Arc<DesiredInstance>, &Held)> {
    instances.values().map(|held| (held.desired(), held)).collect()
}

fn histories<'a>(held: &'a [(Arc<DesiredInstance>, &Held)]) -> Vec<History<'a>> {
    held.iter().map(|(desired, held)| history(desired, held)).collect()
}

fn history<'a>(desired: &'a DesiredInstance, held: &'a Held) -> History<'a> {
    History { instance: desired.id, place: &desired.place, revision: desired.revision, runs: &held.observed.runs }
}
