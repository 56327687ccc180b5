//! A site that changes over whole: orders, with nothing beside the canary.

use super::random::poisson;
use crate::{
    Arm, Judge, Kind, MetricSpec, Params, Verdict,
    control::{self, Control},
    single::Sum,
};
use fastrand::Rng;

/// What it is held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Against {
    /// Two sites that sell less and more for a session, in a market that wanders by a factor of two.
    OtherSites,
    /// Four weeks, each a little different.
    EarlierWeeks,
}

/// One session in twenty orders, 60 orders a minute.
const SESSIONS_PER_S: f64 = 20.0;
const RATE: f64 = 0.05;
const OTHERS: [(f64, f64); 2] = [(30.0, 0.03), (10.0, 0.08)];
const WATCH_S: u32 = 1_800;

/// Seconds until it is called worse, with the orders of half an hour times `ratio`.
pub fn until_worse(rng: &mut Rng, params: Params, against: Against, ratio: f64) -> Option<f64> {
    let mut judge = Judge::new(params, vec![MetricSpec::new("orders", Kind::Business)]).ok()?;
    judge.begin_watch(0.0, None);
    let hour = |rng: &mut Rng, sessions: f64, rate: f64| {
        let n = poisson(rng, 3_600.0 * sessions);
        Sum { n, x: poisson(rng, n as f64 * rate) }
    };
    let own = hour(rng, SESSIONS_PER_S, RATE);
    let scales: Vec<f64> = OTHERS
        .iter()
        .filter_map(|(sessions, rate)| control::scale(own, hour(rng, *sessions, *rate), params.alpha()))
        .collect();
    let week = |rng: &mut Rng| 1.0 + 0.1 * (rng.f64() - 0.5);
    let control = match against {
        Against::OtherSites => Control::Elsewhere,
        Against::EarlierWeeks => Control::Past(
            (0..4)
                .map(|_| {
                    let rate = RATE * week(rng);
                    hour(rng, SESSIONS_PER_S, rate)
                })
                .collect(),
        ),
    };
    judge.hold_against(0, &control);
    let (phase, this_week) = (std::f64::consts::TAU * rng.f64(), week(rng));
    for t in 1..=WATCH_S {
        let t = f64::from(t);
        let market = match against {
            Against::OtherSites => 2f64.powf((t / 500.0 + phase).sin()),
            Against::EarlierWeeks => this_week,
        };
        let mut arm = |sessions: f64, rate: f64| {
            let n = poisson(rng, sessions);
            (n, poisson(rng, n as f64 * rate * market))
        };
        let (n, x) = arm(SESSIONS_PER_S, ratio * RATE);
        let mut elsewhere = Arm::default();
        for ((sessions, rate), scale) in OTHERS.iter().zip(&scales) {
            let (n, x) = arm(*sessions, *rate);
            (elsewhere.n, elsewhere.x) = (elsewhere.n + (n as f64 * scale).round() as u64, elsewhere.x + x);
        }
        judge.observe(t, 0, Arm::of(n, x), elsewhere).ok()?;
        if judge.brief().verdict == Verdict::Worse {
            return Some(t);
        }
    }
    None
}
