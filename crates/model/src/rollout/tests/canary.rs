//! The waves of a canary: what lets one go on, and when.

use super::{
    super::{
        judging::{OnInconclusive, Promote, Stage, Verdict},
        plan::{Kind, Plan, Request, Strategy},
        state::{Phase, Step},
    },
    story::{MAX, MIN, SOAK, Story, WATCH, from_to, judging, new, old, request, site},
};
use crate::{protocol::edge::FULL_SHARE, time::Timestamp};
use std::time::Duration;

fn by(promote: Promote, on_inconclusive: OnInconclusive) -> Request {
    let mut request = request();
    request.judging = Some(super::super::judging::Judging { promote, on_inconclusive, ..judging() });
    request
}

/// Why nothing can be promoted.
fn refused(story: &mut Story) -> String {
    let fault = story.promote().unwrap_err();
    assert_eq!(fault.code.id, "TW-ROLL-025");
    let (_, what) = fault.args.into_iter().find(|(name, _)| *name == "what").unwrap();
    what.en().to_owned()
}

fn asked(story: &Story) -> bool {
    matches!(story.step(), Step::Judging { asked: true, .. })
}

#[test]
fn evidence_leads_from_wave_to_wave_and_the_first_set_stays_whole() {
    let mut s = Story::begin(request());
    s.settle();
    for (wave, share, instances) in [(0, 1_000, 1), (1, 5_000, 2)] {
        assert_eq!((s.share("default", new()), s.running("default", new())), (share, instances));
        assert_eq!((s.share("default", old()), s.running("default", old())), (FULL_SHARE - share, 4));
        assert!(s.on_trial("default"));
        s.says("default", wave, Verdict::Better).after(MIN);
    }
    assert_eq!((s.share("default", new()), s.running("default", new())), (FULL_SHARE, 4));
    assert_eq!((s.running("default", old()), s.on_trial("default")), (4, true), "it can still go back at once");
    s.after(SOAK + WATCH);
    assert_eq!(s.state.phase, Phase::Completed);
    assert!(!s.on_trial("default"));
    assert_eq!((s.count("promoted"), s.count("asks"), s.count("verified")), (2, 0, 1));
}

#[test]
fn a_wave_is_not_promoted_before_its_time_however_good_it_looks() {
    let mut s = Story::begin(request());
    s.settle().says("default", 0, Verdict::Better).after(MIN - 1);
    assert_eq!(s.share("default", new()), 1_000);
    assert_eq!(s.wake, Some(s.now.plus(Duration::from_secs(1))));
    s.after(1);
    assert_eq!(s.share("default", new()), 5_000);
}

#[test]
fn a_wave_without_a_verdict_does_as_the_spec_says() {
    let cases = [
        (OnInconclusive::Hold, 1_000, Phase::Running, "asks"),
        (OnInconclusive::Continue, 5_000, Phase::Running, "went_on"),
        (OnInconclusive::Rollback, 0, Phase::Failed, "returning"),
    ];
    for (rule, share, phase, told) in cases {
        let mut s = Story::begin(by(Promote::Evidence, rule));
        s.settle().after(MAX - 1);
        assert_eq!((s.share("default", new()), s.told().contains(&told)), (1_000, false), "{rule:?}");
        s.after(1);
        assert_eq!((s.share("default", new()), s.state.phase), (share, phase), "{rule:?}");
        assert_eq!(s.count(told), 1, "{rule:?}");
    }
}

#[test]
fn without_a_verdict_a_held_wave_never_gets_more_and_asks_once() {
    let mut s = Story::begin(request());
    s.settle();
    for _ in 0..50 {
        s.after(MAX);
    }
    assert_eq!((s.share("default", new()), s.count("asks")), (1_000, 1));
    assert!(asked(&s));
    assert_eq!(s.wake, None, "waiting for a person wakes nobody");
}

#[test]
fn a_wave_that_is_no_worse_in_time_is_inconclusive_and_says_so() {
    let mut s = Story::begin(by(Promote::Evidence, OnInconclusive::Rollback));
    s.settle().says("default", 0, Verdict::Continue).after(MAX);
    assert_eq!(s.reason(), "TW-ROLL-014");
    let reason = s.state.reason.as_ref().unwrap();
    let told = reason.what(crate::fault::Lang::En);
    assert_eq!(told, "the wave of v2 at 10% on default ended without a verdict: as the judge says");
    s.assert_returned();
}

#[test]
fn evidence_that_comes_after_asking_is_taken() {
    let mut s = Story::begin(request());
    s.settle().after(MAX);
    assert!(asked(&s));
    s.says("default", 0, Verdict::Better);
    assert_eq!((s.share("default", new()), s.count("promoted")), (5_000, 1));
}

#[test]
fn a_person_may_let_a_wave_go_on_at_any_time() {
    for verdict in [None, Some(Verdict::Continue), Some(Verdict::Better)] {
        for waited in [0, MIN, MAX] {
            let mut s = Story::begin(by(Promote::Manual, OnInconclusive::Hold));
            s.settle().after(waited);
            if let Some(verdict) = verdict {
                s.says("default", 0, verdict);
            }
            assert_eq!(s.share("default", new()), 1_000, "{verdict:?} after {waited} s");
            assert_eq!(asked(&s), waited == MAX || (verdict == Some(Verdict::Better) && waited >= MIN));
            assert_eq!(s.promote(), Ok(site("default")));
            assert_eq!(s.settle().share("default", new()), 5_000);
            assert_eq!(s.after(MIN - 1).share("default", new()), 5_000, "one word lets one wave go on");
        }
    }
}

#[test]
fn nobody_can_promote_what_is_not_being_judged() {
    let mut s = Story::begin(request());
    assert_eq!(refused(&mut s), "its first wave has not begun");
    s.decide();
    assert!(matches!(s.step(), Step::Starting { .. }));
    assert_eq!(refused(&mut s), "wave 1 is starting its instances");
    s.settle();
    s.state.request_abort("lin", "wrong day", s.now);
    assert_eq!(refused(&mut s), "it goes back: lin aborted it, 1970-02-11 16:00 UTC (wrong day)");
    let mut s = Story::begin(request());
    s.promoted_to(2);
    assert!(matches!(s.step(), Step::Soaking { .. }));
    assert_eq!(refused(&mut s), "wave 3 has all the traffic and is watched", "there is nothing to promote to");
}

#[test]
fn where_a_person_decides_even_going_on_without_a_verdict_is_theirs() {
    let mut s = Story::begin(by(Promote::Manual, OnInconclusive::Continue));
    s.settle().after(MAX);
    assert_eq!((s.share("default", new()), asked(&s)), (1_000, true));
    let mut s = Story::begin(by(Promote::Manual, OnInconclusive::Rollback));
    s.settle().says("default", 0, Verdict::Better).after(MAX);
    assert_eq!((s.share("default", new()), asked(&s)), (1_000, true), "it has a verdict");
}

#[test]
fn a_verdict_on_another_wave_promotes_nothing() {
    let mut s = Story::begin(request());
    s.settle().says("default", 1, Verdict::Better).after(MIN);
    assert_eq!(s.share("default", new()), 1_000);
    s.says("default", 0, Verdict::Better);
    assert_eq!(s.share("default", new()), 5_000);
    s.after(MAX - 1);
    assert_eq!(s.share("default", new()), 5_000, "what was said of the first wave");
}

#[test]
fn a_pause_holds_a_wave_whatever_is_said_of_it() {
    let mut s = Story::begin(request());
    s.settle();
    s.state.set_paused(true);
    s.says("default", 0, Verdict::Better).after(MAX);
    s.promote().unwrap();
    s.settle();
    assert_eq!((s.share("default", new()), s.wake), (1_000, None));
    s.state.set_paused(false);
    assert_eq!(s.settle().share("default", new()), 5_000);
}

#[test]
fn a_freeze_lets_no_share_rise() {
    let mut s = Story::begin(request());
    s.settle();
    s.frozen = true;
    s.says("default", 0, Verdict::Better).after(MIN);
    assert_eq!((s.share("default", new()), s.count("promoted")), (1_000, 1), "promoted, and waiting for the thaw");
    s.frozen = false;
    // It comes while the instances of the next wave start.
    s.decide();
    assert!(matches!(s.step(), Step::Starting { .. }));
    s.frozen = true;
    assert_eq!(s.after(MAX).share("default", new()), 1_000);
    s.frozen = false;
    assert_eq!(s.settle().share("default", new()), 5_000);
}

#[test]
fn time_out_of_sight_is_not_time_under_judgement() {
    for limit in [MIN, MAX] {
        let mut s = Story::begin(by(Promote::Evidence, OnInconclusive::Continue));
        s.settle();
        if limit == MIN {
            s.says("default", 0, Verdict::Better);
        }
        s.after(limit - 10);
        s.away = true;
        s.settle().after(3_600);
        assert_eq!(s.share("default", new()), 1_000);
        s.away = false;
        assert_eq!(s.settle().after(9).share("default", new()), 1_000, "{limit}");
        assert_eq!(s.after(1).share("default", new()), 5_000, "{limit}");
    }
}

#[test]
fn a_clock_that_is_set_back_begins_the_waves_time_anew() {
    let mut s = Story::begin(request());
    s.settle().says("default", 0, Verdict::Better).after(MIN - 1);
    s.now = Timestamp(s.now.0 - 7_200_000_000);
    s.settle().after(MIN - 1);
    assert_eq!(s.share("default", new()), 1_000);
    assert_eq!(s.after(1).share("default", new()), 5_000);
}

#[test]
fn a_wave_with_missing_instances_is_not_over() {
    use crate::protocol::agent::InstancePhase::{Pending, Ready};
    let mut s = Story::begin(request());
    s.settle();
    s.phases.insert(new(), Pending);
    s.says("default", 0, Verdict::Better);
    s.now = s.now.plus(Duration::from_secs(5));
    s.promote().unwrap();
    assert!(matches!(s.settle().step(), Step::Judging { .. }));
    s.phases.insert(new(), Ready);
    assert_eq!(s.settle().share("default", new()), 5_000);
}

#[test]
fn sites_go_one_after_another_each_with_its_own_waves() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    for wave in 0..6 {
        s.promoted_to(wave);
        let (first, second) = (wave.min(2), wave.checked_sub(3));
        assert_eq!(s.share("default", new()), [1_000, 5_000, FULL_SHARE][first], "wave {wave}");
        assert_eq!(s.share("shopee-br", new()), second.map_or(0, |w| [1_000, 5_000, FULL_SHARE][w]), "wave {wave}");
        assert_eq!(s.on_trial("shopee-br"), second.is_some());
    }
    s.after(SOAK + WATCH);
    assert_eq!(s.state.phase, Phase::Completed);
    assert!(!s.on_trial("default") && !s.on_trial("shopee-br"));
}

#[test]
fn a_first_release_has_nothing_to_be_compared_with() {
    let mut r = request();
    r.sites = vec![from_to("default", None, new())];
    let mut s = Story::begin(r);
    assert_eq!((s.plan.waves.len(), &s.plan.judging, s.plan.timing.watch_ms), (1, &None, 0));
    s.settle();
    assert_eq!((s.share("default", new()), s.on_trial("default")), (FULL_SHARE, false));
    assert_eq!(s.after(SOAK).state.phase, Phase::Completed);
}

#[test]
fn a_new_site_begins_whole_beside_one_that_is_judged() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", None, new()));
    let mut s = Story::begin(r);
    s.promoted_to(3);
    assert_eq!((s.share("shopee-br", new()), s.on_trial("shopee-br")), (FULL_SHARE, false));
    assert_eq!(s.after(SOAK).state.phase, Phase::Running, "the other one is watched");
    s.says("default", 2, Verdict::Worse);
    assert_eq!((s.state.phase, s.share("default", old())), (Phase::Failed, FULL_SHARE));
    assert_eq!(s.running("shopee-br", new()), 0);
}

#[test]
fn waves_have_the_instances_their_share_needs() {
    let of = |instances: u32, shares: &[u32]| {
        let mut r = request();
        r.sites[0].instances = instances;
        r.stages = shares.iter().map(|share| Stage { share: *share, min_ms: 0, max_ms: 1 }).collect();
        Plan::new(r).waves.iter().map(|w| w.instances).collect::<Vec<_>>()
    };
    assert_eq!(of(1, &[1_000, 5_000, FULL_SHARE]), [1, 1, 1]);
    assert_eq!(of(3, &[1, 3_333, 3_334, 6_667, FULL_SHARE]), [1, 1, 2, 3, 3]);
    assert_eq!(of(200, &[50, 100, FULL_SHARE]), [1, 2, 200]);
}

#[test]
fn one_instance_serves_every_wave() {
    let mut r = request();
    r.sites[0].instances = 1;
    let mut s = Story::begin(r);
    s.promoted_to(2).after(SOAK + WATCH);
    assert_eq!((s.state.phase, s.share("default", new())), (Phase::Completed, FULL_SHARE));
    assert_eq!(s.running("default", new()), 1);
}

#[test]
fn a_hotfix_is_judged_and_a_rollback_is_not() {
    let mut r = request();
    r.kind = Kind::Hotfix;
    assert!(Plan::new(r.clone()).judging.is_some());
    r.kind = Kind::Rollback;
    let back = Plan::new(r);
    assert_eq!((back.waves.len(), back.judging, back.limits), (1, None, None));
    assert_eq!((back.timing.watch_ms, back.timing.soak_ms), (0, 0));
}

#[test]
fn a_rollback_takes_over_in_the_middle_of_a_wave_and_asks_nobody() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    s.promoted_to(4);
    assert_eq!((s.share("default", new()), s.share("shopee-br", new())), (FULL_SHARE, 5_000));
    let mut back = request();
    back.kind = Kind::Rollback;
    back.sites = ["default", "shopee-br"].map(|name| from_to(name, Some(new()), old())).to_vec();
    for site in &mut back.sites {
        site.from_half_made = true;
    }
    s.then(back);
    s.decide();
    for name in ["default", "shopee-br"] {
        assert_eq!((s.share(name, old()), s.on_trial(name)), (FULL_SHARE, false), "in the first decision");
    }
    s.settle();
    assert_eq!((s.state.phase, s.count("asks"), s.count("promoted")), (Phase::Completed, 0, 0));
    assert_eq!(s.running("default", new()) + s.running("shopee-br", new()), 0);
}

#[test]
fn other_strategies_have_no_waves_of_a_canary() {
    for strategy in [Strategy::BlueGreen, Strategy::Rolling { max_surge: 1 }, Strategy::AllAtOnce] {
        let plan = Plan::new(Request { strategy, ..request() });
        assert_eq!((plan.judging, plan.timing.watch_ms), (None, 0), "{strategy:?}");
        assert!(plan.waves.iter().all(|w| w.max_ms.is_none()));
        assert_eq!(plan.limits.is_some(), strategy != Strategy::AllAtOnce, "{strategy:?}");
    }
}

#[test]
fn fixed_limits_hold_wherever_two_revisions_run_side_by_side() {
    let mut s = Story::begin(Request { strategy: Strategy::BlueGreen, ..request() });
    s.settle();
    let trial = s.places[&site("default")].route.as_ref().unwrap().trial.as_ref().unwrap();
    assert_eq!((trial.counted, trial.baseline, trial.canary), (false, old(), new()));
    assert!(trial.bounds_ms.is_empty());
    s.after(SOAK);
    assert_eq!((s.state.phase, s.on_trial("default")), (Phase::Completed, false));
}
