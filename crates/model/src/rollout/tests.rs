//! Decisions on hand-made facts: the short stories. The long ones are random schedules, in the test kit.

use super::{
    decide::decide,
    effect::Effect,
    facts::{Facts, RevisionFacts, SiteFacts},
    plan::{Kind, Plan, Request, SitePlan, Strategy, Timing},
    state::{Phase, State, Step},
};
use crate::{
    id::{RevisionId, SiteName},
    protocol::edge::{FULL_SHARE, Mode},
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
        }],
        timing: Timing::default(),
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
    Facts { agents_present: true, frozen: false, sites: [(SiteName::default_site(), site)].into() }
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

#[test]
fn the_texts_of_both_languages_name_the_same_things() {
    assert_eq!(crate::fault::check_catalog(super::faults::ALL), Vec::<String>::new());
}
