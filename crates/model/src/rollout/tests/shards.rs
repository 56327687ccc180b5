//! Workers whose carriers change over one by one.

use super::{
    super::{
        canary::shard_trial,
        effect::Happened,
        judging::{Stage, Verdict},
        plan::{Flow, Kind, Plan, Request, Strategy},
        state::{Phase, Step},
    },
    story::{MIN, SOAK, Story, WATCH, from_to, new, old, request, site},
};
use crate::{
    fault::Lang,
    id::{Place, RevisionId, RolloutId},
    protocol::{
        agent::{DesiredPhase, InstancePhase},
        edge::FULL_SHARE,
        trial::{ShardTrial, TripCause},
    },
    shards::{Layout, Shards},
    workload::ServiceKind,
};
use uuid::Uuid;

fn layout(shards: u32, carriers: u32) -> Layout {
    let name = |i: u32| format!("shop-{i}").parse().unwrap();
    Layout::new(Shards::Named((0..shards).map(name).collect()), carriers)
}

/// Eight shops by four carriers; a quarter of them, half, all.
pub fn worker() -> Request {
    with(layout(8, 4), layout(8, 4))
}

fn with(before: Layout, after: Layout) -> Request {
    let mut r = request();
    r.service_kind = ServiceKind::Worker;
    let min_of = |share| if share < FULL_SHARE { MIN * 1_000 } else { 0 };
    r.stages = [2_500, 5_000, FULL_SHARE].map(|share| Stage { share, min_ms: min_of(share), max_ms: 600_000 }).to_vec();
    r.sites[0].instances = after.carriers();
    r.sites[0].from_instances = Some(before.carriers());
    (r.sites[0].layout, r.sites[0].from_layout) = (Some(after), Some(before));
    r
}

/// The ordinals a revision runs, as the rows want it.
fn carried(s: &Story, of: RevisionId) -> Vec<u32> {
    let place = &s.places[&site("default")];
    let runs = place.instances.iter().filter(|i| i.revision == of && i.phase == DesiredPhase::Run);
    let mut ordinals: Vec<u32> = runs.map(|i| i.ordinal).collect();
    ordinals.sort_unstable();
    ordinals
}

#[test]
fn carriers_change_over_wave_by_wave() {
    let mut s = Story::begin(worker());
    assert_eq!(s.plan.flow, Flow::ByShard);
    s.settle();
    for (wave, carriers) in [(0, 1), (1, 2)] {
        assert_eq!(carried(&s, new()), (0..carriers).collect::<Vec<_>>());
        assert_eq!(carried(&s, old()), (carriers..4).collect::<Vec<_>>());
        let moved = |h: &Happened| matches!(h, Happened::ShardsMoved { shards, .. } if *shards == 2 * carriers);
        assert!(s.happened.iter().any(moved), "{:?}", s.happened);
        s.says("default", wave, Verdict::Better).after(MIN);
    }
    assert_eq!((carried(&s, new()), carried(&s, old())), (vec![0, 1, 2, 3], vec![]));
    s.after(SOAK + WATCH);
    assert_eq!(s.state.phase, Phase::Completed);
    assert!(
        s.places[&site("default")].route.as_ref().is_none_or(|r| r.version == 1),
        "a worker has no traffic to move"
    );
}

#[test]
fn nobody_takes_over_before_the_one_before_is_gone() {
    let mut s = Story::begin(worker());
    s.lingering.insert((old(), 0));
    s.settle();
    assert_eq!((carried(&s, old()), carried(&s, new())), (vec![1, 2, 3], vec![]));
    assert!(matches!(s.step(), Step::StoppingOld { .. }));
    s.after(86_400);
    assert_eq!(carried(&s, new()), Vec::<u32>::new(), "however long it takes");
    s.lingering.clear();
    assert_eq!(carried(s.settle(), new()), [0]);
}

#[test]
fn a_cron_service_moves_as_a_worker_does_and_waits_for_the_run_under_way() {
    let cron = |before, after| Request { service_kind: ServiceKind::Cron, ..with(before, after) };
    let mut s = Story::begin(cron(layout(8, 4), layout(8, 4)));
    assert_eq!(s.plan.flow, Flow::ByShard);
    // Between two runs nothing of it is alive, and it is at its post.
    s.phases.extend([(old(), InstancePhase::Stopped), (new(), InstancePhase::Stopped)]);
    s.lingering.insert((old(), 0));
    s.settle();
    assert_eq!((carried(&s, old()), carried(&s, new())), (vec![1, 2, 3], vec![]));
    s.after(3_600);
    assert_eq!(carried(&s, new()), Vec::<u32>::new(), "however long it takes");
    s.lingering.clear();
    assert_eq!(carried(s.settle(), new()), [0]);
    s.says("default", 0, Verdict::Better).after(MIN);
    assert_eq!((carried(&s, new()), carried(&s, old())), (vec![0, 1], vec![2, 3]));
    s.says("default", 1, Verdict::Worse);
    assert_eq!((s.state.phase, s.reason()), (Phase::Failed, "TW-ROLL-010"));
    assert_eq!((carried(&s, old()), s.running("default", new())), (vec![0, 1, 2, 3], 0));

    let s = Story::begin(cron(layout(8, 4), layout(8, 2)));
    assert_eq!((s.plan.flow, s.plan.waves.len()), (Flow::Exclusive, 1));
    let mut whole = cron(layout(8, 4), layout(8, 4));
    (whole.sites[0].layout, whole.sites[0].from_layout) = (None, None);
    assert_eq!(Plan::new(whole).flow, Flow::Exclusive, "without shards there is one piece of work");
}

#[test]
fn a_report_from_before_the_stop_proves_nothing() {
    let mut s = Story::begin(worker());
    s.stale = true;
    s.phases.insert(old(), InstancePhase::Failed);
    s.settle();
    assert_eq!((carried(&s, old()), carried(&s, new())), (vec![1, 2, 3], vec![]));
    s.stale = false;
    assert_eq!(carried(s.settle(), new()), [0]);
}

#[test]
fn one_that_is_slow_to_end_holds_up_its_own_shards_only() {
    let mut s = Story::begin(worker());
    s.promoted_to(1);
    s.lingering.insert((old(), 2));
    s.says("default", 1, Verdict::Better).after(MIN);
    assert_eq!((carried(&s, new()), carried(&s, old())), (vec![0, 1, 3], vec![]));
    // And on the way back.
    s.lingering.insert((new(), 1));
    s.state.request_abort("lin", "wrong day", s.now);
    s.settle();
    assert_eq!((carried(&s, old()), carried(&s, new())), (vec![0, 2, 3], vec![]));
    s.lingering.clear();
    s.settle();
    assert_eq!((s.state.phase, carried(&s, old())), (Phase::Aborted, vec![0, 1, 2, 3]));
}

#[test]
fn a_stray_of_unknown_ordinal_holds_everybody_up() {
    let mut s = Story::begin(worker());
    s.strays.1 = 1;
    s.settle();
    assert_eq!(carried(&s, new()), Vec::<u32>::new());
    s.strays.1 = 0;
    assert_eq!(carried(s.settle(), new()), [0]);
}

#[test]
fn a_worker_that_is_worse_gives_its_shards_back_and_the_others_never_notice() {
    let mut s = Story::begin(worker());
    s.settle();
    let untouched: Vec<_> = s.places[&site("default")].instances.iter().filter(|i| i.ordinal > 0).cloned().collect();
    let of_old = |i: &&super::super::desired::WantedInstance| i.revision == old();
    s.says("default", 0, Verdict::Worse);
    assert_eq!((s.state.phase, s.reason()), (Phase::Failed, "TW-ROLL-010"));
    assert_eq!((carried(&s, old()), s.running("default", new())), (vec![0, 1, 2, 3], 0));
    let after = &s.places[&site("default")].instances;
    assert!(untouched.iter().filter(of_old).all(|i| after.contains(i)));
}

/// What the site's host is told, so that it can take the shards back by itself.
fn on_trial(s: &Story) -> Option<ShardTrial> {
    let plan = s.plan.site(&site("default")).unwrap();
    let (service, env) = ("shop".parse().unwrap(), "production".parse().unwrap());
    let place = Place { service, env, site: site("default") };
    shard_trial(&s.plan, &s.state, plan, place, RolloutId(Uuid::nil()))
}

fn cycles_failed() -> TripCause {
    TripCause::Events { metric: "cycles".into(), failed: 30, of: 200, limit: 500, for_ms: 30_000 }
}

#[test]
fn shards_are_on_trial_from_the_first_stop_to_the_end() {
    let mut s = Story::begin(worker());
    assert_eq!(on_trial(&s), None);
    s.lingering.insert((old(), 0));
    s.settle();
    let trial = on_trial(&s).unwrap();
    assert_eq!((trial.canary, trial.baseline, trial.lease_ms), (new(), old(), 600_000));
    assert_eq!((trial.limits.error_rate, trial.limits.p99_ms), (Some(500), None));
    s.lingering.clear();
    s.promoted_to(1);
    assert_eq!(on_trial(&s), Some(trial.clone()), "in the next wave, too");
    // On the way back it is the host's last word in case the server goes away.
    s.lingering.insert((new(), 0));
    s.says("default", 1, Verdict::Worse);
    assert_eq!((s.state.phase, on_trial(&s)), (Phase::Returning, Some(trial)));
    s.lingering.clear();
    s.settle();
    assert_eq!((s.state.phase, on_trial(&s)), (Phase::Failed, None));

    let mut s = Story::begin(worker());
    s.promoted_to(2);
    assert!(on_trial(&s).is_some(), "for as long as it is watched");
    s.after(SOAK + WATCH);
    assert_eq!((s.state.phase, on_trial(&s)), (Phase::Completed, None));
    for r in [with(layout(8, 4), layout(8, 2)), Request { kind: Kind::Rollback, ..worker() }] {
        let mut s = Story::begin(r);
        s.lingering.insert((old(), 0));
        s.settle();
        assert_eq!((s.step().as_str(), on_trial(&s)), ("stopping_old", None), "one that changes over whole");
    }
}

#[test]
fn a_host_that_took_its_shards_back_is_followed() {
    for lingering in [false, true] {
        let mut s = Story::begin(worker());
        if lingering {
            // Before the new one has begun to work.
            s.lingering.insert((old(), 0));
        }
        s.settle();
        s.tripped.insert(site("default"), cycles_failed());
        s.lingering.clear();
        s.settle();
        assert_eq!((s.state.phase, s.reason()), (Phase::Failed, "TW-ROLL-015"));
        assert_eq!((carried(&s, old()), s.running("default", new())), (vec![0, 1, 2, 3], 0));
        let told = "`cycles` of v2 on default came to 30 of 200 within 30 s, more than 5%";
        assert_eq!(s.state.reason.unwrap().what(Lang::En), told);
    }
}

#[test]
fn a_carrier_that_does_not_start_is_taken_back() {
    let mut s = Story::begin(worker());
    s.phases.insert(new(), InstancePhase::Starting);
    s.settle();
    assert_eq!((carried(&s, new()), carried(&s, old())), (vec![0], vec![1, 2, 3]));
    s.after(60);
    assert_eq!((s.state.phase, s.reason()), (Phase::Failed, "TW-ROLL-001"));
    assert_eq!(carried(&s, old()), [0, 1, 2, 3]);
}

#[test]
fn a_pause_or_a_freeze_comes_before_a_handover_and_not_into_it() {
    for frozen in [false, true] {
        let mut s = Story::begin(worker());
        s.promoted_to(1);
        s.lingering.insert((old(), 1));
        s.says("default", 1, Verdict::Continue);
        s.promote().unwrap();
        s.settle();
        s.state.set_paused(!frozen);
        s.frozen = frozen;
        s.lingering.clear();
        assert_eq!(carried(s.settle(), new()), [0, 1, 2, 3], "shards that were given up are taken");
        let mut s = Story::begin(worker());
        s.decide();
        s.state.set_paused(!frozen);
        s.frozen = frozen;
        assert_eq!(carried(s.settle(), old()), [0, 1, 2, 3]);
    }
}

#[test]
fn where_carriers_do_not_line_up_the_site_changes_over_whole() {
    for (before, after) in [(layout(8, 4), layout(8, 2)), (layout(6, 4), layout(8, 3))] {
        let mut s = Story::begin(with(before.clone(), after.clone()));
        assert_eq!((s.plan.flow, s.plan.waves.len(), &s.plan.judging), (Flow::Exclusive, 1, &None));
        s.lingering.insert((old(), 1));
        s.settle();
        assert_eq!(s.count("changes_whole"), 1, "and it is said");
        assert_eq!((carried(&s, old()), carried(&s, new())), (vec![], vec![]), "{before:?} to {after:?}");
        s.state.request_abort("lin", "wrong day", s.now);
        s.lingering.clear();
        s.settle();
        assert_eq!(carried(&s, old()), (0..before.carriers()).collect::<Vec<_>>(), "as many as there were");
    }
}

#[test]
fn an_appended_shop_is_no_reason_not_to_try() {
    let mut s = Story::begin(with(layout(3, 3), layout(4, 4)));
    assert_eq!(s.plan.flow, Flow::ByShard);
    s.promoted_to(2).after(SOAK + WATCH);
    assert_eq!((s.state.phase, carried(&s, new())), (Phase::Completed, vec![0, 1, 2, 3]));
    for (before, after) in [(layout(4, 4), layout(3, 3)), (layout(3, 3), layout(4, 4))] {
        let mut s = Story::begin(with(before.clone(), after));
        s.promoted_to(1);
        s.says("default", 1, Verdict::Worse);
        let whole: Vec<u32> = (0..before.carriers()).collect();
        assert_eq!((s.state.phase, carried(&s, old())), (Phase::Failed, whole));
        assert_eq!(s.state.sites[&site("default")].remark, None, "all that there were are back");
    }
}

#[test]
fn waves_are_as_fine_as_carriers() {
    let waves = |r: Request| Plan::new(r).waves.iter().map(|w| (w.instances, w.share)).collect::<Vec<_>>();
    assert_eq!(waves(worker()), [(1, 2_500), (2, 5_000), (4, FULL_SHARE)]);
    let mut fine = with(layout(12, 5), layout(12, 5));
    fine.stages = [100, 1_000, 2_600, FULL_SHARE].map(|share| Stage { share, min_ms: 0, max_ms: 1 }).to_vec();
    assert_eq!(waves(fine), [(1, 2_500), (2, 5_000), (5, FULL_SHARE)], "12 shops: 3, 3, 2, 2, 2");
    let rolling = Request { strategy: Strategy::Rolling { max_surge: 3 }, ..worker() };
    assert_eq!(waves(rolling), [(3, 7_500), (4, FULL_SHARE)]);
    assert_eq!(Plan::new(Request { strategy: Strategy::AllAtOnce, ..worker() }).flow, Flow::Exclusive);
    assert_eq!(Plan::new(with(layout(8, 1), layout(8, 1))).flow, Flow::Exclusive, "nobody to go first");
}

#[test]
fn rolling_goes_on_by_health_alone() {
    let mut s = Story::begin(Request { strategy: Strategy::Rolling { max_surge: 1 }, ..worker() });
    assert_eq!((s.plan.waves.len(), &s.plan.judging), (4, &None));
    s.settle().after(SOAK);
    assert_eq!((s.state.phase, s.count("shards_moved")), (Phase::Completed, 4));
}

#[test]
fn sites_of_a_plan_go_each_its_own_way() {
    let mut r = worker();
    r.sites.push(from_to("shopee-br", None, new()));
    r.sites.push(from_to("amazon-us", Some(old()), new()));
    let mut s = Story::begin(r);
    assert_eq!(
        s.plan.waves.iter().map(|w| w.site.as_str()).collect::<Vec<_>>(),
        ["default", "default", "default", "shopee-br", "amazon-us"]
    );
    s.promoted_to(4);
    assert_eq!((s.running("shopee-br", new()), s.running("amazon-us", old())), (4, 0));
    s.after(SOAK + WATCH);
    assert_eq!(s.state.phase, Phase::Completed);
}

#[test]
fn a_rollback_takes_over_carriers_in_the_middle_of_a_wave() {
    let mut s = Story::begin(worker());
    s.promoted_to(1);
    s.lingering.insert((new(), 1));
    let mut back = worker();
    back.kind = Kind::Rollback;
    (back.sites[0].from, back.sites[0].to, back.sites[0].from_half_made) = (Some(new()), old(), true);
    s.then(back);
    assert_eq!(s.plan.flow, Flow::Exclusive);
    s.settle();
    assert_eq!((carried(&s, old()), carried(&s, new())), (vec![2, 3], vec![]), "what works is left working");
    s.lingering.clear();
    s.settle();
    assert_eq!((s.state.phase, carried(&s, old())), (Phase::Completed, vec![0, 1, 2, 3]));
    assert_eq!(s.running("default", new()), 0);
}
