//! What ends a rollout from outside its steps: the judge, a fixed limit, a lease, a person.

use super::{
    super::{
        judging::Verdict,
        plan::Timing,
        state::{Phase, Step},
    },
    story::{MIN, SOAK, Story, from_to, new, old, request},
};
use crate::{
    fault::Lang,
    protocol::{agent::InstancePhase, edge::FULL_SHARE, trial::TripCause},
};

/// A canary in each step that comes after its first shift.
fn after_the_first_shift() -> Vec<(&'static str, Story)> {
    let begun = |step: &str| {
        let mut s = Story::begin(request());
        match step {
            "judging" => {
                s.settle();
            }
            "starting" => {
                s.settle();
                s.phases.insert(new(), InstancePhase::Ready);
                s.says("default", 0, Verdict::Better);
                s.now = s.now.plus(std::time::Duration::from_secs(MIN));
                s.decide();
            }
            "shifting" => {
                s.settle();
                s.deaf = true;
                s.says("default", 0, Verdict::Better).after(MIN);
            }
            "verifying" => {
                s.verifies = None;
                s.promoted_to(1).says("default", 1, Verdict::Better).after(MIN);
            }
            "soaking" => {
                s.promoted_to(2);
            }
            "serving" => {
                s.promoted_to(2);
                s.state.set_paused(true);
                s.after(7_200);
            }
            other => panic!("{other}"),
        }
        assert_eq!(s.step().as_str(), step);
        s.judged.clear();
        s
    };
    ["judging", "starting", "shifting", "verifying", "soaking", "serving"].map(|step| (step, begun(step))).into()
}

fn causes() -> [(TripCause, &'static str); 3] {
    [
        (TripCause::ErrorRate { failed: 30, requests: 400, limit: 500, for_ms: 30_000 }, "TW-ROLL-011"),
        (TripCause::P99 { slow: 9, requests: 400, limit_ms: 3_000, for_ms: 30_000 }, "TW-ROLL-012"),
        (TripCause::Lease { lease_ms: 600_000 }, "TW-ROLL-013"),
    ]
}

#[test]
fn a_release_that_is_worse_goes_back_from_whatever_step() {
    for (step, mut s) in after_the_first_shift() {
        s.deaf = false;
        // Of whichever wave it was found: evidence against it does not expire.
        for wave in [0, 7] {
            s.judged.insert("default".parse().unwrap(), super::story::judged(wave, Verdict::Worse));
        }
        s.decide();
        assert_eq!((s.state.phase, s.share("default", old())), (Phase::Returning, FULL_SHARE), "{step}: at once");
        s.settle();
        s.assert_returned();
        assert_eq!(s.reason(), "TW-ROLL-010", "{step}");
    }
}

#[test]
fn a_limit_or_a_lease_takes_it_back_from_whatever_step() {
    for (cause, code) in causes() {
        for (step, mut s) in after_the_first_shift() {
            s.deaf = false;
            s.tripped.insert("default".parse().unwrap(), cause.clone());
            s.decide();
            assert_eq!((s.state.phase, s.share("default", old())), (Phase::Returning, FULL_SHARE), "{step}: at once");
            s.settle();
            s.assert_returned();
            assert_eq!(s.reason(), code, "{step}");
        }
    }
}

#[test]
fn a_trip_is_told_with_its_numbers() {
    let told = |cause, lang| {
        let mut s = Story::begin(request());
        s.settle();
        s.tripped.insert("default".parse().unwrap(), cause);
        s.settle();
        s.state.reason.unwrap().what(lang)
    };
    let [(errors, _), (slow, _), (lease, _)] = causes();
    let limit = "30 of 400 requests to v2 on default failed within 30 s, more than 5%";
    assert_eq!(told(errors, Lang::En), limit);
    let limit = "9 of 400 answers of v2 on default took longer than 3s within 30 s, more than one in a hundred";
    assert_eq!(told(slow, Lang::En), limit);
    assert!(told(lease, Lang::Zh).contains("600 秒"));
}

#[test]
fn a_pause_holds_no_return_up() {
    for (step, mut s) in after_the_first_shift() {
        s.deaf = false;
        s.state.set_paused(true);
        s.frozen = true;
        s.tripped.insert("default".parse().unwrap(), causes()[0].0.clone());
        s.settle();
        assert_eq!(s.state.phase, Phase::Failed, "{step}");
        s.assert_returned();
    }
}

#[test]
fn a_person_aborts_a_wave_under_judgement() {
    for (step, mut s) in after_the_first_shift() {
        s.deaf = false;
        assert!(s.state.request_abort("lin", "wrong price list", s.now));
        s.settle();
        assert_eq!((s.state.phase, s.reason()), (Phase::Aborted, "TW-ROLL-006"), "{step}");
        s.assert_returned();
    }
}

#[test]
fn a_verdict_needs_no_agent_in_sight() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    s.promoted_to(3);
    // One host is out of sight; the other site must not wait for it.
    s.away = true;
    s.says("default", 0, Verdict::Worse);
    assert_eq!(s.state.phase, Phase::Returning);
    for name in ["default", "shopee-br"] {
        assert_eq!((s.share(name, old()), s.on_trial(name)), (FULL_SHARE, false), "{name}");
        assert_eq!(s.running(name, new()), if name == "default" { 4 } else { 1 }, "{name}: traffic first");
    }
    s.away = false;
    s.settle();
    s.assert_returned();
}

#[test]
fn a_failure_at_the_second_site_returns_both() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    s.promoted_to(4);
    assert!(matches!(s.step_of("default"), Step::Serving { .. }));
    s.says("shopee-br", 4, Verdict::Worse);
    s.assert_returned();
    assert_eq!((s.reason(), s.count("site_returned")), ("TW-ROLL-010", 2));
}

#[test]
fn a_site_whose_turn_has_not_come_is_not_touched_by_a_return() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    s.settle();
    let before = s.places[&"shopee-br".parse().unwrap()].clone();
    s.says("default", 0, Verdict::Worse);
    s.assert_returned();
    assert_eq!(s.places[&"shopee-br".parse().unwrap()], before);
    assert_eq!(s.count("site_returned"), 1);
}

#[test]
fn no_wave_begins_in_the_decision_that_turns_round() {
    let mut s = Story::begin(request());
    s.settle();
    // The wave's promotion and the evidence against it are seen at once.
    s.promote().unwrap();
    s.says("default", 0, Verdict::Worse);
    assert_eq!(s.count("wave_started"), 1);
    s.assert_returned();
}

#[test]
fn before_any_traffic_has_moved_nothing_is_held_against_it() {
    let mut s = Story::begin(request());
    s.phases.insert(new(), InstancePhase::Starting);
    s.says("default", 0, Verdict::Worse);
    assert_eq!((s.state.phase, s.step().as_str()), (Phase::Running, "starting"));
}

#[test]
fn the_health_of_a_canary_is_watched_while_it_is_judged() {
    let mut s = Story::begin(request());
    s.settle();
    s.phases.insert(new(), InstancePhase::Unhealthy);
    s.settle();
    s.assert_returned();
    assert_eq!(s.reason(), "TW-ROLL-003");
}

#[test]
fn a_verification_that_fails_at_full_share_returns_the_canary() {
    let mut s = Story::begin(request());
    s.promoted_to(1);
    s.verifies = Some(false);
    s.says("default", 1, Verdict::Better).after(MIN);
    s.assert_returned();
    assert_eq!(s.reason(), "TW-ROLL-005");
}

#[test]
fn what_is_said_after_the_end_changes_nothing() {
    let mut r = request();
    r.timing = Timing { soak_ms: SOAK * 1_000, ..Timing::default() };
    let mut s = Story::begin(r);
    s.promoted_to(2).after(SOAK);
    assert_eq!(s.state.phase, Phase::Completed);
    let before = (s.state.clone(), s.places.clone());
    s.tripped.insert("default".parse().unwrap(), causes()[2].0.clone());
    s.says("default", 2, Verdict::Worse);
    assert_eq!((s.state, s.places), before);
}
