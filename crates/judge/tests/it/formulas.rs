//! The evidence against its definition, written out without any of the code's short cuts; and what makes it valid,
//! by adding up every possible outcome.

use crate::world::{Sample, feed, near, one, params};
use tradewind_judge::{Arm, Judge, Kind, MetricSpec, Params};

/// 24 ratios from `near` to `far`, spaced evenly in their logarithms, with weights that sum to 1.
fn alternatives(near: f64, far: f64, weight: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let ratios: Vec<f64> = (0..24).map(|k| near * (far / near).powf(f64::from(k) / 23.0)).collect();
    let sum: f64 = ratios.iter().map(|r| weight(*r)).sum();
    ratios.iter().map(|r| (*r, weight(*r) / sum)).collect()
}

/// `E` from the definition: products over batches, one by one, for every start and alternative.
fn by_definition(samples: &[Sample], r0: f64, grid: &[(f64, f64)]) -> f64 {
    let began = samples[0].0;
    let end = samples.last().unwrap().0;
    let product = |r: f64, from: f64| -> f64 {
        let after = samples.iter().filter(|s| s.0 >= from);
        after
            .map(|(_, c, b)| {
                let d = (r * c.0 as f64 + b.0 as f64) / (r0 * c.0 as f64 + b.0 as f64);
                (r / r0).powi(c.1 as i32) / d.powi((c.1 + b.1) as i32)
            })
            .product()
    };
    let since = |from: f64| -> f64 { grid.iter().map(|(r, w)| w * product(*r, from)).sum() };
    let mut e = 0.8 * since(began);
    let mut s = 1.0;
    while began + 300.0 * s <= end {
        e += 0.2 / (s * (s + 1.0)) * since(began + 300.0 * s);
        s += 1.0;
    }
    e + 0.2 / s
}

/// Shares that change, empty batches, both arms failing: a thousand seconds.
fn eventful() -> Vec<Sample> {
    (0..100u64)
        .map(|i| {
            let n_c = [10, 10, 0, 40, 50][(i / 20) as usize];
            let n_b = if i % 17 == 3 { 0 } else { 95 - n_c };
            let x_c = if n_c > 0 && i % 7 == 1 { 1 + i % 3 } else { 0 };
            let x_b = if n_b > 0 && i % 5 == 2 { i % 4 } else { 0 };
            (i as f64 * 10.0, (n_c, x_c), (n_b, x_b))
        })
        .collect()
}

#[test]
fn errors_are_weighed_as_the_formula_says() {
    for r0 in [1.0, 1.1] {
        let mut judge = Judge::new(params(|p| p.r0 = r0), vec![MetricSpec::new("m", Kind::Error)]).unwrap();
        let grid = alternatives(1.1 * r0, 50.0 * r0, |r| 1.0 / r);
        let samples = eventful();
        for end in 1..=samples.len() {
            feed(&mut judge, 0, &samples[end - 1..end]);
            near(judge.brief().e, by_definition(&samples[..end], r0, &grid));
        }
    }
}

#[test]
fn orders_are_weighed_with_the_lower_grid() {
    let mut judge = one(Kind::Business);
    let grid = alternatives(0.95, 0.02, |r| r);
    let samples = eventful();
    feed(&mut judge, 0, &samples);
    near(judge.brief().e, by_definition(&samples, 1.0, &grid));
}

/// A first batch by the formula for rare events, every later one by the two-sample formula with the past's pooled rate.
#[test]
fn slow_requests_are_weighed_with_the_two_sample_formula() {
    let samples: Vec<Sample> = vec![(0.0, (10, 4), (90, 20)), (0.0, (20, 9), (80, 25)), (0.0, (30, 10), (70, 20))];
    let mut judge = one(Kind::Latency);
    feed(&mut judge, 0, &samples);
    let grid = alternatives(1.1, 50.0, |r| 1.0 / r);
    let mut e = 0.2;
    for (r, w) in &grid {
        let d = (r * 10.0 + 90.0) / 100.0;
        let mut product = r.powi(4) / d.powi(24);
        let (mut past_n, mut past_x) = (100.0, 24.0);
        for (_, (n_c, x_c), (n_b, x_b)) in
            samples[1..].iter().map(|(t, c, b)| (t, (c.0 as f64, c.1 as f64), (b.0 as f64, b.1 as f64)))
        {
            let p = (past_x + 0.5) / (past_n + 1.0);
            let q_b = p * (n_c + n_b) / (r * n_c + n_b);
            let q_c = (r * q_b).min(1.0 - (1.0 - p) / 4.0);
            let pooled = (n_c * q_c + n_b * q_b) / (n_c + n_b);
            let unit = |q: f64, n: f64, x: f64| (q / pooled).powf(x) * ((1.0 - q) / (1.0 - pooled)).powf(n - x);
            product *= unit(q_c, n_c, x_c) * unit(q_b, n_b, x_b);
            past_n += n_c + n_b;
            past_x += x_c + x_b;
        }
        e += 0.8 * w * product;
    }
    near(judge.brief().e, e);
}

/// The chance of `x` among `n` at rate `p`.
fn binomial(n: u64, x: u64, p: f64) -> f64 {
    let choose: f64 = (1..=x).map(|i| (n - x + i) as f64 / i as f64).product();
    choose * p.powi(x as i32) * (1.0 - p).powi((n - x) as i32)
}

/// Expected value, over everything that the next batch may be, of what `value` reads from the judge.
fn expected(judge: &Judge, t: f64, n: (u64, u64), p: (f64, f64), value: impl Fn(&Judge) -> f64) -> f64 {
    let mut sum = 0.0;
    for x_c in 0..=n.0 {
        for x_b in 0..=n.1 {
            let mut next = judge.clone();
            next.observe(t, 0, Arm::of(n.0, x_c), Arm::of(n.1, x_b)).unwrap();
            sum += binomial(n.0, x_c, p.0) * binomial(n.1, x_b, p.1) * value(&next);
        }
    }
    sum
}

/// Where the canary is no worse, the evidence is not expected to grow, whatever has happened before; where it is, it is.
#[test]
fn nothing_is_gained_on_average_while_the_canary_is_no_worse() {
    for (kind, r0) in
        [(Kind::Error, 1.0), (Kind::Error, 1.3), (Kind::Latency, 1.0), (Kind::Latency, 1.3), (Kind::Business, 1.2)]
    {
        let mut judge = Judge::new(params(|p| p.r0 = r0), vec![MetricSpec::new("m", kind)]).unwrap();
        for (i, past) in [(4, 0, 9, 2), (5, 2, 5, 1), (3, 3, 6, 0), (2, 0, 7, 7)].into_iter().enumerate() {
            let t = i as f64 * 290.0;
            let worst = |p: f64| if kind == Kind::Business { (p / r0, p) } else { (p * r0, p) };
            for p in [0.02, 0.2, 0.5, 0.7] {
                for n in [(3, 8), (6, 6), (9, 2)] {
                    let (now, next) = (judge.brief().e, expected(&judge, t, n, worst(p), |j| j.brief().e));
                    assert!(next <= now * (1.0 + 1e-12), "{kind} {r0} {p} {n:?}: {now} -> {next}");
                    let better = if kind == Kind::Business { (p, p * 0.9) } else { (p * 0.9, p) };
                    let next = expected(&judge, t, n, better, |j| j.brief().e);
                    assert!(next <= now * (1.0 + 1e-12), "inside: {kind} {r0} {p} {n:?}: {now} -> {next}");
                }
            }
            feed(&mut judge, 0, &[(t, (past.0, past.1), (past.2, past.3))]);
        }
        let bad = if kind == Kind::Business { (0.05, 0.6) } else { (0.6, 0.05) };
        assert!(expected(&one(kind), 2000.0, (6, 6), bad, |j| j.brief().e) > 1.1);
    }
}

/// The same for a promotion, where the canary is as bad as `r1` and the floor say.
#[test]
fn nothing_is_gained_on_average_towards_promoting_a_bad_canary() {
    for (kind, r1) in [(Kind::Error, 2.0), (Kind::Latency, 2.0), (Kind::Latency, 1.2), (Kind::Business, 2.0)] {
        let mut judge = Judge::new(params(|p| p.r1 = r1), vec![MetricSpec::new("m", kind)]).unwrap();
        for (i, past) in [(4, 0, 9, 2), (5, 2, 5, 1), (3, 1, 6, 0), (2, 0, 7, 5)].into_iter().enumerate() {
            let t = i as f64;
            for p in [0.006, 0.1, 0.4] {
                let edge = if kind == Kind::Business { (p / r1, p) } else { ((p * r1).max(0.01), p) };
                for n in [(3, 8), (6, 6), (9, 2)] {
                    let (now, next) = (judge.brief().promotion, expected(&judge, t, n, edge, |j| j.brief().promotion));
                    assert!(next <= now * (1.0 + 1e-12), "{kind} {r1} {p} {n:?}: {now} -> {next}");
                }
            }
            feed(&mut judge, 0, &[(t, (past.0, past.1), (past.2, past.3))]);
        }
    }
    let good = |kind, p| expected(&one(kind), 0.0, (8, 8), p, |j: &Judge| j.brief().promotion);
    assert!(good(Kind::Error, (0.0, 0.3)) > 1.05 && good(Kind::Business, (0.5, 0.3)) > 1.05);
}

/// Metrics are averaged by weight, one that comes later takes its part of what is there, and the expectation still holds.
#[test]
fn several_metrics_share_the_evidence() {
    let spec = |name: &str, weight| MetricSpec { weight, ..MetricSpec::new(name, Kind::Error) };
    let mut both = Judge::new(Params::default(), vec![spec("a", 3.0), spec("b", 1.0)]).unwrap();
    let (mut a, mut b) = (one(Kind::Error), one(Kind::Error));
    let samples = eventful();
    for sample in &samples {
        feed(&mut both, 0, std::slice::from_ref(sample));
        feed(&mut a, 0, std::slice::from_ref(sample));
        let other = (sample.0, sample.2, sample.1);
        feed(&mut both, 1, &[other]);
        feed(&mut b, 0, &[other]);
    }
    near(both.brief().e, 0.75 * a.brief().e + 0.25 * b.brief().e);
    let before = both.brief().e;
    let late = both.add(spec("c", 4.0)).unwrap();
    near(both.brief().e, before);
    for (t, c, b) in [(2000.0, (10, 4), (10, 0)), (2001.0, (10, 5), (10, 0))] {
        feed(&mut both, late, &[(t, c, b)]);
    }
    let mut alone = one(Kind::Error);
    feed(&mut alone, 0, &[(2000.0, (10, 4), (10, 0)), (2001.0, (10, 5), (10, 0))]);
    near(both.brief().e, 0.5 * before + 0.5 * before * alone.brief().e);
}
