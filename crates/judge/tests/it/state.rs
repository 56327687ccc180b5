//! A judge that is stored and read back goes on as if nothing had happened.

use crate::world::{feed, params};
use tradewind_judge::{Arm, Judge, Kind, MOST, MetricSpec, Params, Reading, simulate};

fn all_kinds() -> Judge {
    let metrics = vec![
        MetricSpec::new("errors", Kind::Error),
        MetricSpec { bursts: true, ..MetricSpec::latency("slow", 250) },
        MetricSpec::new("orders", Kind::Business),
    ];
    Judge::new(Params::default(), metrics).unwrap()
}

fn step(judge: &mut Judge, i: u64) {
    let t = i as f64 * 7.3;
    match i {
        60 => judge.begin_wave(t, None),
        150 => judge.begin_watch(t, None),
        _ => {}
    }
    feed(judge, 0, &[(t, (10, u64::from(i.is_multiple_of(9))), (90, u64::from(i.is_multiple_of(4))))]);
    feed(judge, 1, &[(t, (10, 3 + i % 3), (90, 25 + i % 11))]);
    feed(judge, 2, &[(t, (10, i % 2), (90, 5 + i % 3))]);
}

#[test]
fn a_stored_judge_reads_the_same_ever_after() {
    let mut whole = all_kinds();
    let mut stored = all_kinds();
    for i in 0..200 {
        step(&mut whole, i);
        let text = serde_json::to_string(&stored).unwrap();
        stored = serde_json::from_str(&text).unwrap();
        // Values of a JSON document lose nothing either.
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::from_value::<Judge>(value).unwrap(), stored);
        step(&mut stored, i);
        assert_eq!(stored, whole, "{i}");
        assert_eq!(stored.reading(), whole.reading());
        assert!(text.len() < 3 * 4_096, "{}", text.len());
    }
}

/// Whatever comes, in whatever order: numbers stay numbers, and what is stored is what was there.
#[test]
fn nothing_that_can_be_counted_breaks_it() {
    for seed in 0..60 {
        let mut rng = simulate::random::seeded(seed, 1, 1);
        let mut judge = all_kinds();
        let mut t = -1e6;
        for _ in 0..150 {
            t += [0.0, 1.0, 7.5, 299.0, 1e4, 1e9][rng.usize(0..6)];
            match rng.u32(0..12) {
                0 => judge.begin_wave(t, None),
                1 => judge.begin_watch(t, None),
                _ => {}
            }
            let mut arm = || {
                let n = rng.u64(0..=MOST) >> rng.u32(0..54);
                Arm { n, x: rng.u64(0..=n) >> rng.u32(0..54), units: rng.bool().then(|| n >> rng.u32(0..54)) }
            };
            let (canary, baseline) = (arm(), arm());
            judge.observe(t, rng.usize(0..3), canary, baseline).unwrap();
        }
        let reading = judge.reading();
        let fine = |v: f64| v.is_finite() && v >= 0.0;
        assert!(fine(reading.e) && fine(reading.promotion), "{seed} {reading:?}");
        for m in &reading.metrics {
            assert!(fine(m.e) && fine(m.promotion), "{seed} {m:?}");
            for rate in [m.canary, m.baseline] {
                assert!(
                    fine(rate.low) && rate.low <= rate.rate && (rate.rate <= rate.high || rate.n == 0),
                    "{seed} {rate:?}"
                );
            }
            if let Some(ratio) = m.ratio {
                assert!(fine(ratio.low) && ratio.high.is_none_or(|h| fine(h) && h >= ratio.low), "{seed} {ratio:?}");
            }
        }
        let text = serde_json::to_string(&judge).unwrap();
        assert_eq!(serde_json::from_str::<Judge>(&text).unwrap(), judge, "{seed}");
        assert_eq!(serde_json::from_str::<Reading>(&serde_json::to_string(&reading).unwrap()).unwrap(), reading);
    }
}

#[test]
fn a_damaged_state_is_refused() {
    let mut judge = all_kinds();
    step(&mut judge, 1);
    let good = serde_json::to_value(&judge).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut bad = good.clone();
        change(&mut bad);
        serde_json::from_value::<Judge>(bad).unwrap_err().to_string()
    };
    assert!(refused(&|v| v["metrics"][0]["rare"]["s"] = serde_json::json!([])).contains("TW-JUDGE-007"));
    assert!(refused(&|v| v["metrics"][1]["common"] = serde_json::Value::Null).contains("slow"));
    assert!(refused(&|v| v["params"]["alpha"] = 7.into()).contains("TW-JUDGE-001"));
    assert!(refused(&|v| v["began"] = serde_json::Value::Null).contains("TW-JUDGE-007"));
}

#[test]
fn settings_are_stored_as_they_are_written() {
    let p = params(|p| p.floor = 0.0);
    assert_eq!(serde_json::to_string(&p).unwrap(), r#"{"alpha":0.01,"beta":0.05,"r0":1.0,"r1":2.0,"floor":0.0}"#);
    assert_eq!(serde_json::from_str::<Params>(r#"{"alpha":0.001}"#).unwrap(), params(|p| p.alpha = 0.001));
    assert!(serde_json::from_str::<Params>(r#"{"alfa":0.001}"#).is_err());
}
