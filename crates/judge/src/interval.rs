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

/// The ratio's confidence sequence, by inverting the comparison: a ratio `ρ` is refuted from below where a mixture over all ratios above
/// it reaches `1/miss`, from above likewise. Each side alone misses with chance `miss` at most, for a ratio that stays as it is.
/// `None` before the first event.
pub fn ratio(grid: &Grid, rare: &Rare, events: [Sum; 2], miss: f64) -> Option<Ratio> {
    let [canary, baseline] = events;
    if canary.x + baseline.x == 0 || canary.n == 0 || baseline.n == 0 {
        return None;
    }
    let all = (canary.x + baseline.x) as f64;
    let curve = Curve::new(grid, rare, all);
    let bar = SLACK + ERROR * all - miss.ln();
    let low = crossing(&curve.evidence(false), bar).map_or(0.0, f64::exp);
    let high = crossing(&curve.evidence(true), bar).map(f64::exp);
    Some(Ratio { estimate: curve.likeliest(events), low, high })
}

/// What a straight line between two steps may be wrong by, in nats; and a polynomial between the grid's points, for each event.
const SLACK: f64 = 0.05;
const ERROR: f64 = 2e-7;
/// How far below its highest point, in nats, the likelihood is looked at closely.
const CLOSE: f64 = 60.0;

/// The log likelihood over the logarithm of the ratio, at the grid's points and between them.
///
/// With many events it is narrower than the grid. But what depends on the ratio in it is a sum of `ln(1 − s + s e^u)`, one for
/// each event, whose sixth derivative is below ¼ for every share `s`: a polynomial through six neighbouring points of this grid is
/// wrong by less than [`ERROR`] for each event. So the steps are made as small as the events ask for.
struct Curve {
    /// Logarithm of the ratio, and log likelihood.
    points: Vec<(f64, f64)>,
}

impl Curve {
    fn new(grid: &Grid, rare: &Rare, events: f64) -> Self {
        let coarse: Vec<(f64, f64)> =
            grid.ln_points.iter().enumerate().map(|(i, u)| (*u, rare.log_likelihood(grid, i))).collect();
        let top = (0..coarse.len()).max_by(|a, b| coarse[*a].1.total_cmp(&coarse[*b].1)).unwrap_or(0);
        let mut points = Vec::with_capacity(coarse.len());
        for (i, pair) in coarse.windows(2).enumerate() {
            points.push(pair[0]);
            let is_near = i == top || i + 1 == top || pair[0].1.max(pair[1].1) >= coarse[top].1 - CLOSE;
            let width = pair[1].0 - pair[0].0;
            let steps = if is_near { (width * events.sqrt()).ceil().clamp(1.0, 512.0) as usize } else { 1 };
            let from = i.saturating_sub(2).min(coarse.len().saturating_sub(6));
            let around = &coarse[from..(from + 6).min(coarse.len())];
            points.extend((1..steps).map(|k| {
                let u = pair[0].0 + width * k as f64 / steps as f64;
                (u, interpolated(around, u))
            }));
        }
        points.extend(coarse.last());
        Self { points }
    }

    /// Log evidence against each ratio as a null, from the one refuted first inwards: for the ratios above it, or below. Prior mass
    /// thins out with the distance from the null; each null renormalises it, so that running sums serve all of them.
    fn evidence(&self, below: bool) -> Vec<(f64, f64)> {
        let sign = if below { -1.0 } else { 1.0 };
        let inwards = |i: usize| if below { i } else { self.points.len() - 1 - i };
        let (mut mixed, mut mass) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let mut found = Vec::with_capacity(self.points.len());
        for i in 1..self.points.len() {
            let ((u, l), (v, k)) = (self.points[inwards(i - 1)], self.points[inwards(i)]);
            // A trapezium of the prior, and of the prior times the likelihood.
            let half = (0.5 * (u - v).abs()).ln();
            mixed = log_add(mixed, half + log_add(l - sign * u, k - sign * v));
            mass = log_add(mass, half + log_add(-sign * u, -sign * v));
            found.push((v, mixed - mass - k));
        }
        found.reverse();
        found
    }

    /// Where the likelihood is highest, beyond the grid the plain quotient of rates. `None` where one arm has no event at all:
    /// then there are only limits.
    fn likeliest(&self, [canary, baseline]: [Sum; 2]) -> Option<f64> {
        if canary.x == 0 || baseline.x == 0 {
            return None;
        }
        let top = (0..self.points.len()).max_by(|a, b| self.points[*a].1.total_cmp(&self.points[*b].1))?;
        if top == 0 || top + 1 == self.points.len() {
            let rate = |sum: Sum| sum.x as f64 / sum.n as f64;
            return Some(rate(canary) / rate(baseline));
        }
        // The top of the parabola through it and its neighbours.
        let (at, highest) = self.points[top];
        let from_top = |i: usize| (self.points[i].0 - at, self.points[i].1 - highest);
        let ((u, f), (v, g)) = (from_top(top - 1), from_top(top + 1));
        let bend = f / u - g / v;
        let shift = if bend == 0.0 { 0.0 } else { 0.5 * (v * f / u - u * g / v) / bend };
        Some((at + shift.clamp(u, v)).exp())
    }
}

/// Lagrange's polynomial.
fn interpolated(points: &[(f64, f64)], at: f64) -> f64 {
    let term = |(i, (u, value)): (usize, &(f64, f64))| {
        let others = points.iter().enumerate().filter(|(j, _)| *j != i);
        value * others.map(|(_, (v, _))| (at - v) / (u - v)).product::<f64>()
    };
    points.iter().enumerate().map(term).sum()
}

/// The last place, from the far end, that is refuted, moved to where the bar is crossed.
fn crossing(found: &[(f64, f64)], bar: f64) -> Option<f64> {
    let (mut last, mut value) = *found.first().filter(|(_, e)| *e >= bar)?;
    for &(at, e) in &found[1..] {
        if e < bar {
            return Some(last + (value - bar) / (value - e) * (at - last));
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
