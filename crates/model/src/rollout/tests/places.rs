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
            s.state.request_abort("lin", "wrong day");
        }
        s.after(SOAK + WATCH);
        assert_eq!(s.state.phase, if aborted { Phase::Aborted } else { Phase::Completed });
        assert_eq!(s.share("shopee-br", new()), if aborted { 0 } else { FULL_SHARE });
        assert_eq!(s.places[&site("default")], before, "what it runs is neither replaced nor about to be retired");
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
