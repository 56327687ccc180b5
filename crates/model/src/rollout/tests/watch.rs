//! The time after the last wave.

use super::{
    super::{
        plan::{Request, Strategy},
        state::{Phase, Step},
    },
    story::{SOAK, Story, WATCH, from_to, new, old, request},
};
use crate::time::Timestamp;
use std::time::Duration;

fn watched() -> Story {
    let mut s = Story::begin(request());
    s.promoted_to(2);
    assert!(matches!(s.step(), Step::Soaking { .. }));
    s
}

/// Seconds from `then` until the site is no longer watched.
fn left(s: &Story, name: &str) -> u64 {
    let Step::Soaking { until, .. } = s.step_of(name) else { panic!("{:?}", s.step_of(name)) };
    until.since(s.now).as_secs()
}

#[test]
fn all_traffic_is_watched_before_it_counts_as_completed() {
    let mut s = watched();
    let rest = left(&s, "default");
    s.after(rest - 1);
    assert_eq!((s.state.phase, s.wake), (Phase::Running, Some(s.now.plus(Duration::from_secs(1)))));
    assert_eq!(s.after(1).state.phase, Phase::Completed);
}

#[test]
fn the_watch_ends_early_when_others_wait_and_the_soak_does_not() {
    let mut s = Story::begin(request());
    s.promoted_to(1);
    s.others_wait = true;
    s.says("default", 1, super::super::judging::Verdict::Better);
    while s.state.wave < 2 {
        s.after(1);
    }
    let soaked = left(&s, "default") - WATCH;
    assert!(soaked > 0, "the soak has just begun");
    assert_eq!(s.wake, Some(s.now.plus(Duration::from_secs(soaked))));
    assert_eq!(s.after(soaked - 1).state.phase, Phase::Running);
    assert_eq!(s.after(1).state.phase, Phase::Completed);

    let mut s = watched();
    s.after(SOAK + 60);
    assert_eq!(s.state.phase, Phase::Running);
    s.others_wait = true;
    assert_eq!(s.settle().state.phase, Phase::Completed, "in the middle of the watch");
}

#[test]
fn only_the_plans_last_wave_is_watched() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    s.promoted_to(1).says("default", 1, super::super::judging::Verdict::Better);
    while !matches!(s.step(), Step::Soaking { .. }) {
        s.after(1);
    }
    assert!(left(&s, "default") <= SOAK);
    s.promoted_to(5);
    assert!(left(&s, "shopee-br") > WATCH - SOAK);
}

#[test]
fn other_strategies_soak_and_are_not_watched() {
    let mut s = Story::begin(Request { strategy: Strategy::BlueGreen, ..request() });
    s.settle();
    assert_eq!(left(&s, "default"), SOAK);
    assert_eq!(s.after(SOAK).state.phase, Phase::Completed);
}

#[test]
fn a_clock_that_is_set_back_stretches_each_watch_by_no_more_than_itself() {
    let back = |s: &mut Story| {
        s.now = Timestamp(s.now.0 - 7_200_000_000);
        s.settle();
    };
    let mut s = watched();
    back(&mut s);
    assert_eq!(left(&s, "default"), SOAK + WATCH);
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let mut s = Story::begin(r);
    s.promoted_to(1).says("default", 1, super::super::judging::Verdict::Better);
    while !matches!(s.step(), Step::Soaking { .. }) {
        s.after(1);
    }
    back(&mut s);
    assert_eq!(left(&s, "default"), SOAK);
}

#[test]
fn a_site_is_watched_as_long_as_its_last_step_says_before_the_next_begins() {
    let mut r = request();
    r.sites.push(from_to("shopee-br", Some(old()), new()));
    let last = r.stages.last_mut().unwrap();
    last.min_ms = 300_000;
    let mut s = Story::begin(r);
    s.promoted_to(1).says("default", 1, super::super::judging::Verdict::Better);
    while !matches!(s.step(), Step::Soaking { .. }) {
        s.after(1);
    }
    assert_eq!(left(&s, "default"), SOAK + 300);
    s.others_wait = true;
    let rest = left(&s, "default");
    s.after(rest - 1);
    assert_eq!(s.step_of("shopee-br"), Step::Waiting, "whoever waits");
    s.after(1);
    assert!(!matches!(s.step_of("shopee-br"), Step::Waiting));
}
