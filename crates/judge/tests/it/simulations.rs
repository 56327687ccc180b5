//! A small part of the verification suite, seeded: quick, and still broken by a test that is.

use tradewind_judge::{
    Arm, Judge, Kind, MetricSpec, Unchecked, Verdict,
    simulate::{Bar, Line, Load, cases, random},
};

use crate::world::params;

fn line(name: &str, runs: u32) -> Line {
    let case = cases().into_iter().find(|c| c.name == name).unwrap();
    let outcomes: Vec<Option<f64>> = (0..runs.min(case.most_runs)).map(|i| case.run(11, i)).collect();
    Line::of(&case, &outcomes)
}

#[test]
fn what_is_promised_is_reached_in_a_few_runs() {
    for (name, runs) in [
        ("healthy-1h", 300),
        ("healthy-latency", 40),
        ("healthy-orders", 60),
        ("healthy-watch", 60),
        ("healthy-whole", 60),
        ("healthy-whole-weeks", 60),
        ("errors-2", 100),
        ("errors-5", 100),
        ("latency-10", 30),
        ("orders-half", 60),
        ("late-onset", 60),
        ("clean", 1),
        ("bad-promoted-2", 200),
        ("bad-promoted-floor", 200),
        ("interval-ratio-few", 60),
        ("interval-ratio-many", 40),
        ("interval-rate", 60),
        ("clients", 10),
    ] {
        let line = line(name, runs);
        assert_eq!(line.passed, Some(true), "{name}: {} instead of {}", line.measured().en(), line.bar().en());
    }
}

/// The unit decides: what is not counted once alarms without a fault.
#[test]
fn the_wrong_unit_is_seen_to_be_wrong() {
    let wrong = line("clients-requests", 40).measured;
    assert!(wrong.happened > 10, "{wrong:?}");
}

/// Ten instances of ten clients each, one of them the canary's; each stands still for a second once a minute, and all of its
/// clients are slow. No release is worse, and only who takes a burst for one event sees that.
#[test]
fn a_burst_counts_as_little_more_than_one_event() {
    let alarms = |bursts: bool, kind: Kind| {
        let run = |i: u64| {
            let mut rng = random::seeded(9, 0, i);
            let spec = MetricSpec { bursts, ..MetricSpec::new("m", kind) };
            let mut judge = Judge::new(params(|_: &mut Unchecked| {}), vec![spec]).unwrap();
            (0..1_800).any(|t| {
                let canary = Arm::of(10, 10 * random::binomial(&mut rng, 1, 1.0 / 60.0));
                let baseline = Arm::of(90, 10 * random::binomial(&mut rng, 9, 1.0 / 60.0));
                judge.observe(f64::from(t), 0, canary, baseline).unwrap();
                judge.brief().verdict == Verdict::Worse
            })
        };
        (0..100).filter(|i| run(*i)).count()
    };
    for kind in [Kind::Error, Kind::Latency] {
        assert!(alarms(false, kind) > 30, "{kind}: {}", alarms(false, kind));
        assert_eq!(alarms(true, kind), 0, "{kind}");
    }
}

/// A fault that is there all the time is found soon all the same.
#[test]
fn a_fault_is_no_burst() {
    for (kind, x_c) in [(Kind::Error, 10), (Kind::Latency, 10), (Kind::Error, 1), (Kind::Latency, 2)] {
        let spec = MetricSpec { bursts: true, ..MetricSpec::new("m", kind) };
        let mut judge = Judge::new(params(|_: &mut Unchecked| {}), vec![spec]).unwrap();
        let seconds = (0..).find(|t| {
            judge.observe(f64::from(*t), 0, Arm::of(10, x_c), Arm::of(90, u64::from(t % 5 == 0))).unwrap();
            judge.brief().verdict == Verdict::Worse
        });
        assert!(seconds.is_some_and(|t| t <= 12), "{kind} {x_c}: {seconds:?}");
    }
}

/// On the very edge of the null hypothesis there are hardly any alarms; with the edge put elsewhere there are many.
#[test]
fn the_null_hypothesis_is_where_it_is_said_to_be() {
    let alarms = |r0: f64, ratio: f64| {
        let run = |i: u64| {
            let mut rng = random::seeded(5, 0, i);
            let mut judge =
                Judge::new(params(|p: &mut Unchecked| p.r0 = r0), vec![MetricSpec::new("m", Kind::Error)]).unwrap();
            (1..360).any(|t| {
                let canary = Arm::of(500, random::binomial(&mut rng, 500, 0.02 * ratio));
                let baseline = Arm::of(500, random::binomial(&mut rng, 500, 0.02));
                judge.observe(f64::from(t) * 10.0, 0, canary, baseline).unwrap();
                judge.brief().verdict == Verdict::Worse
            })
        };
        (0..150).filter(|i| run(*i)).count()
    };
    assert!(alarms(1.2, 1.2) <= 4, "{}", alarms(1.2, 1.2));
    assert!(alarms(1.0, 1.2) > 140, "{}", alarms(1.0, 1.2));
    assert!(alarms(1.2, 1.5) > 140, "{}", alarms(1.2, 1.5));
}

#[test]
fn a_run_is_the_same_whenever_it_is_run() {
    for case in cases().iter().filter(|c| !c.name.starts_with("healthy")) {
        assert_eq!(case.run(3, 7), case.run(3, 7), "{}", case.name);
    }
    assert!(cases().iter().any(|c| c.run(3, 7) != c.run(4, 7)));
}

#[test]
fn a_line_says_what_was_measured_and_what_was_wanted() {
    let told: Vec<String> = [Bar::AtMost { chance: 0.01 }, Bar::By { part: 0.99, median: 5.0 }, Bar::None]
        .into_iter()
        .map(|bar| {
            let mut case = cases().remove(0);
            case.bar = bar;
            let line = Line::of(&case, &[Some(3.0), None, Some(4.0), Some(1.0)]);
            format!("{} | {} | {:?}", line.measured().en(), line.bar().en(), line.passed)
        })
        .collect();
    assert_eq!(
        told,
        [
            "75 % of 4 | ≤ 1 % | Some(false)",
            "75 % of 4, median 3.00 s | ≥ 99 %, median ≤ 5 s | Some(false)",
            "75 % of 4, median 3.00 s |  | None"
        ]
    );
}

#[test]
fn a_load_is_taken_whole() {
    assert!(Load::new(3).tick() >= 18);
}
