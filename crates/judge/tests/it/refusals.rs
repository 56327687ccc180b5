//! What is refused, in both languages, and that a refusal changes nothing.

use crate::world::{feed, one};
use tradewind_judge::{Arm, Judge, Kind, MOST, MetricSpec, Params, Unchecked};
use tradewind_model::fault::{Fault, Lang};

fn told(faults: &[Fault]) -> String {
    let both = |f: &Fault| format!("{f}\n  {}\n{}\n  {}\n", f.fix(Lang::En), f.what(Lang::Zh), f.fix(Lang::Zh));
    faults.iter().map(both).collect()
}

#[test]
fn settings() {
    let with = |change: fn(&mut Unchecked)| {
        let mut p = Unchecked::default();
        change(&mut p);
        Params::checked(p).unwrap_err()
    };
    insta::assert_snapshot!(told(&[
        with(|p| p.alpha = 0.0),
        with(|p| p.beta = f64::NAN),
        with(|p| p.alpha = 0.51),
        with(|p| p.r0 = f64::INFINITY),
        with(|p| p.r1 = 1.0),
        with(|p| p.floor = -0.1),
        with(|p| p.r0 = 3.0),
    ]));
}

#[test]
fn metrics() {
    let new = |metrics: Vec<MetricSpec>| Judge::new(Params::default(), metrics).unwrap_err();
    let m = || MetricSpec::new("m", Kind::Error);
    insta::assert_snapshot!(told(&[
        new(vec![]),
        new(vec![m(), m()]),
        new(vec![MetricSpec::new("", Kind::Error)]),
        new(vec![MetricSpec { weight: f64::NAN, ..m() }]),
    ]));
}

#[test]
fn samples() {
    let mut judge = one(Kind::Latency);
    feed(&mut judge, 0, &[(5.0, (10, 1), (10, 1))]);
    let before = judge.clone();
    let good = Arm::of(1, 0);
    let mut refusals = Vec::new();
    for (t, metric, canary, baseline) in [
        (5.0, 1, good, good),
        (f64::NAN, 0, good, good),
        (f64::INFINITY, 0, good, good),
        (4.9, 0, good, good),
        (6.0, 0, Arm::of(MOST + 1, 0), good),
        (6.0, 0, good, Arm::of(0, 1)),
        (6.0, 0, good, Arm::of(3, 4)),
        (6.0, 0, Arm::clients(1, 0, u64::MAX), good),
    ] {
        refusals.push(judge.observe(t, metric, canary, baseline).unwrap_err().fault("m"));
        assert_eq!(judge, before);
    }
    insta::assert_snapshot!(told(&refusals));
}
