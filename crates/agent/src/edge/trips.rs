//! Canaries that the agent gave up by itself. Pure; the file they are kept in is the host's affair.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use tradewind_model::{
    id::Place,
    protocol::{
        agent::DesiredRoute,
        trial::{Trial, Trip, TripCause},
    },
    time::Timestamp,
};

/// One stays in force until the route has another salt or another trial.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Trips(Vec<Tripped>);

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Tripped {
    place: Place,
    trip: Trip,
    trial: Trial,
}

impl Tripped {
    fn is_of(&self, route: &DesiredRoute) -> bool {
        self.place == route.place && self.trip.rollout == route.salt && route.trial.as_ref() == Some(&self.trial)
    }
}

impl Trips {
    pub fn of(&self, route: &DesiredRoute) -> Option<&Trip> {
        self.0.iter().find(|t| t.is_of(route)).map(|t| &t.trip)
    }

    /// Takes up what happened at `at`, the first cause of each place, and lets go of what is not in force any more. True
    /// when anything changed.
    pub fn settle(
        &mut self,
        desired: &[DesiredRoute],
        happened: impl IntoIterator<Item = (Place, TripCause)>,
        at: Timestamp,
    ) -> bool {
        let before = self.0.len();
        self.0.retain(|t| desired.iter().any(|r| t.is_of(r)));
        let mut changed = self.0.len() != before;
        for (place, cause) in happened {
            let Some(route) = desired.iter().find(|r| r.place == place) else { continue };
            let Some(trial) = route.trial.clone().filter(|_| self.of(route).is_none()) else { continue };
            self.0.push(Tripped { place, trip: Trip { rollout: route.salt.clone(), at, cause }, trial });
            changed = true;
        }
        changed
    }
}

/// How long the server has been silent, over restarts of the agent.
#[derive(Debug)]
pub struct Silence {
    /// What had passed when `since` was.
    before: Duration,
    since: Duration,
}

/// What outlives an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    pub heard: Timestamp,
}

/// An agent that begins gives the server this long to be heard of: while it was gone itself, it could not listen.
const GRACE: Duration = Duration::from_secs(5);

impl Silence {
    /// An agent begins at `wall`. A last contact that lies ahead, by a clock that was set, is now.
    pub fn begin(contact: Option<Contact>, wall: Timestamp) -> Self {
        Self { before: contact.map(|c| wall.since(c.heard)).unwrap_or_default(), since: Duration::ZERO }
    }

    /// `now` since the agent began.
    pub fn heard(&mut self, now: Duration) {
        *self = Self { before: Duration::ZERO, since: now };
    }

    /// Whether the server has been silent for a lease.
    pub fn is_over(&self, lease_ms: u64, now: Duration) -> bool {
        let (lease, silent) = (Duration::from_millis(lease_ms), self.before + now.saturating_sub(self.since));
        silent >= lease && now >= GRACE.min(lease)
    }

    /// Canaries with a share whose lease ran out: whatever the share is, the way back is the baseline's.
    pub fn expired(&self, desired: &[DesiredRoute], now: Duration) -> Vec<(Place, TripCause)> {
        let ran_out = |route: &DesiredRoute| {
            let trial = route.trial.as_ref()?;
            let has_share = route.splits.iter().any(|s| s.revision == trial.canary && s.weight > 0);
            (has_share && self.is_over(trial.lease_ms, now))
                .then(|| (route.place.clone(), TripCause::Lease { lease_ms: trial.lease_ms }))
        };
        desired.iter().filter_map(ran_out).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::tests::{place, route_on_trial};

    const CAUSE: TripCause = TripCause::Lease { lease_ms: 1 };

    #[test]
    fn a_trip_lasts_as_long_as_its_trial() {
        let mut trips = Trips::default();
        let mut desired = vec![route_on_trial()];
        assert!(trips.settle(&desired, [(place(), CAUSE)], Timestamp(1)));
        let other = TripCause::ErrorRate { failed: 1, requests: 1, limit: 1, for_ms: 1 };
        assert!(!trips.settle(&desired, [(place(), other)], Timestamp(2)), "the first cause stays");
        let trip = Trip { rollout: desired[0].salt.clone(), at: Timestamp(1), cause: CAUSE };
        assert_eq!(trips.of(&desired[0]), Some(&trip));
        // The server follows with other shares.
        desired[0].version += 1;
        desired[0].splits[1].weight = 0;
        assert!(!trips.settle(&desired, [], Timestamp(3)));
        for change in [
            (|r| r.salt = "other".into()) as fn(&mut DesiredRoute),
            |r| r.trial = None,
            |r| r.trial.as_mut().unwrap().lease_ms += 1,
        ] {
            let mut changed = vec![desired[0].clone()];
            change(&mut changed[0]);
            assert_eq!(trips.of(&changed[0]), None);
            assert!(trips.clone().settle(&changed, [], Timestamp(4)));
        }
        assert!(trips.settle(&[], [(place(), CAUSE)], Timestamp(5)), "nothing is tried there");
        assert_eq!(trips, Trips::default());
    }

    #[test]
    fn a_lease_runs_out_by_silence_alone_and_over_restarts() {
        let s = Duration::from_secs;
        let mut desired = vec![route_on_trial()];
        desired[0].trial.as_mut().unwrap().lease_ms = 600_000;
        let expired = |silence: &Silence, now| !silence.expired(&desired, s(now)).is_empty();
        let mut silence = Silence::begin(None, Timestamp(0));
        assert!(!expired(&silence, 599) && expired(&silence, 600));
        silence.heard(s(500));
        assert!(!expired(&silence, 1_099) && expired(&silence, 1_100));
        // An agent that comes back counts on, but listens first.
        let contact = |heard_s: i64| Some(Contact { heard: Timestamp(heard_s * 1_000_000) });
        let silence = Silence::begin(contact(100), Timestamp(400_000_000));
        assert!(!expired(&silence, 299) && expired(&silence, 300));
        let mut silence = Silence::begin(contact(100), Timestamp(4_000_000_000));
        assert!(!expired(&silence, 4) && expired(&silence, 5));
        silence.heard(s(3));
        assert!(!expired(&silence, 602) && expired(&silence, 603));
        // The clock was set back meanwhile: nothing is known, and the lease begins now.
        let silence = Silence::begin(contact(9_000), Timestamp(400_000_000));
        assert!(!expired(&silence, 599) && expired(&silence, 600));
        desired[0].splits[1].weight = 0;
        assert_eq!(silence.expired(&desired, s(9_999)), [], "there is nothing to take back");
    }
}
