//! From desired routes and ready instances to the edge's routes. Pure.
//!
//! A split gets the addresses of its revision's ready instances. Where a weighted split has none, its share goes to
//! the route's other weighted splits that have some, in their proportion; where none has any, the route answers 503.
//! A split of weight 0 never gets traffic this way: a candidate that nobody approved yet must not be reached because
//! the approved revision is down. The server, which sees the observed weights, decides what follows.
//!
//! A canary that tripped gives its share to its baseline, also where that had none any more; without a ready baseline it
//! keeps it, for a bad answer may still be better than none.

use super::trips::Trips;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};
use tradewind_model::{
    id::{InstanceId, Place, RevisionId},
    protocol::{
        agent::{DesiredRoute, ObservedRoute, ObservedSplit},
        edge::{FULL_SHARE, Route, Split, Target},
        trial::Trial,
    },
};

/// An instance that may take requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    pub instance: InstanceId,
    pub place: Place,
    pub revision: RevisionId,
    pub addr: SocketAddr,
}

/// What the edge should serve, without version and token.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    pub routes: Vec<Route>,
    /// What may be reported once the edge has acknowledged it.
    pub observed: Vec<ObservedRoute>,
}

impl Plan {
    /// The instances that get requests under this plan.
    pub fn instances(&self) -> BTreeSet<InstanceId> {
        self.routes.iter().flat_map(|r| &r.splits).flat_map(|s| &s.targets).map(|t| t.instance).collect()
    }
}

/// Equal inputs give equal plans, whatever their order.
pub fn compose(desired: &[DesiredRoute], ready: &[Ready], trips: &Trips) -> Plan {
    let mut by_revision: BTreeMap<(&Place, RevisionId), Vec<Target>> = BTreeMap::new();
    for r in ready {
        by_revision.entry((&r.place, r.revision)).or_default().push(Target { instance: r.instance, addr: r.addr });
    }
    for targets in by_revision.values_mut() {
        targets.sort_by_key(|t| t.instance);
    }
    let mut sorted: Vec<&DesiredRoute> = desired.iter().collect();
    sorted.sort_by(|a, b| a.place.cmp(&b.place));

    let mut plan = Plan::default();
    for route in sorted {
        let targets: Vec<Vec<Target>> = route
            .splits
            .iter()
            .map(|s| by_revision.get(&(&route.place, s.revision)).cloned().unwrap_or_default())
            .collect();
        let tripped = trips.of(route);
        let shares = match &route.trial {
            Some(trial) if tripped.is_some() => given_back(route, trial, &targets),
            _ => route.splits.iter().map(|s| s.weight).collect(),
        };
        let wanted: Vec<u32> = shares.iter().zip(&targets).map(|(w, t)| if t.is_empty() { 0 } else { *w }).collect();
        let weights = to_full_share(&wanted);
        plan.observed.push(ObservedRoute {
            place: route.place.clone(),
            version: route.version,
            splits: route
                .splits
                .iter()
                .zip(&targets)
                .zip(&weights)
                .map(|((s, t), &weight)| ObservedSplit { revision: s.revision, weight, ready_targets: t.len() as u32 })
                .collect(),
            tripped: tripped.cloned(),
        });
        plan.routes.push(Route {
            id: route.place.to_string(),
            hosts: route.hosts.clone(),
            path_prefix: route.path_prefix.clone(),
            mode: route.mode,
            sticky: route.sticky.clone(),
            salt: route.salt.clone(),
            splits: route
                .splits
                .iter()
                .zip(targets)
                .zip(weights)
                .map(|((s, targets), weight)| Split { revision: s.revision, label: s.label.clone(), weight, targets })
                .collect(),
            limits: route.limits,
            health: route.health.clone(),
            trial: route.trial.clone(),
        });
    }
    plan
}

/// Shares with the canary's added to the baseline's, if that is ready.
fn given_back(route: &DesiredRoute, trial: &Trial, targets: &[Vec<Target>]) -> Vec<u32> {
    let mut shares: Vec<u32> = route.splits.iter().map(|s| s.weight).collect();
    let at = |revision| route.splits.iter().position(|s| s.revision == revision);
    if let (Some(canary), Some(baseline)) = (at(trial.canary), at(trial.baseline))
        && !targets[baseline].is_empty()
    {
        shares[baseline] = shares[baseline].saturating_add(std::mem::take(&mut shares[canary]));
    }
    shares
}

/// Scales weights so that they sum to [`FULL_SHARE`], by largest remainder; all zero stays all zero.
fn to_full_share(weights: &[u32]) -> Vec<u32> {
    let sum: u64 = weights.iter().map(|&w| u64::from(w)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let full = u64::from(FULL_SHARE);
    let mut scaled: Vec<u32> = weights.iter().map(|&w| (u64::from(w) * full / sum) as u32).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&i| std::cmp::Reverse(u64::from(weights[i]) * full % sum));
    let missing = FULL_SHARE - scaled.iter().sum::<u32>();
    for &i in by_remainder.iter().take(missing as usize) {
        scaled[i] += 1;
    }
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::tests::{place, revision, route, route_on_trial};
    use proptest::prelude::*;
    use tradewind_model::{protocol::trial::TripCause, time::Timestamp};
    use uuid::Uuid;

    fn ready(n: u128, of: u128) -> Ready {
        Ready {
            instance: InstanceId(Uuid::from_u128(n)),
            place: place(),
            revision: revision(of),
            addr: SocketAddr::from(([127, 0, 0, 1], 20_000 + n as u16)),
        }
    }
    fn compose(desired: &[DesiredRoute], ready: &[Ready]) -> Plan {
        super::compose(desired, ready, &Trips::default())
    }
    fn weights(plan: &Plan) -> Vec<(u32, usize)> {
        plan.routes[0].splits.iter().map(|s| (s.weight, s.targets.len())).collect()
    }

    #[test]
    fn the_share_of_a_revision_without_ready_instances_goes_to_the_others_with_a_share() {
        let desired = [route(&[(1, 9_000), (2, 1_000)])];
        assert_eq!(weights(&compose(&desired, &[ready(1, 1), ready(2, 1), ready(3, 2)])), [(9_000, 2), (1_000, 1)]);
        assert_eq!(weights(&compose(&desired, &[ready(1, 1)])), [(10_000, 1), (0, 0)]);
        assert_eq!(weights(&compose(&desired, &[ready(3, 2)])), [(0, 0), (10_000, 1)]);
        assert_eq!(weights(&compose(&desired, &[])), [(0, 0), (0, 0)]);
    }

    #[test]
    fn a_revision_without_a_share_never_gets_one() {
        let plan = compose(&[route(&[(1, 10_000), (2, 0)])], &[ready(3, 2)]);
        assert_eq!(weights(&plan), [(0, 0), (0, 1)], "503 is right: nobody approved the candidate");
        assert_eq!(plan.observed[0].version, 7);
        assert_eq!(plan.observed[0].splits[1].ready_targets, 1);
    }

    #[test]
    fn instances_of_another_place_are_not_reached() {
        let mut other = ready(1, 1);
        other.place.site = "shopee-br".parse().unwrap();
        assert_eq!(weights(&compose(&[route(&[(1, 10_000)])], &[other])), [(0, 0)]);
    }

    #[test]
    fn a_canary_that_tripped_gives_its_share_to_a_baseline_that_is_ready() {
        let mut trips = Trips::default();
        let mut desired = [route_on_trial()];
        trips.settle(&desired, [(place(), TripCause::Lease { lease_ms: 1 })], Timestamp(0));
        let both = [ready(1, 1), ready(2, 2)];
        let plan = super::compose(&desired, &both, &trips);
        assert_eq!(weights(&plan), [(10_000, 1), (0, 1)], "it stays warm");
        assert_eq!(plan.observed[0].tripped.as_ref(), trips.of(&desired[0]));
        // Where it had everything, too.
        (desired[0].splits[0].weight, desired[0].splits[1].weight) = (0, 10_000);
        assert_eq!(weights(&super::compose(&desired, &both, &trips)), [(10_000, 1), (0, 1)]);
        let plan = super::compose(&desired, &[ready(2, 2)], &trips);
        assert_eq!(weights(&plan), [(0, 0), (10_000, 1)], "there is nobody else");
        assert!(plan.observed[0].tripped.is_some());
        // It is about this rollout alone.
        desired[0].salt = "another".into();
        let plan = super::compose(&desired, &both, &trips);
        assert_eq!((weights(&plan), &plan.observed[0].tripped), (vec![(0, 1), (10_000, 1)], &None));
    }

    proptest! {
        #[test]
        fn weights_always_sum_to_all_or_nothing(weights in prop::collection::vec(0u32..=20_000, 0..6)) {
            let scaled = to_full_share(&weights);
            let sum: u32 = scaled.iter().sum();
            prop_assert!(sum == FULL_SHARE || (sum == 0 && weights.iter().all(|&w| w == 0)));
            for (w, s) in weights.iter().zip(scaled) {
                prop_assert!(*w > 0 || s == 0);
            }
        }
    }
}
