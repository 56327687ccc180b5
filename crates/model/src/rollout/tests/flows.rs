//! The two flows and the way back.

use super::super::{
    decide::decide,
    desired::{PlaceDesired, WantedInstance},
    effect::Effect,
    facts::{Facts, RevisionFacts, RouteFacts, Seen, SiteFacts, count},
    plan::{Kind, Plan, Request, SitePlan, Strategy, Timing},
    state::{Phase, State, Step},
};
use super::story::{self, Story, request};
use crate::{
    id::{InstanceId, RevisionId, SiteName},
    protocol::{
        agent::{DesiredPhase, InstancePhase},
        edge::{FULL_SHARE, Mode},
    },
    time::Timestamp,
    workload::ServiceKind,
};
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_000_000);

fn revision(n: i64) -> RevisionId {
    RevisionId::at(Timestamp(n * 1_000_000))
}

fn plan(kind: Kind, strategy: Strategy, from: Option<RevisionId>, to: RevisionId) -> Plan {
    Plan::new(Request {
        kind,
        service_kind: ServiceKind::Web,
        strategy,
        sites: vec![SitePlan {
            site: SiteName::default_site(),
            from,
            from_label: None,
            from_half_made: false,
            to,
            to_label: "v2".into(),
            instances: 2,
            from_instances: None,
            layout: None,
            from_layout: None,
        }],
        timing: Timing::default(),
        stages: Vec::new(),
        judging: None,
        limits: None,
        verify: true,
        freeze_queue_on_failure: true,
    })
}

fn started(plan: &Plan) -> State {
    let mut s = State::queued(plan);
    s.begin(NOW);
    s
}

fn facts(ready: &[(RevisionId, u32)]) -> Facts {
    let revisions = ready
        .iter()
        .map(|(r, n)| (*r, RevisionFacts { wanted: *n, kept: *n, ready: *n, alive: *n, ..RevisionFacts::default() }))
        .collect();
    let site = SiteFacts { fresh: true, revisions, ..SiteFacts::default() };
    Facts { agents_present: true, frozen: false, others_wait: false, sites: [(SiteName::default_site(), site)].into() }
}

fn step(s: &State) -> Step {
    s.sites[&SiteName::default_site()].step
}

#[test]
fn a_warm_rollback_moves_traffic_in_its_first_decision() {
    let (old, new) = (revision(1), revision(2));
    let plan = plan(Kind::Rollback, Strategy::BlueGreen, Some(new), old);
    let d = decide(&plan, &started(&plan), &facts(&[(old, 2), (new, 2)]), NOW);
    let moved = d
        .effects
        .iter()
        .any(|e| matches!(e, Effect::Route { mode: Mode::Serve, splits, .. } if splits.contains(&(old, FULL_SHARE))));
    assert!(moved, "{:?}", d.effects);
}

#[test]
fn a_cold_rollback_starts_and_checks_before_traffic_moves() {
    let (old, new) = (revision(1), revision(2));
    let plan = plan(Kind::Rollback, Strategy::BlueGreen, Some(new), old);
    let d = decide(&plan, &started(&plan), &facts(&[(new, 2)]), NOW);
    assert!(!d.effects.iter().any(|e| matches!(e, Effect::Route { .. })), "{:?}", d.effects);
    assert!(matches!(step(&d.state), Step::Starting { .. }));
}

#[test]
fn a_release_that_is_never_ready_is_refused_while_the_old_one_serves_on() {
    let (old, new) = (revision(1), revision(2));
    let plan = plan(Kind::Normal, Strategy::BlueGreen, Some(old), new);
    let d = decide(&plan, &started(&plan), &facts(&[(old, 2)]), NOW);
    let due = d.next_wake_at.expect("a start has a time limit");
    assert_eq!(due, NOW.plus(Duration::from_millis(plan.timing.start_ms)));
    let d = decide(&plan, &d.state, &facts(&[(old, 2)]), due);
    assert_eq!(d.state.phase, Phase::Failed);
    assert!(!d.effects.iter().any(|e| matches!(e, Effect::Route { .. })), "its traffic was never touched");
    assert!(d.effects.iter().any(|e| matches!(e, Effect::FreezeQueue { .. })));
    let reason = d.state.reason.expect("a failure has a reason");
    assert_eq!(reason.code, "TW-ROLL-001");
    assert!(reason.what(crate::fault::Lang::Zh).contains("v2"));
}

#[test]
fn time_does_not_run_out_while_the_agent_is_out_of_sight() {
    let (old, new) = (revision(1), revision(2));
    let plan = plan(Kind::Normal, Strategy::BlueGreen, Some(old), new);
    let d = decide(&plan, &started(&plan), &facts(&[(old, 2)]), NOW);
    let away = Facts { agents_present: false, ..facts(&[(old, 2)]) };
    let d = decide(&plan, &d.state, &away, NOW.plus(Duration::from_secs(1)));
    let d = decide(&plan, &d.state, &facts(&[(old, 2)]), NOW.plus(Duration::from_secs(3_600)));
    assert_eq!(d.state.phase, Phase::Running);
}

#[test]
fn rolling_moves_in_steps_of_the_surge_and_blue_green_in_one() {
    let (old, new) = (revision(1), revision(2));
    let shares = |s| plan(Kind::Normal, s, Some(old), new).waves.iter().map(|w| w.share).collect::<Vec<_>>();
    assert_eq!(shares(Strategy::Rolling { max_surge: 1 }), [5_000, 10_000]);
    assert_eq!(shares(Strategy::BlueGreen), [10_000]);
    assert_eq!(shares(Strategy::AllAtOnce), [10_000]);
}

#[test]
fn a_pause_keeps_traffic_where_it_is() {
    let (old, new) = (revision(1), revision(2));
    let plan = plan(Kind::Normal, Strategy::BlueGreen, Some(old), new);
    let mut state = decide(&plan, &started(&plan), &facts(&[(old, 2)]), NOW).state;
    state.set_paused(true);
    let d = decide(&plan, &state, &facts(&[(old, 2), (new, 2)]), NOW);
    assert!(d.effects.is_empty(), "{:?}", d.effects);
    state.set_paused(false);
    let d = decide(&plan, &state, &facts(&[(old, 2), (new, 2)]), NOW);
    assert!(d.effects.iter().any(|e| matches!(e, Effect::Route { .. })));
}

/// One instance of the old revision, of which nothing is heard, and two of the new one.
fn reported(old: RevisionId, new: RevisionId, phases: &[InstancePhase]) -> Facts {
    let instances = [old, new, new].map(|revision| WantedInstance {
        id: InstanceId::at(NOW),
        revision,
        ordinal: 0,
        phase: DesiredPhase::Run,
        retire_at: None,
    });
    let seen = |(wanted, phase): (&WantedInstance, &InstancePhase)| Seen {
        id: wanted.id,
        revision: new,
        phase: *phase,
        message: None,
    };
    let seen: Vec<Seen> = instances[1..].iter().zip(phases).map(seen).collect();
    let place = PlaceDesired { instances: instances.into(), route: None };
    let mut facts = facts(&[]);
    let site = facts.sites.get_mut(&SiteName::default_site()).unwrap();
    site.revisions = count(&place, &seen, ServiceKind::Web);
    site.route = RouteFacts { version: 1, acked: 1 };
    facts
}

/// A blue-green rollout whose new revision takes all traffic and soaks.
fn soaking(plan: &Plan) -> State {
    let mut state = started(plan);
    let site = state.sites.get_mut(&SiteName::default_site()).unwrap();
    let until = NOW.plus(Duration::from_millis(plan.timing.soak_ms));
    (site.wave, site.touched, site.shifted) = (Some(0), true, true);
    site.step = Step::Soaking { until, share: FULL_SHARE };
    state
}

fn soaking_plan(old: RevisionId, new: RevisionId) -> Plan {
    let mut plan = plan(Kind::Normal, Strategy::BlueGreen, Some(old), new);
    plan.timing.soak_ms = 5_000;
    plan
}

#[test]
fn a_report_that_does_not_know_of_a_revision_does_not_condemn_it() {
    use InstancePhase::{Backoff, Failed, Pending, Ready, Starting, Stopped, Unhealthy};
    let (old, new) = (revision(1), revision(2));
    let plan = soaking_plan(old, new);
    let soaked = NOW.plus(Duration::from_secs(6));
    let mut state = soaking(&plan);
    // A host set up anew, or an agent that has just begun: nothing of it, then instances on their way.
    for phases in [&[][..], &[Pending], &[Pending, Pending], &[Stopped, Starting], &[Starting, Ready]] {
        let d = decide(&plan, &state, &reported(old, new, phases), soaked);
        assert_eq!(d.state.phase, Phase::Running, "{phases:?}: neither over nor broken: {:?}", d.happened);
        state = d.state;
    }
    let d = decide(&plan, &state, &reported(old, new, &[Ready, Ready]), soaked);
    assert_eq!(d.state.phase, Phase::Completed);
    // But not for long.
    let late = soaked.plus(Duration::from_millis(plan.timing.degraded_ms));
    assert_eq!(decide(&plan, &state, &reported(old, new, &[]), late).state.phase, Phase::Returning);
    for phases in [[Unhealthy, Unhealthy], [Backoff, Starting], [Failed, Ready]] {
        let d = decide(&plan, &soaking(&plan), &reported(old, new, &phases), NOW);
        assert_eq!(d.state.phase, Phase::Returning, "{phases:?}");
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_stretch_a_rollout() {
    let (old, new) = (revision(1), revision(2));
    let plan = soaking_plan(old, new);
    let ready = reported(old, new, &[InstancePhase::Ready; 2]);
    let back = Timestamp(NOW.0 - 3_600_000_000);
    let d = decide(&plan, &soaking(&plan), &ready, back);
    let soak = Duration::from_millis(plan.timing.soak_ms);
    assert_eq!(d.next_wake_at, Some(back.plus(soak)));
    let d = decide(&plan, &d.state, &ready, back.plus(soak));
    assert_eq!(d.state.phase, Phase::Completed, "{d:?}");

    let waits = decide(&plan, &started(&plan), &facts(&[(old, 2)]), NOW).state;
    let d = decide(&plan, &waits, &facts(&[(old, 2)]), back);
    let start = Duration::from_millis(plan.timing.start_ms);
    assert_eq!(d.next_wake_at, Some(back.plus(start)));
    assert_eq!(decide(&plan, &d.state, &facts(&[(old, 2)]), back.plus(start)).state.phase, Phase::Failed);
}

#[test]
fn once_the_old_one_has_stopped_neither_a_pause_nor_a_freeze_leaves_nobody_serving() {
    for (paused, frozen) in [(true, false), (false, true)] {
        let mut s = Story::begin(Request { strategy: Strategy::AllAtOnce, ..request() });
        s.decide();
        s.decide();
        assert_eq!(s.step().as_str(), "pausing");
        s.state.set_paused(paused);
        s.frozen = frozen;
        s.settle();
        assert_eq!((s.share("default", story::new()), s.running("default", story::new())), (FULL_SHARE, 4));
    }
}
