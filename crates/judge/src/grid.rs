//! The ratios that evidence is kept for: the two null hypotheses, and what each is tested against.
//!
//! An error or latency metric is worse when its ratio is above `r0`, and promoted when it is shown to lie below `r1`.
//! A business counter is worse below `1 / r0`, and promoted when shown to lie above `1 / r1`: fewer orders are what
//! more errors are. So each metric has an *alarm* side and a *promotion* side, of 24 alternatives each, in opposite
//! directions, and all of them together are close enough to each other to invert the tests into a confidence sequence.

use crate::{control::ALONE, metric::Kind, params::Params};

/// Alternatives of each side.
pub const ALTERNATIVES: usize = 24;
/// How far from its null hypothesis the nearest and the farthest alternative to it lie, as a factor.
const NEAREST: f64 = 1.1;
const FARTHEST: f64 = 50.0;
/// The same for a business counter's alarm: from 0.95 down to 0.02.
const NEAREST_BELOW: f64 = 1.0 / 0.95;
/// Ratios as near to each other as this, as a part of them, are one.
const SAME: f64 = 1e-6;

/// One alternative to a null hypothesis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Alternative {
    /// Its place among [`Grid::points`].
    pub at: usize,
    /// Ratio of canary to baseline.
    pub ratio: f64,
    /// Of its prior weight.
    pub ln_weight: f64,
}

/// What evidence is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Face {
    /// That the canary is worse.
    Alarm,
    /// That it may be promoted.
    Promotion,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// The null hypothesis' place among [`Grid::points`], and its ratio.
    pub null_at: usize,
    pub null: f64,
    pub alternatives: Vec<Alternative>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Grid {
    /// Every ratio evidence is kept for, rising, and its logarithm.
    pub points: Vec<f64>,
    pub ln_points: Vec<f64>,
    pub alarm: Side,
    pub promotion: Side,
}

impl Grid {
    pub fn side(&self, face: Face) -> &Side {
        match face {
            Face::Alarm => &self.alarm,
            Face::Promotion => &self.promotion,
        }
    }

    pub fn of(params: &Params, kind: Kind) -> Self {
        match kind {
            Kind::Error | Kind::Latency => {
                Self::between(params.r0(), params.r1(), factors(NEAREST), inverse(factors(NEAREST)))
            }
            Kind::Business => Self::business(1.0 / params.r0(), params),
        }
    }

    /// For a business counter that is held against other sites.
    pub fn alone(params: &Params) -> Self {
        Self::business(ALONE.min(1.0 / params.r0()), params)
    }

    fn business(null: f64, params: &Params) -> Self {
        Self::between(null, 1.0 / params.r1(), inverse(factors(NEAREST_BELOW)), factors(NEAREST))
    }

    fn between(alarm_null: f64, promotion_null: f64, alarm: Vec<f64>, promotion: Vec<f64>) -> Self {
        let alarm: Vec<f64> = alarm.iter().map(|f| alarm_null * f).collect();
        let promotion: Vec<f64> = promotion.iter().map(|f| promotion_null * f).collect();
        // What lies on another is the same: between points that all but coincide nothing can be interpolated.
        let mut points = vec![alarm_null, promotion_null];
        for ratio in alarm.iter().chain(&promotion) {
            if points.iter().all(|p| (p / ratio - 1.0).abs() > SAME) {
                points.push(*ratio);
            }
        }
        points.sort_by(f64::total_cmp);
        let side = |null: f64, ratios: &[f64], weight: &dyn Fn(f64) -> f64| {
            let sum: f64 = ratios.iter().map(|r| weight(*r)).sum();
            let alternative = |&ratio: &f64| {
                let at = place(&points, ratio);
                Alternative { at, ratio: points[at], ln_weight: (weight(ratio) / sum).ln() }
            };
            Side { null_at: place(&points, null), null, alternatives: ratios.iter().map(alternative).collect() }
        };
        // Against the null small faults are commoner than large ones; of a promotion's alternatives, "no different" is
        // the commonest.
        let near = |r: f64| (r / alarm_null).min(alarm_null / r);
        let like = |r: f64| r.min(1.0 / r);
        let (alarm, promotion) = (side(alarm_null, &alarm, &near), side(promotion_null, &promotion, &like));
        Self { ln_points: points.iter().map(|r| r.ln()).collect(), points, alarm, promotion }
    }
}

/// Log-spaced from the nearest to the farthest.
fn factors(nearest: f64) -> Vec<f64> {
    let step = (FARTHEST / nearest).ln() / (ALTERNATIVES - 1) as f64;
    (0..ALTERNATIVES).map(|k| nearest * (step * k as f64).exp()).collect()
}

fn inverse(factors: Vec<f64>) -> Vec<f64> {
    factors.into_iter().map(|f| 1.0 / f).collect()
}

fn place(points: &[f64], ratio: f64) -> usize {
    points.partition_point(|p| *p < ratio * (1.0 - SAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_leads_away_from_its_null_and_its_weights_add_up() {
        let params = Params::default();
        for kind in [Kind::Error, Kind::Latency, Kind::Business] {
            let grid = Grid::of(&params, kind);
            assert!(grid.points.is_sorted() && grid.points.len() <= 2 * ALTERNATIVES + 2);
            for (side, above) in [(&grid.alarm, kind != Kind::Business), (&grid.promotion, kind == Kind::Business)] {
                assert_eq!(grid.points[side.null_at], side.null);
                let sum: f64 = side.alternatives.iter().map(|a| a.ln_weight.exp()).sum();
                assert!((sum - 1.0).abs() < 1e-12);
                for a in &side.alternatives {
                    assert_eq!((grid.points[a.at], a.ratio > side.null), (a.ratio, above), "{kind}");
                }
            }
        }
        let errors = Grid::of(&params, Kind::Error).alarm.alternatives;
        assert!((errors[0].ratio - 1.1).abs() < 1e-12 && (errors[23].ratio - 50.0).abs() < 1e-9);
        let orders = Grid::of(&params, Kind::Business).alarm.alternatives;
        assert!((orders[0].ratio - 0.95).abs() < 1e-12 && (orders[23].ratio - 0.02).abs() < 1e-12);
    }
}
