//! Canaries on this host: their fixed limits, and their lease on the server's silence.

use super::Host;
use crate::{
    disk::{self, Outlives},
    edge::{
        limits::Watches,
        trips::{Contact, Silence, Trips},
    },
    home::Home,
};
use std::{path::PathBuf, time::Duration};
use tradewind_model::{
    id::Place,
    protocol::{
        agent::{Desired, DesiredRoute},
        edge::Stats,
        trial::{TripCause, UnitTick},
    },
    time::Timestamp,
};

/// The last contact is not noted more often than this.
const NOTED_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Trials {
    watches: Watches,
    /// Limits that were passed since the last look.
    passed: Vec<(Place, TripCause)>,
    trips: Trips,
    trips_file: PathBuf,
    silence: Silence,
    contact_file: PathBuf,
    noted: Option<Duration>,
}

impl Trials {
    /// With what an earlier agent gave up, when it heard the server last, and the routes it had.
    pub fn open(home: &Home, wall: Timestamp, desired: &[DesiredRoute]) -> Self {
        let (trips_file, contact_file) = (home.trips(), home.contact());
        let trips = disk::read_json(&trips_file).unwrap_or_else(|error| {
            tracing::error!(%error, "it is not known which canaries were given up here; the server decides");
            None
        });
        let contact = disk::read_json::<Contact>(&contact_file).unwrap_or_else(|error| {
            tracing::warn!(%error, "it is not known when the server was heard of last; leases begin now");
            None
        });
        Self {
            watches: Watches::begin(desired),
            passed: Vec::new(),
            trips: trips.unwrap_or_default(),
            trips_file,
            silence: Silence::begin(contact, wall),
            contact_file,
            noted: None,
        }
    }

    pub fn trips(&self) -> &Trips {
        &self.trips
    }

    /// Whether the server has been silent for a lease.
    pub fn is_over(&self, lease_ms: u64, now: Duration) -> bool {
        self.silence.is_over(lease_ms, now)
    }

    /// What the edge counted of clients.
    pub fn units_came(&mut self, ticks: &[UnitTick]) {
        self.watches.clients(ticks);
    }

    /// The edge's counters, at `now` since the agent began.
    pub fn counted(&mut self, desired: &[DesiredRoute], stats: &Stats, now: Duration) {
        self.passed.extend(self.watches.counted(desired, stats, now));
    }
}

impl Host {
    pub(super) fn heard_server(&mut self) {
        let now = self.time.now();
        let trials = &mut self.trials;
        trials.silence.heard(now.mono);
        let tries = |d: &Desired| !d.shard_trials.is_empty() || d.routes.iter().any(|r| r.trial.is_some());
        let on_trial = self.desired.as_ref().is_some_and(tries);
        if on_trial && trials.noted.is_none_or(|at| now.mono - at >= NOTED_EVERY) {
            trials.noted = Some(now.mono);
            let contact = Contact { heard: now.wall };
            if let Err(error) = disk::write_json(&trials.contact_file, &contact, Outlives::Process) {
                tracing::warn!(%error, "the last contact with the server could not be noted");
            }
        }
    }

    /// What must not go on without the server is ended, on disk first.
    pub(super) fn watch_trials(&mut self, desired: &[DesiredRoute]) {
        let now = self.time.now();
        let trials = &mut self.trials;
        let mut happened = std::mem::take(&mut trials.passed);
        happened.extend(trials.silence.expired(desired, now.mono));
        for (place, cause) in &happened {
            if desired.iter().any(|r| r.place == *place && trials.trips.of(r).is_none()) {
                tracing::warn!(%place, ?cause, "the canary is given up: its share goes back to the revision before");
            }
        }
        if trials.trips.settle(desired, happened, now.wall)
            && let Err(error) = disk::write_json(&trials.trips_file, &trials.trips, Outlives::Machine)
        {
            tracing::error!(%error, "an agent after this one would not know which canaries were given up");
        }
    }
}
