//! The comparison of two arms' counts, exact in its guarantee for any counts that are sums of independent units within
//! [0, 1], and for Poisson counts: rare events, orders.
//!
//! For a ratio `r` let `l(r) = X_c ln r − S(r)` with `S(r) = Σ_t (X_c + X_b)_t ln((r n_c + n_b)_t / (n_c + n_b)_t)`: up to
//! what does not depend on `r`, the log likelihood of the canary's part of all events (given their number, each is the
//! canary's with chance `r n_c / (r n_c + n_b)`). Evidence for `r` against the null `ρ` is `E = exp(l(r) − l(ρ))`.
//!
//! Why `E` is a supermartingale where `p_c ≤ ρ p_b` and `r > ρ`: with `D = (r n_c + n_b) / (ρ n_c + n_b)`, a batch
//! multiplies by `(r/ρ)^X_c D^−(X_c + X_b)`. For a count `Y` of independent units in [0, 1], `E[a^Y] ≤ exp((a − 1) E[Y])` (by
//! convexity `a^y ≤ 1 + (a − 1) y`, then `1 + u ≤ e^u`), so the factor's expectation is at most
//! `exp((r/(ρD) − 1) n_c p_c + (1/D − 1) n_b p_b)`. The first bracket is not negative, hence the worst case is
//! `p_c = ρ p_b`, where the exponent is `p_b ((r n_c + n_b)/D − ρ n_c − n_b) = 0`. For `r < ρ` and `p_c ≥ ρ p_b` alike, with
//! both signs turned. Nothing is assumed about `p_b` over time, nor about shares; with a share that stays it is the
//! conditional binomial test of Lindon and Malek (arXiv 2011.03567).

use crate::{grid::Grid, metric::Arm};
use serde::{Deserialize, Serialize};

/// `X_c` and, for each of the grid's points, `S`: all there is to know.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rare {
    x_c: f64,
    s: Vec<f64>,
}

impl Rare {
    pub fn new(grid: &Grid) -> Self {
        Self { x_c: 0.0, s: vec![0.0; grid.points.len()] }
    }

    pub fn fits(&self, grid: &Grid) -> bool {
        self.s.len() == grid.points.len() && self.x_c.is_finite() && self.s.iter().all(|s| s.is_finite())
    }

    /// Events with nobody exposed on the other arm say nothing about a ratio.
    pub fn observe(&mut self, grid: &Grid, canary: &Arm, baseline: &Arm) {
        let events = canary.x as f64 + baseline.x as f64;
        if canary.n == 0 || baseline.n == 0 || events == 0.0 {
            return;
        }
        let (n_c, n_b) = (canary.n as f64, baseline.n as f64);
        let share = n_c / (n_c + n_b);
        self.x_c += canary.x as f64;
        for (s, r) in self.s.iter_mut().zip(&grid.points) {
            // (r n_c + n_b) / (n_c + n_b), without the loss of a small share.
            *s += events * ((r - 1.0) * share).ln_1p();
        }
    }

    /// `l` at one of the grid's points.
    pub fn log_likelihood(&self, grid: &Grid, at: usize) -> f64 {
        self.x_c * grid.ln_points[at] - self.s[at]
    }
}
