//! Workers whose shards this host took back by itself; the file they are kept in is the host's affair.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    id::Place,
    protocol::{
        agent::{DesiredInstance, DesiredPhase},
        trial::{ShardTrial, ShardTrip, Trip, TripCause},
    },
    time::Timestamp,
};

/// One stays in force for as long as its trial is desired.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ShardTrips(Vec<Tripped>);

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Tripped {
    trial: ShardTrial,
    trip: Trip,
}

impl ShardTrips {
    pub fn has(&self, trial: &ShardTrial) -> bool {
        self.0.iter().any(|t| t.trial == *trial)
    }

    /// Takes up what happened at `at`, the first cause of each place, and lets go of what is not in force any more. True
    /// when anything changed.
    pub fn settle(
        &mut self,
        desired: &[ShardTrial],
        happened: impl IntoIterator<Item = (Place, TripCause)>,
        at: Timestamp,
    ) -> bool {
        let before = self.0.len();
        self.0.retain(|t| desired.contains(&t.trial));
        let mut changed = self.0.len() != before;
        for (place, cause) in happened {
            let Some(trial) = desired.iter().find(|t| t.place == place && !self.has(t)) else { continue };
            let trip = Trip { rollout: trial.rollout.clone(), at, cause };
            self.0.push(Tripped { trial: trial.clone(), trip });
            changed = true;
        }
        changed
    }

    /// What an instance is to be in, whatever the server wanted before it knew.
    pub fn phase(&self, desired: &[ShardTrial], instance: &DesiredInstance) -> DesiredPhase {
        let Some(trial) = desired.iter().find(|t| t.place == instance.place && self.has(t)) else {
            return instance.phase;
        };
        if instance.revision == trial.canary {
            DesiredPhase::Stopped
        } else if instance.revision == trial.baseline {
            DesiredPhase::Run
        } else {
            instance.phase
        }
    }

    pub fn observed(&self, desired: &[ShardTrial]) -> Vec<ShardTrip> {
        let in_force = self.0.iter().filter(|t| desired.contains(&t.trial));
        in_force.map(|t| ShardTrip { place: t.trial.place.clone(), trip: t.trip.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shards::tests::trial;

    #[test]
    fn a_trip_lasts_as_long_as_its_trial() {
        let lease = TripCause::Lease { lease_ms: 1 };
        let mut trips = ShardTrips::default();
        let place = trial().place;
        assert!(trips.settle(&[trial()], [(place.clone(), lease.clone())], Timestamp(1)));
        let other = TripCause::Events { metric: "x".into(), failed: 1, of: 1, limit: 1, for_ms: 1 };
        assert!(!trips.settle(&[trial()], [(place.clone(), other)], Timestamp(2)), "the first cause stays");
        let trip = Trip { rollout: "r".into(), at: Timestamp(1), cause: lease.clone() };
        assert_eq!(trips.observed(&[trial()]), [ShardTrip { place: place.clone(), trip }]);
        let kept: ShardTrips = serde_json::from_str(&serde_json::to_string(&trips).unwrap()).unwrap();
        assert_eq!(kept, trips);
        let another = ShardTrial { rollout: "another".into(), ..trial() };
        assert_eq!(trips.observed(std::slice::from_ref(&another)), []);
        assert!(trips.settle(&[another], [], Timestamp(3)));
        assert!(!trips.settle(&[], [(place, lease)], Timestamp(4)), "nothing is tried there");
        assert_eq!(trips, ShardTrips::default());
    }
}
