//! The host's side of what instances count themselves.

use super::Host;
use crate::scrape::{
    meter::{Arm, Target},
    task::{Round, Wanted},
};
use std::sync::Arc;
use tradewind_model::protocol::{
    agent::{Desired, DesiredInstance, InstancePhase, ObservedInstance},
    scrape::ObservedScrape,
};

impl Host {
    /// Tells the reader whose pages to read.
    pub(super) fn plan_scrapes(&self, desired: Option<&Desired>) {
        let Some(desired) = desired else { return };
        let wanted = desired.scrapes.iter().map(|scrape| {
            let held = self.instances.values().map(|h| (h.desired(), &h.observed));
            let of_place = held.filter(|(desired, _)| desired.place == scrape.place);
            let target = |(desired, seen): (Arc<DesiredInstance>, &ObservedInstance)| {
                Some(target(&desired, seen, Arm::of(desired.revision, scrape)?))
            };
            Wanted { scrape: scrape.clone(), targets: of_place.filter_map(target).collect() }
        });
        let wanted: Vec<Wanted> = wanted.collect();
        self.scrapes.send_if_modified(|before| {
            let changed = **before != wanted;
            if changed {
                *before = Arc::new(wanted);
            }
            changed
        });
    }

    pub(super) fn scrape_said(&mut self, round: Round) {
        let Round { tick, observed } = round;
        self.shards_counted(&tick);
        self.units.came(vec![tick], self.time.now().mono);
        self.send_units();
        self.unread.retain(|o| o.place != observed.place);
        if !observed.notes.is_empty() {
            self.unread.push(observed);
            self.unread.sort_by(|a, b| a.place.cmp(&b.place));
        }
    }

    /// What is said of trials that are still desired.
    pub(super) fn observed_scrapes(&self) -> Vec<ObservedScrape> {
        let desired = self.desired.as_ref().map_or(&[][..], |d| &d.scrapes);
        let current = |o: &&ObservedScrape| desired.iter().any(|s| s.place == o.place && s.rollout == o.rollout);
        self.unread.iter().filter(current).cloned().collect()
    }
}

fn target(desired: &DesiredInstance, seen: &ObservedInstance, arm: Arm) -> Target {
    let serves = match seen.phase {
        InstancePhase::Ready | InstancePhase::Unhealthy | InstancePhase::Draining | InstancePhase::Stopping => true,
        InstancePhase::Pending
        | InstancePhase::Starting
        | InstancePhase::Stopped
        | InstancePhase::Backoff
        | InstancePhase::Failed => false,
    };
    Target { instance: desired.id, arm, label: desired.label.clone(), runs: seen.addr.zip(seen.pid), serves }
}
