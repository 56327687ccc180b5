//! What is concluded, and what must not be.

use crate::world::{Sample, feed, near, one};
use tradewind_judge::{Arm, Judge, Kind, MetricSpec, Params, Reading, Sum, Verdict, control::Control};

/// A sequence of failure counts, each of `n` requests.
fn series(canary: &[u64], baseline: &[u64], n: u64) -> Vec<Sample> {
    let longest = canary.len().max(baseline.len());
    let at = |s: &[u64], i: usize| s.get(i).map_or((0, 0), |x| (n, *x));
    (0..longest).map(|i| (i as f64, at(canary, i), at(baseline, i))).collect()
}

/// A rank test over a window passes all three.
#[test]
fn what_a_rank_test_lets_pass_is_not_promoted() {
    let mut outlier = one(Kind::Error);
    feed(&mut outlier, 0, &series(&[100, 100, 100, 100, 100, 100, 100, 1, 1, 1], &[1; 10], 1000));
    assert_eq!(outlier.reading().verdict, Verdict::Worse);

    let mut against_zeros = one(Kind::Error);
    feed(&mut against_zeros, 0, &series(&[0, 1, 2, 1, 0, 0], &[0; 6], 100));
    assert_eq!(against_zeros.reading().verdict, Verdict::Continue);
    let mut goes_on = against_zeros.clone();
    for i in 6..60 {
        feed(&mut goes_on, 0, &[(f64::from(i), (100, [0, 1, 2, 1, 0, 0][i as usize % 6]), (100, 0))]);
    }
    assert_eq!(goes_on.reading().verdict, Verdict::Worse);

    for kind in [Kind::Error, Kind::Latency, Kind::Business] {
        let mut no_data = one(kind);
        for i in 0..100_000 {
            feed(&mut no_data, 0, &[(f64::from(i), (0, 0), (1000, u64::from(i % 10 == 0)))]);
        }
        let reading = no_data.reading();
        assert_eq!(reading.verdict, Verdict::Continue, "{kind}");
        near(reading.promotion, 1.0);
    }
}

#[test]
fn clean_units_promote_after_about_330_without_an_error_on_either_side() {
    let mut judge = one(Kind::Error);
    let needed = (1..1000).find(|i| {
        feed(&mut judge, 0, &[(f64::from(*i), (1, 0), (9, 0))]);
        judge.brief().verdict == Verdict::Better
    });
    assert_eq!(needed, Some(321));
}

#[test]
fn clients_are_counted_once_towards_the_floor() {
    let mut judge = one(Kind::Error);
    for i in 0..1000 {
        judge.observe(f64::from(i), 0, Arm::clients(50, 0, 0), Arm::clients(450, 0, 0)).unwrap();
    }
    assert_eq!(judge.brief().verdict, Verdict::Continue);
    judge.observe(1000.0, 0, Arm::clients(50, 0, 400), Arm::clients(450, 0, 9)).unwrap();
    assert_eq!(judge.brief().verdict, Verdict::Better);
    assert_eq!(judge.reading().metrics[0].canary.n, 400);
}

#[test]
fn each_wave_is_promoted_by_its_own_evidence_and_the_alarm_remembers() {
    let mut judge = one(Kind::Error);
    feed(&mut judge, 0, &[(0.0, (1000, 0), (9000, 0))]);
    assert_eq!(judge.brief().verdict, Verdict::Better);
    feed(&mut judge, 0, &[(1.0, (10, 1), (90, 0))]);
    let before = judge.brief().e;
    judge.begin_wave(1.0, None);
    assert_eq!(judge.brief().e, before);
    near(judge.brief().promotion, 1.0);
    feed(&mut judge, 0, &[(2.0, (1000, 0), (1000, 0))]);
    assert_eq!(judge.brief().verdict, Verdict::Better);
}

#[test]
fn worse_outranks_better_and_is_a_reading() {
    let mut judge = one(Kind::Error);
    feed(&mut judge, 0, &[(0.0, (100_000, 100), (900_000, 300))]);
    let reading = judge.reading();
    assert!(reading.promotion >= reading.promotion_needed && reading.e >= reading.e_needed);
    assert_eq!((reading.verdict, reading.culprits), (Verdict::Worse, vec![0]));
    feed(&mut judge, 0, &[(1.0, (1_000_000, 200), (9_000_000, 6000))]);
    assert_eq!(judge.reading().verdict, Verdict::Better);
}

#[test]
fn a_wave_waits_for_the_metrics_of_its_site_that_are_required() {
    let at = |name: &str, site: &str| MetricSpec { site: Some(site.into()), ..MetricSpec::new(name, Kind::Error) };
    let optional = MetricSpec { required: false, ..at("noise", "br") };
    let mut judge = Judge::new(Params::default(), vec![at("errors", "br"), at("errors", "us"), optional]).unwrap();
    judge.begin_wave(0.0, Some("br"));
    feed(&mut judge, 0, &[(1.0, (1000, 0), (9000, 0))]);
    assert_eq!(judge.reading().verdict, Verdict::Better);
    judge.begin_wave(1.0, Some("us"));
    assert_eq!(judge.reading().verdict, Verdict::Continue);
    feed(&mut judge, 1, &[(2.0, (1000, 0), (9000, 0))]);
    assert_eq!(judge.reading().verdict, Verdict::Better);
    let none = vec![MetricSpec { required: false, ..MetricSpec::new("m", Kind::Error) }];
    let mut nothing_required = Judge::new(Params::default(), none).unwrap();
    feed(&mut nothing_required, 0, &[(0.0, (100_000, 0), (100_000, 0))]);
    assert_eq!(nothing_required.reading().verdict, Verdict::Continue);
}

#[test]
fn what_hits_both_is_no_evidence_against_either() {
    for kind in [Kind::Error, Kind::Latency] {
        for of_ten in [2, 5, 10] {
            let mut judge = one(kind);
            for i in 0..600 {
                feed(&mut judge, 0, &[(f64::from(i), (10, of_ten), (90, 9 * of_ten))]);
                let brief = judge.brief();
                assert!(brief.verdict != Verdict::Worse && brief.e < 1.5, "{kind}, {of_ten} of ten: {brief:?}");
            }
        }
        // Both are down: nobody is counted any more, and nothing follows from that.
        let mut judge = one(kind);
        feed(&mut judge, 0, &[(0.0, (10, 0), (90, 0))]);
        let before = judge.brief();
        for i in 1..600 {
            feed(&mut judge, 0, &[(f64::from(i), (0, 0), (0, 0))]);
        }
        assert_eq!(judge.brief(), before);
    }
}

#[test]
fn culprits_are_named_among_many() {
    let names = ["errors", "slow-100", "slow-250", "orders"];
    let mut judge = Judge::new(Params::default(), names.map(|n| MetricSpec::new(n, Kind::Error)).to_vec()).unwrap();
    for i in 0..40 {
        let t = f64::from(i);
        for (m, x) in [(0, 2), (1, 0), (2, 3), (3, 0)] {
            feed(&mut judge, m, &[(t, (100, x), (900, 1))]);
        }
    }
    let reading = judge.reading();
    assert_eq!((reading.verdict, reading.culprits), (Verdict::Worse, vec![2, 0]));
}

#[test]
fn what_is_shown_holds_the_truth() {
    let mut judge = one(Kind::Error);
    feed(&mut judge, 0, &[(0.0, (412, 31), (3702, 3))]);
    let m = &judge.reading().metrics[0];
    let ratio = m.ratio.unwrap();
    assert!((m.canary.low..=m.canary.high).contains(&(31.0 / 412.0)));
    assert!(ratio.low > 15.0 && ratio.low < 40.0 && ratio.estimate.unwrap() > 80.0, "{ratio:?}");
    let mut alike = one(Kind::Error);
    feed(&mut alike, 0, &[(0.0, (100_000, 1000), (900_000, 9000))]);
    let ratio = alike.reading().metrics[0].ratio.unwrap();
    assert!(ratio.low < 1.0 && ratio.low > 0.85 && ratio.high.unwrap() < 1.15, "{ratio:?}");
    assert!((ratio.estimate.unwrap() - 1.0).abs() < 0.02, "{ratio:?}");
    let mut none = one(Kind::Error);
    feed(&mut none, 0, &[(0.0, (1000, 8), (9000, 0))]);
    let ratio = none.reading().metrics[0].ratio.unwrap();
    assert!(ratio.estimate.is_none() && ratio.high.is_none() && ratio.low > 4.0, "{ratio:?}");
}

#[test]
fn after_the_rollout_the_canary_is_held_against_what_the_baseline_was() {
    let watched = |canary_errors: u64| {
        let mut judge = one(Kind::Error);
        for i in 0..600 {
            feed(&mut judge, 0, &[(f64::from(i), (50, u64::from(i % 4 == 0)), (50, u64::from(i % 4 == 2)))]);
        }
        judge.begin_watch(600.0, None);
        let before = judge.brief();
        for i in 600..1200 {
            feed(&mut judge, 0, &[(f64::from(i), (100, if i % 2 == 0 { canary_errors } else { 0 }), (0, 0))]);
        }
        (before, judge.reading())
    };
    let (before, same) = watched(1);
    assert_eq!(before.verdict, Verdict::Continue, "a watch promotes nothing");
    assert_eq!(same.verdict, Verdict::Continue);
    let limit = same.metrics[0].watch_limit.unwrap();
    assert!((0.01..0.02).contains(&limit), "{limit}");
    assert_eq!(watched(2).1.verdict, Verdict::Continue, "twice the rate is within what the watch allows");
    assert_eq!(watched(8).1.verdict, Verdict::Worse);
}

/// 100 sessions a second, of which `per_s` order; the market halves after five minutes.
fn changed_over(control: &Control, per_s: [u64; 2], elsewhere: bool) -> Reading {
    let mut judge = one(Kind::Business);
    judge.begin_watch(0.0, None);
    judge.hold_against(0, control);
    for i in 0..600 {
        let now = per_s[usize::from(i >= 300)];
        let other = if elsewhere { (200, if i >= 300 { 10 } else { 20 }) } else { (0, 0) };
        feed(&mut judge, 0, &[(f64::from(i), (100, now), other)]);
    }
    judge.reading()
}

#[test]
fn a_site_that_changes_over_whole_is_held_against_other_sites() {
    let same = changed_over(&Control::Elsewhere, [10, 5], true);
    assert_eq!(same.verdict, Verdict::Continue, "the whole market halved");
    let m = &same.metrics[0];
    assert!(m.elsewhere && !m.needed && (m.baseline.rate - 0.075).abs() < 1e-9, "{m:?}");
    let worse = changed_over(&Control::Elsewhere, [10, 2], true);
    assert_eq!((worse.verdict, worse.culprits), (Verdict::Worse, vec![0]));
    let little = changed_over(&Control::Elsewhere, [10, 5], false);
    assert_eq!((little.verdict, little.e), (Verdict::Continue, 1.0), "no data is no evidence");
}

#[test]
fn a_site_that_changes_over_whole_is_held_against_its_own_past() {
    let weeks = |rates: &[u64]| Control::Past(rates.iter().map(|x| Sum { n: 100_000, x: *x }).collect());
    assert_eq!(changed_over(&weeks(&[10_000]), [10, 10], false).verdict, Verdict::Continue);
    assert_eq!(changed_over(&weeks(&[10_000]), [10, 5], false).verdict, Verdict::Worse);
    assert_eq!(
        changed_over(&weeks(&[10_000, 5_500]), [10, 5], false).verdict,
        Verdict::Continue,
        "one week was as lean"
    );
    let nothing = changed_over(&weeks(&[]), [10, 0], false);
    assert_eq!((nothing.verdict, nothing.e, nothing.metrics[0].watch_limit), (Verdict::Continue, 1.0, None));
}

/// Whatever was compared before, nothing is given away and nothing won by holding it against something else.
#[test]
fn evidence_is_carried_over_to_another_control() {
    for control in [Control::Elsewhere, Control::Past(vec![Sum { n: 1_000, x: 100 }])] {
        let mut judge = one(Kind::Business);
        feed(&mut judge, 0, &[(0.0, (100, 3), (900, 90)), (1.0, (100, 4), (900, 90))]);
        let before = judge.brief().e;
        judge.hold_against(0, &control);
        assert!((judge.brief().e / before - 1.0).abs() < 1e-9, "{control:?}");
        judge.begin_watch(2.0, None);
        assert_eq!(judge.reading().metrics[0].watched, control != Control::Elsewhere);
    }
    let mut errors = one(Kind::Error);
    errors.hold_against(0, &Control::Elsewhere);
    assert!(!errors.reading().metrics[0].elsewhere, "how often a release fails is not known from other places");
}

#[test]
fn evidence_beyond_all_numbers_is_a_number() {
    for kind in [Kind::Error, Kind::Latency, Kind::Business] {
        let mut judge = one(kind);
        let (much, little) = ((1 << 53, 1 << 52), (1 << 53, 1));
        let (c, b) = if kind == Kind::Business { (little, much) } else { (much, little) };
        for i in 0..5 {
            feed(&mut judge, 0, &[(f64::from(i) * 400.0, c, b)]);
        }
        let reading = judge.reading();
        assert!(reading.e.is_finite() && reading.e > 1e300, "{kind} {}", reading.e);
        assert_eq!(reading.verdict, Verdict::Worse);
        let read: Reading = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
        assert_eq!(read, reading);
    }
}
