//! Sites that are where a rollout leads already.

use super::{
    super::{desired::WantedInstance, state::Phase},
    story::{SOAK, Story, WATCH, from_to, new, old, request, site},
};
use crate::protocol::edge::FULL_SHARE;

#[test]
fn a_site_that_runs_it_already_is_left_alone() {
    for aborted in [false, true] {
        let mut r = request();
        r.sites = vec![from_to("default", Some(new()), new()), from_to("shopee-br", Some(old()), new())];
        let mut s = Story::begin(r);
        // With a predecessor that is still warm.
        let place = s.places.get_mut(&site("default")).unwrap();
        let warm = place.instances[0].clone();
        place.instances.push(WantedInstance { revision: old(), retire_at: Some(s.now), ..warm });
        let before = place.clone();
        s.promoted_to(2);
        if aborted {
            s.state.request_abort("lin", "wrong day", s.now);
        }
        s.after(SOAK + WATCH);
        assert_eq!(s.state.phase, if aborted { Phase::Aborted } else { Phase::Completed });
        assert_eq!(s.share("shopee-br", new()), if aborted { 0 } else { FULL_SHARE });
        assert_eq!(s.places[&site("default")], before, "what it runs is neither replaced nor about to be retired");
    }
}

#[test]
fn what_still_ends_of_a_revision_works_beside_nobody_of_the_same_revision_either() {
    use super::super::plan::{Request, Strategy};
    let r = Request { service_kind: crate::workload::ServiceKind::Worker, strategy: Strategy::AllAtOnce, ..request() };
    let mut s = Story::begin(r);
    s.strays = (new(), 1);
    s.settle();
    assert_eq!((s.running("default", old()), s.running("default", new())), (0, 0));
    s.strays.1 = 0;
    assert_eq!(s.settle().running("default", new()), 4);
}

#[test]
fn instances_come_and_go_with_their_own_number() {
    use super::super::plan::{Request, Strategy};
    let mut r = Request { strategy: Strategy::Rolling { max_surge: 1 }, ..request() };
    (r.sites[0].instances, r.sites[0].from_instances) = (4, Some(2));
    let mut s = Story::begin(r);
    let mut old_ones = Vec::new();
    for _ in 0..200 {
        s.decide();
        old_ones.push(s.running("default", old()));
        s.now = s.now.plus(std::time::Duration::from_secs(1));
    }
    old_ones.dedup();
    assert_eq!((s.state.phase, old_ones), (Phase::Completed, vec![2, 1, 0]), "never more than there were");
    for strategy in [Strategy::BlueGreen, Strategy::AllAtOnce] {
        let mut r = Request { strategy, ..request() };
        (r.sites[0].instances, r.sites[0].from_instances) = (1, Some(4));
        let mut s = Story::begin(r);
        s.settle();
        s.state.request_abort("lin", "too few", s.now);
        s.settle();
        assert_eq!((s.running("default", old()), s.running("default", new())), (4, 0), "{strategy:?}");
    }
}

#[test]
fn where_every_site_runs_it_already_there_is_nothing_to_wait_for() {
    let mut r = request();
    r.sites = vec![from_to("default", Some(new()), new())];
    let mut s = Story::begin(r);
    let before = s.places.clone();
    s.decide();
    assert_eq!((s.state.phase, &s.places), (Phase::Completed, &before));
    assert_eq!(s.told(), ["finished"]);
}
