//! A person's hand on a wave: another share, and a word that is meant for one wave only.

use super::{
    super::{
        judging::{OnInconclusive, Verdict},
        plan::{Kind, Request, Strategy},
        state::{Phase, Step},
    },
    story::{MAX, MIN, SOAK, Story, WATCH, from_to, judging, new, old, request, site},
};
use crate::{
    fault::{Fault, Lang},
    protocol::{agent::InstancePhase, edge::FULL_SHARE},
    workload::ServiceKind,
};

fn code<T: std::fmt::Debug>(refused: Result<T, Fault>) -> &'static str {
    refused.unwrap_err().code.id
}

/// Judged in its first wave, at 10 %.
fn begun() -> Story {
    let mut s = Story::begin(request());
    s.settle();
    assert!(matches!(s.step(), Step::Judging { share: 1_000, .. }));
    s
}

#[test]
fn more_traffic_waits_for_the_instances_it_needs() {
    let mut s = begun();
    s.set_share(6_000).unwrap();
    s.phases.insert(new(), InstancePhase::Starting);
    s.settle();
    assert_eq!((s.share("default", new()), s.running("default", new())), (1_000, 3), "60 % of four is three");
    s.phases.clear();
    s.settle();
    assert_eq!((s.share("default", new()), s.share("default", old())), (6_000, 4_000));
    assert_eq!(s.running("default", old()), 4, "the first set stays whole");
    assert!(s.on_trial("default"));
    assert!(matches!(s.step(), Step::Judging { share: 6_000, asked: false, .. }));
    assert_eq!(s.count("traffic_moved"), 2);
}

#[test]
fn less_traffic_moves_first_and_what_it_does_not_need_goes_then() {
    let mut s = begun();
    s.says("default", 0, Verdict::Better).after(MIN);
    assert_eq!((s.share("default", new()), s.running("default", new())), (5_000, 2));
    s.set_share(500).unwrap();
    s.deaf = true;
    s.settle();
    assert_eq!((s.share("default", new()), s.running("default", new())), (500, 2), "until the edge has taken it");
    s.deaf = false;
    s.settle();
    assert_eq!((s.share("default", new()), s.running("default", new())), (500, 1));
    assert!(matches!(s.step(), Step::Judging { share: 500, .. }));
}

#[test]
fn an_instance_that_is_not_ready_is_not_what_a_smaller_share_is_left_with() {
    let mut s = begun();
    s.says("default", 0, Verdict::Better).after(MIN);
    s.set_share(500).unwrap();
    // Any of the two may be the one.
    s.broken.insert((new(), 0));
    s.settle();
    assert_eq!((s.share("default", new()), s.running("default", new())), (500, 2));
    assert!(matches!(s.step(), Step::Judging { share: 500, .. }));
    assert_eq!(s.after(60).state.phase, Phase::Running);
}

#[test]
fn a_raise_that_needs_no_further_instance_moves_at_once() {
    let mut s = begun();
    s.set_share(2_500).unwrap();
    s.decide();
    assert_eq!(s.share("default", new()), 2_500);
    assert_eq!(s.count("instances_ready"), 1, "of the wave itself");
}

#[test]
fn evidence_and_time_begin_anew_with_a_share() {
    let mut s = begun();
    s.after(MIN - 1).set_share(3_000).unwrap();
    s.says("default", 0, Verdict::Better).after(MIN);
    assert_eq!(s.share("default", new()), 3_000, "that was said of 10 %");
    s.says_of(0, 1, Verdict::Better);
    assert_eq!((s.share("default", new()), s.count("promoted")), (5_000, 1));

    let mut s = begun();
    s.after(MIN - 1).set_share(3_000).unwrap();
    s.says_of(0, 1, Verdict::Better).after(MIN - 1);
    assert_eq!(s.share("default", new()), 3_000, "its time began with the share");
    assert_eq!(s.after(1).share("default", new()), 5_000);

    let mut s = begun();
    s.after(MAX - 1).set_share(3_000).unwrap();
    s.settle();
    assert_eq!(s.after(MAX - 1).count("asks"), 0);
    assert_eq!(s.after(1).count("asks"), 1, "and so did that of a wave without a verdict");
    s.set_share(4_000).unwrap();
    s.settle();
    assert!(matches!(s.step(), Step::Judging { asked: false, .. }), "whoever was asked has answered");
}

#[test]
fn evidence_of_the_same_share_from_before_is_another_matter() {
    let mut s = begun();
    for share in [2_000, 1_000] {
        s.set_share(share).unwrap();
        s.settle();
    }
    s.says("default", 0, Verdict::Better).after(MIN);
    s.says_of(0, 1, Verdict::Better);
    assert_eq!(s.share("default", new()), 1_000);
    s.says_of(0, 2, Verdict::Better);
    assert_eq!(s.share("default", new()), 5_000);
}

#[test]
fn evidence_against_it_counts_whatever_the_share_was() {
    for (wave, turn) in [(0, 0), (0, 1), (1, 0)] {
        let mut s = begun();
        s.set_share(6_000).unwrap();
        s.settle().says_of(wave, turn, Verdict::Worse);
        assert_eq!(s.reason(), "TW-ROLL-010", "wave {wave}, turn {turn}");
        s.assert_returned();
    }
    // While its instances start, too.
    let mut s = begun();
    s.set_share(6_000).unwrap();
    s.phases.insert(new(), InstancePhase::Starting);
    s.settle().says("default", 0, Verdict::Worse);
    s.assert_returned();
}

#[test]
fn a_raise_whose_instances_never_come_ends_like_a_wave_that_does_not_begin() {
    let mut s = begun();
    s.set_share(6_000).unwrap();
    s.phases.insert(new(), InstancePhase::Starting);
    s.settle().after(60);
    assert_eq!(s.reason(), "TW-ROLL-001");
    s.assert_returned();
}

#[test]
fn a_wave_that_has_less_to_give_than_a_person_gave_is_left_out() {
    for (share, skipped) in [(4_999, 0), (5_000, 1), (6_000, 1), (9_999, 1)] {
        let mut s = begun();
        s.set_share(share).unwrap();
        s.settle().says_of(0, 1, Verdict::Better).after(MIN);
        assert_eq!(s.count("wave_skipped"), skipped, "{share}");
        assert_eq!(s.share("default", new()), if skipped == 1 { FULL_SHARE } else { 5_000 }, "{share}");
        if skipped == 1 {
            assert_eq!(s.count("wave_finished"), 1);
            s.after(SOAK + WATCH);
            assert_eq!((s.state.phase, s.running("default", new())), (Phase::Completed, 4));
            assert_eq!((s.count("wave_started"), s.count("wave_finished")), (2, 2));
        }
    }
}

#[test]
fn less_than_the_plan_wanted_does_for_its_wave() {
    let mut s = begun();
    s.set_share(100).unwrap();
    s.settle().says_of(0, 1, Verdict::Better).after(MIN);
    assert_eq!((s.share("default", new()), s.state.wave), (5_000, 1), "the next wave is as planned");
    assert_eq!(s.state.sites[&site("default")].turn(), 0);
    s.says("default", 1, Verdict::Better).after(MIN).after(SOAK + WATCH);
    assert_eq!(s.state.phase, Phase::Completed);
}

#[test]
fn every_site_has_its_own_share() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    s.promoted_to(3);
    s.set_share(7_000).unwrap();
    s.settle();
    assert_eq!((s.share("default", new()), s.share("shopee-br", new())), (FULL_SHARE, 7_000));
    s.promote().unwrap();
    s.settle().after(SOAK + WATCH);
    assert_eq!((s.state.phase, s.count("wave_skipped")), (Phase::Completed, 1));
}

#[test]
fn whoever_spoke_last_is_heard() {
    // A pause holds what goes on by itself, and not what is asked for after it.
    let mut s = begun();
    s.state.set_paused(true);
    s.set_share(6_000).unwrap();
    assert_eq!(s.settle().share("default", new()), 6_000);
    s.says_of(0, 1, Verdict::Better).after(MAX);
    assert_eq!((s.share("default", new()), s.state.wave), (6_000, 0));
    s.state.set_paused(false);
    assert_eq!(s.settle().share("default", new()), FULL_SHARE);

    // A pause that comes while the instances start keeps the traffic where it is.
    let mut s = begun();
    s.set_share(6_000).unwrap();
    s.phases.insert(new(), InstancePhase::Starting);
    s.settle();
    s.state.set_paused(true);
    s.phases.clear();
    assert_eq!(s.settle().share("default", new()), 1_000);
    s.state.set_paused(false);
    assert_eq!(s.settle().share("default", new()), 6_000);

    // Less is never held.
    let mut s = begun();
    s.away = true;
    s.set_share(300).unwrap();
    s.state.set_paused(true);
    assert_eq!(s.settle().share("default", new()), 1_000, "nobody is there to do it");
    s.away = false;
    assert_eq!(s.settle().share("default", new()), 300);

    // A word for the wave as it was does not outlast a change of it.
    let mut s = begun();
    s.state.set_paused(true);
    s.promote().unwrap();
    s.set_share(2_000).unwrap();
    s.state.set_paused(false);
    assert_eq!(s.settle().share("default", new()), 2_000);
    s.promote().unwrap();
    assert_eq!(s.settle().share("default", new()), 5_000);
}

#[test]
fn a_freeze_lets_a_share_sink_and_not_rise() {
    let mut s = begun();
    s.frozen = true;
    s.set_share(6_000).unwrap();
    assert_eq!((s.settle().share("default", new()), s.running("default", new())), (1_000, 1));
    s.set_share(500).unwrap();
    assert_eq!(s.settle().share("default", new()), 500);
    s.set_share(6_000).unwrap();
    s.frozen = false;
    assert_eq!(s.settle().share("default", new()), 6_000);
}

#[test]
fn a_share_that_was_taken_back_before_it_moved_leaves_nothing_behind() {
    let mut s = begun();
    s.away = true;
    s.set_share(6_000).unwrap();
    s.settle();
    assert_eq!(code(s.set_share(6_000)), "TW-ROLL-030", "it is on its way");
    s.set_share(1_000).unwrap();
    s.away = false;
    assert_eq!((s.settle().share("default", new()), s.running("default", new())), (1_000, 1));
    s.says_of(0, 2, Verdict::Better).after(MIN);
    assert_eq!(s.share("default", new()), 5_000, "and it goes on");
}

#[test]
fn a_share_is_refused_where_there_is_none_to_change() {
    let mut s = begun();
    for (share, expected) in
        [(0, "TW-ROLL-029"), (FULL_SHARE, "TW-ROLL-029"), (u32::MAX, "TW-ROLL-029"), (1_000, "TW-ROLL-030")]
    {
        assert_eq!(code(s.set_share(share)), expected, "{share}");
    }
    s.set_share(2_000).unwrap();
    assert_eq!(s.settle().share("default", new()), 2_000);
    s.set_share(1).unwrap();
    assert_eq!((s.settle().share("default", new()), s.running("default", new())), (1, 1));

    let mut s = Story::begin(request());
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-025", "nothing has begun");
    s.decide();
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-025", "it is starting");
    s.promoted_to(2);
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-025", "it is watched");
    s.state.request_abort("lin", "wrong day", s.now);
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-025", "it goes back");
    s.settle();
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-022");

    for (strategy, kind) in [
        (Strategy::BlueGreen, Kind::Normal),
        (Strategy::Rolling { max_surge: 1 }, Kind::Normal),
        (Strategy::AllAtOnce, Kind::Normal),
        (Strategy::Canary, Kind::Rollback),
    ] {
        let mut s = Story::begin(Request { strategy, kind, ..request() });
        s.decide();
        assert_eq!(code(s.set_share(2_000)), "TW-ROLL-027", "{strategy:?} {kind:?}");
    }
    let mut first = request();
    first.sites = vec![from_to("default", None, new())];
    let mut s = Story::begin(first);
    s.settle();
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-027");
    let mut s = Story::begin(Request { service_kind: ServiceKind::Worker, ..request() });
    s.settle();
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-027", "it changes over whole");
    let mut s = Story::begin(super::shards::worker());
    s.settle();
    assert_eq!(code(s.set_share(2_000)), "TW-ROLL-028");
}

#[test]
fn a_word_for_one_wave_never_reaches_the_next() {
    let of = |fault: Fault| fault.with("rollout", "r").what(Lang::En);
    let mut s = begun();
    s.says("default", 0, Verdict::Better).after(MIN);
    assert_eq!(s.state.begun(), Some(1));
    let late = s.state.promote(0, "mei", "looks well", s.now).unwrap_err();
    assert_eq!(
        of(late),
        "wave 1 of rollout r is over (promoted by its evidence: as the judge says), and now wave 2 is being judged"
    );
    let plan = s.plan.clone();
    assert_eq!(code(s.state.set_share(&plan, 0, 2_000)), "TW-ROLL-026");
    s.state.promote(1, "lin", "the sale begins", s.now).unwrap();
    s.state.promote(1, "mei", "looks well", s.now).unwrap();
    s.decide();
    let late = of(s.state.promote(1, "mei", "looks well", s.now).unwrap_err());
    let at = s.now.to_minute();
    let passed = format!("wave 2 of rollout r is over (promoted by lin, {at}: the sale begins), and now wave 3");
    assert!(late.contains(&passed), "{late}");
    assert_eq!(code(s.state.promote(2, "mei", "looks well", s.now)), "TW-ROLL-025", "it is starting");
    assert_eq!(code(s.state.promote(7, "mei", "looks well", s.now)), "TW-ROLL-025", "there is none");

    // Over, and the next has not begun.
    let mut s = begun();
    s.frozen = true;
    s.promote().unwrap();
    s.settle();
    let late = of(s.state.promote(0, "mei", "looks well", s.now).unwrap_err());
    let passed = format!("(promoted by lin, {}: seen), and now the wave after 1 has not begun", s.now.to_minute());
    assert!(late.ends_with(&passed), "{late}");

    let mut r = request();
    r.judging = Some(super::super::judging::Judging { on_inconclusive: OnInconclusive::Continue, ..judging() });
    let mut s = Story::begin(r);
    s.settle().after(MAX);
    let late = s.state.promote(0, "mei", "looks well", s.now).unwrap_err().with("rollout", "r").what(Lang::Zh);
    assert_eq!(late, "发布 r 的第 1 波已经结束（到时仍无结论，配置为 `continue`），目前第 2 波正在判定");
}

#[test]
fn what_a_person_set_survives_being_stored() {
    let mut s = begun();
    s.set_share(6_000).unwrap();
    s.settle();
    s.promote().unwrap();
    let stored = serde_json::to_string(&s.state).unwrap();
    let read: super::super::state::State = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, s.state);
}
