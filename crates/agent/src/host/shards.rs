//! Workers on this host whose shards move: their limits and their lease, and what is known of them without the server.

use super::Host;
use crate::{
    disk::{self, Outlives},
    home::Home,
    shards::{limits::Watches, trips::ShardTrips},
};
use std::path::PathBuf;
use tradewind_model::{
    id::Place,
    protocol::trial::{ShardTrial, ShardTrip, TripCause, UnitTick},
};

#[derive(Debug)]
pub struct Shards {
    watches: Watches,
    /// Limits that were passed since the last look.
    passed: Vec<(Place, TripCause)>,
    pub trips: ShardTrips,
    file: PathBuf,
}

impl Shards {
    /// With what an earlier agent took back.
    pub fn open(home: &Home) -> Self {
        let file = home.shard_trips();
        let trips = disk::read_json(&file).unwrap_or_else(|error| {
            tracing::error!(%error, "it is not known which shards were taken back here; the server decides");
            None
        });
        Self { watches: Watches::default(), passed: Vec::new(), trips: trips.unwrap_or_default(), file }
    }
}

impl Host {
    /// A round of what a worker's instances count themselves.
    pub(super) fn shards_counted(&mut self, tick: &UnitTick) {
        let scrapes = self.desired.as_ref().map_or(&[][..], |d| &d.scrapes);
        let of = scrapes.iter().find(|s| s.rollout == tick.rollout && s.place.to_string() == tick.route);
        let Some(scrape) = of else { return };
        if let Some(cause) = self.shards.watches.counted(scrape, tick, self.time.now().mono) {
            self.shards.passed.push((scrape.place.clone(), cause));
        }
    }

    /// What must not go on without the server is ended, on disk first.
    pub(super) fn watch_shards(&mut self, desired: &[ShardTrial]) {
        let now = self.time.now();
        let shards = &mut self.shards;
        shards.watches.follow(desired, now.mono);
        let mut happened = std::mem::take(&mut shards.passed);
        let expired = desired.iter().filter(|t| self.trials.is_over(t.lease_ms, now.mono));
        happened.extend(expired.map(|t| (t.place.clone(), TripCause::Lease { lease_ms: t.lease_ms })));
        for (place, cause) in &happened {
            if desired.iter().any(|t| t.place == *place && !shards.trips.has(t)) {
                tracing::warn!(%place, ?cause, "the canary is given up: its shards go back to the revision before");
            }
        }
        if shards.trips.settle(desired, happened, now.wall)
            && let Err(error) = disk::write_json(&shards.file, &shards.trips, Outlives::Machine)
        {
            tracing::error!(%error, "an agent after this one would not know which shards were taken back");
        }
    }

    pub(super) fn observed_shards(&self) -> Vec<ShardTrip> {
        self.shards.trips.observed(self.desired.as_ref().map_or(&[], |d| &d.shard_trials))
    }
}
