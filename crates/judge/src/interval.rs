//! Intervals that hold at every time at once, however often one looks.

use crate::{
    grid::Grid,
    numeric::{ln_beta, ln_gamma, log_add},
    rare::Rare,
    single::Sum,
};
use serde::{Deserialize, Serialize};

/// The chance that a rate's interval misses it at any time at all.
pub const RATE_MISS: f64 = 0.05;

/// Events per unit, with the interval of a rate that stays as it is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rate {
    /// Units.
    pub n: u64,
    /// Events.
    pub x: u64,
    pub rate: f64,
    pub low: f64,
    pub high: f64,
}

/// How many times the baseline's rate the canary's is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ratio {
    /// `None` while one arm has no event: then there are only limits.
    pub estimate: Option<f64>,
    pub low: f64,
    /// `None`: no limit within what is looked at.
    pub high: Option<f64>,
}

impl Rate {
    pub fn of(sum: Sum) -> Self {
        let (low, high) = limits(sum, RATE_MISS);
        let rate = if sum.n == 0 { 0.0 } else { sum.x as f64 / sum.n as f64 };
        Self { n: sum.n, x: sum.x, rate, low, high }
    }
}

/// The rates that a mixture of alternatives does not refute at level `miss`: `E(p) < 1/miss` with `E(p)` the likelihood under a
/// Beta(½, ½) mixture over that under `p` (Robbins 1970; as an always-valid interval Johari et al. 2022), found by bisection. For
/// counts that exceed their exposures a Gamma(½) mixture of Poisson likelihoods takes its place.
pub fn limits(sum: Sum, miss: f64) -> (f64, f64) {
    let (n, x) = (sum.n as f64, sum.x as f64);
    if sum.n == 0 {
        return (0.0, 1.0);
    }
    let times = |x: f64, ln: f64| if x == 0.0 { 0.0 } else { x * ln };
    let bar = -miss.ln();
    if sum.x <= sum.n {
        let mixed = ln_beta(x + 0.5, n - x + 0.5) - ln_beta(0.5, 0.5);
        let e = |p: f64| mixed - times(x, p.ln()) - times(n - x, (-p).ln_1p());
        let mle = x / n;
        let low = if sum.x == 0 { 0.0 } else { bisect(|p| e(p) >= bar, 0.0, mle) };
        let high = if sum.x == sum.n { 1.0 } else { bisect(|p| e(p) >= bar, 1.0, mle) };
        return (low, high);
    }
    // The prior's unit of exposure is one: Γ(x + ½) / (Γ(½) (n + 1)^(x + ½)) against λ^x e^(−nλ).
    let mixed = ln_gamma(x + 0.5) - ln_gamma(0.5) - (x + 0.5) * (n + 1.0).ln();
    let e = |l: f64| mixed - times(x, l.ln()) + n * l;
    let mle = x / n;
    let mut far = 2.0 * mle;
    while e(far) < bar {
        far *= 2.0;
    }
    (bisect(|l| e(l) >= bar, 0.0, mle), bisect(|l| e(l) >= bar, far, mle))
}

/// Where `refuted` turns, between a place that is refuted and one that is not; the refuted side of it.
fn bisect(refuted: impl Fn(f64) -> bool, mut out: f64, mut inside: f64) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (out + inside);
        if refuted(middle) { out = middle } else { inside = middle }
    }
    out
}

/// The ratio's confidence sequence, by inverting the comparison at every point of the grid: `ρ` is refuted from below where the
/// mixture over the grid's ratios above it reaches `1/miss`, from above likewise. Each side alone misses with chance `miss` at most,
/// for a ratio that stays as it is. `None` before the first event.
pub fn ratio(grid: &Grid, rare: &Rare, events: [Sum; 2], miss: f64) -> Option<Ratio> {
    let [canary, baseline] = events;
    if canary.x + baseline.x == 0 || canary.n == 0 || baseline.n == 0 {
        return None;
    }
    let logs: Vec<f64> = (0..grid.points.len()).map(|i| rare.log_likelihood(grid, i)).collect();
    let bar = -miss.ln();
    // Prior mass is spread over the logarithm of the ratio, thinner the farther from the null. Each null renormalises it,
    // so that running sums from the end serve all of them.
    let step = |i: usize| {
        let (before, after) = (grid.ln_points[i.saturating_sub(1)], grid.ln_points[(i + 1).min(logs.len() - 1)]);
        0.5 * (after - before)
    };
    let sweep = |order: &mut dyn Iterator<Item = usize>, sign: f64| {
        let (mut evidence, mut mass) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let mut found = Vec::with_capacity(logs.len());
        for i in order {
            if mass > f64::NEG_INFINITY {
                found.push((grid.ln_points[i], evidence - mass - logs[i]));
            }
            let weight = step(i).ln() - sign * grid.ln_points[i];
            evidence = log_add(evidence, weight + logs[i]);
            mass = log_add(mass, weight);
        }
        // From the null farthest away, which is refuted first.
        found.reverse();
        found
    };
    let low = crossing(&sweep(&mut (0..logs.len()).rev(), 1.0), bar).map_or(0.0, f64::exp);
    let high = crossing(&sweep(&mut (0..logs.len()), -1.0), bar).map(f64::exp);
    Some(Ratio { estimate: likeliest(grid, &logs, events), low, high })
}

/// Where the likelihood is highest: between the grid's points by a parabola, beyond them by the plain quotient of rates. `None`
/// where one arm has no event at all: then there are only limits.
fn likeliest(grid: &Grid, logs: &[f64], [canary, baseline]: [Sum; 2]) -> Option<f64> {
    if canary.x == 0 || baseline.x == 0 {
        return None;
    }
    let best = (0..logs.len()).max_by(|a, b| logs[*a].total_cmp(&logs[*b]))?;
    if best == 0 || best + 1 == logs.len() {
        let rate = |sum: Sum| sum.x as f64 / sum.n as f64;
        return Some(rate(canary) / rate(baseline));
    }
    let at = |i: usize| (grid.ln_points[i] - grid.ln_points[best], logs[i] - logs[best]);
    let ((u, f), (v, g)) = (at(best - 1), at(best + 1));
    let bend = f / u - g / v;
    let top = if bend == 0.0 { 0.0 } else { 0.5 * (v * f / u - u * g / v) / bend };
    Some(grid.points[best] * top.clamp(u, v).exp())
}

/// The last place, from the far end, that is refuted, moved to where the bar is crossed: evidence grows with the square of
/// the distance from its least, so it is its root that is interpolated.
fn crossing(found: &[(f64, f64)], bar: f64) -> Option<f64> {
    let least = found.iter().map(|(_, e)| *e).fold(f64::INFINITY, f64::min);
    let root = |e: f64| (e - least).max(0.0).sqrt();
    let (mut last, mut value) = *found.first().filter(|(_, e)| *e >= bar)?;
    for &(at, e) in &found[1..] {
        if e < bar {
            return Some(last + (root(value) - root(bar)) / (root(value) - root(e)) * (at - last));
        }
        (last, value) = (at, e);
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_their_rate_and_narrow() {
        for (n, x) in [(1, 0), (1, 1), (412, 31), (3702, 3), (1_000_000, 0), (10, 10), (60, 90)] {
            let r = Rate::of(Sum { n, x });
            assert!(r.low <= r.rate && r.rate <= r.high && r.low >= 0.0, "{r:?}");
        }
        let narrow = Rate::of(Sum { n: 40_000, x: 400 });
        assert!(narrow.low > 0.008 && narrow.high < 0.0125, "{narrow:?}");
        assert_eq!((Rate::of(Sum { n: 0, x: 0 }).low, Rate::of(Sum { n: 0, x: 0 }).high), (0.0, 1.0));
    }
}
