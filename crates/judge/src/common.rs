//! The comparison of two arms' counts where each of `n` units counts once or not at all and that is not rare: latency
//! bounds. It wins what [`crate::rare`] gives away by allowing for counts without an upper limit.
//!
//! After Turner, Ly and Grünwald (arXiv 2106.02693), for any null ratio `ρ`. Before the batch, choose what the arms' rates
//! are under the alternative, `q_c` and `q_b`; let `p` be the root of
//!
//! ```text
//! n_c (q_c − ρp) / (1 − ρp) + n_b (q_b − p) / (1 − p) = 0
//! ```
//!
//! in (0, min(1, 1/ρ)): then `(ρp, p)` is the null's point nearest to the alternative in Kullback-Leibler divergence. Multiply
//! by `q/p₀` for each unit that counted and `(1 − q)/(1 − p₀)` for each that did not, with `p₀ = ρp` or `p` by arm.
//!
//! Why it is a supermartingale: a unit's factor has expectation `1 + (q − p₀)(θ − p₀)/(p₀(1 − p₀))`, linear in its true rate `θ`. On
//! the null's edge `θ_c = ρ θ_b`, with `d = θ_b − p`, these are `1 + (q_c − ρp) d/(p(1 − ρp))` and `1 + (q_b − p) d/(p(1 − p))`. Their
//! weighted arithmetic mean over the `n_c + n_b` units is 1 by the choice of `p`, so their product is at most 1, also where
//! units differ. Inside the null both factors are smaller: the canary's rises with `θ_c`, the baseline's falls with `θ_b` (for
//! `q_c > ρ q_b`; otherwise the reverse, for the null `θ_c ≥ ρ θ_b`). With ρ = 1, `p` is the pooled rate.
//!
//! The alternative's rates come from the *past* pooled rate: how wrong that is costs power in third order only, and never
//! the guarantee. A first batch has no past and is taken as [`crate::rare`] takes it.

use crate::{
    grid::{Face, Grid, Side},
    metric::Arm,
};
use serde::{Deserialize, Serialize};

/// Seconds over which the pooled past rate forgets.
const MEMORY_S: f64 = 300.0;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Common {
    /// Log evidence for each alternative.
    alarm: Vec<f64>,
    promotion: Vec<f64>,
    /// Pooled units and those that counted, of the past, fading.
    n: f64,
    x: f64,
    at: f64,
}

impl Common {
    pub fn new(grid: &Grid) -> Self {
        let none = |side: &Side| vec![0.0; side.alternatives.len()];
        Self { alarm: none(&grid.alarm), promotion: none(&grid.promotion), n: 0.0, x: 0.0, at: 0.0 }
    }

    pub fn logs(&self, face: Face) -> &[f64] {
        match face {
            Face::Alarm => &self.alarm,
            Face::Promotion => &self.promotion,
        }
    }

    pub fn fits(&self, grid: &Grid) -> bool {
        let fine =
            |logs: &[f64], side: &Side| logs.len() == side.alternatives.len() && logs.iter().all(|l| l.is_finite());
        fine(&self.alarm, &grid.alarm)
            && fine(&self.promotion, &grid.promotion)
            && self.n.is_finite()
            && self.x.is_finite()
    }

    pub fn observe(&mut self, t: f64, grid: &Grid, canary: &Arm, baseline: &Arm) {
        if canary.n == 0 || baseline.n == 0 {
            return;
        }
        let fade = (-(t - self.at).max(0.0) / MEMORY_S).exp();
        (self.n, self.x, self.at) = (self.n * fade, self.x * fade, t);
        let rate = (self.n > 0.0).then(|| (self.x + 0.5) / (self.n + 1.0));
        for (logs, side) in [(&mut self.alarm, &grid.alarm), (&mut self.promotion, &grid.promotion)] {
            for (log, alternative) in logs.iter_mut().zip(&side.alternatives) {
                *log += match rate {
                    Some(rate) => {
                        Bet::on(alternative.ratio, side.null, rate, canary, baseline).outcome(canary, baseline)
                    }
                    None => first(alternative.ratio, side.null, canary, baseline),
                };
            }
        }
        self.n += canary.n as f64 + baseline.n as f64;
        self.x += canary.x as f64 + baseline.x as f64;
    }
}

/// What is multiplied for each unit, in logarithms.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bet {
    canary: [f64; 2],
    baseline: [f64; 2],
}

impl Bet {
    /// On the ratio `r` against the null `rho`, where the pooled rate was `rate`.
    pub fn on(r: f64, rho: f64, rate: f64, canary: &Arm, baseline: &Arm) -> Self {
        let (n_c, n_b) = (canary.n as f64, baseline.n as f64);
        let q_b = rate * (n_c + n_b) / (r * n_c + n_b);
        // A ratio this high may be impossible: then most of the way to "all of them".
        let high = |q: f64| q.min(1.0 - (1.0 - rate) / 4.0);
        let (q_c, q_b) = (high(r * q_b), high(q_b));
        let a = rho * (n_c + n_b);
        let b = n_c * (q_c + rho) + n_b * (1.0 + rho * q_b);
        let c = n_c * q_c + n_b * q_b;
        let p = 2.0 * c / (b + (b * b - 4.0 * a * c).max(0.0).sqrt());
        let factor = |q: f64, p: f64| [(q / p).ln(), ((1.0 - q) / (1.0 - p)).ln()];
        let bet = Self { canary: factor(q_c, rho * p), baseline: factor(q_b, p) };
        // What is possible may lie on the null's side of it, and at the limits of a double the root may touch its bound:
        // then nothing is bet.
        let outside = if r > rho { q_c > rho * q_b } else { q_c < rho * q_b };
        let finite = bet.canary.iter().chain(&bet.baseline).all(|v| v.is_finite());
        if outside && finite { bet } else { Self { canary: [0.0; 2], baseline: [0.0; 2] } }
    }

    pub fn outcome(&self, canary: &Arm, baseline: &Arm) -> f64 {
        let arm = |[hit, miss]: [f64; 2], a: &Arm| a.x as f64 * hit + (a.n - a.x) as f64 * miss;
        arm(self.canary, canary) + arm(self.baseline, baseline)
    }
}

fn first(r: f64, rho: f64, canary: &Arm, baseline: &Arm) -> f64 {
    let (n_c, n_b) = (canary.n as f64, baseline.n as f64);
    let (x_c, x_b) = (canary.x as f64, baseline.x as f64);
    x_c * (r / rho).ln() - (x_c + x_b) * ((r * n_c + n_b) / (rho * n_c + n_b)).ln()
}
