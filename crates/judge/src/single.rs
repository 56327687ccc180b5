//! One arm against a fixed rate `c`: the promotion's floor, and the watch after the canary has all the traffic.
//!
//! For units within [0, 1] the factor `(q/c)^x ((1 − q)/(1 − c))^(n − x)` has an expectation of at most 1 where the true rate is on
//! the null's side of `c` and `q` on the other: it is `1 + (q − c)(θ − c)/(c(1 − c))` for a unit of rate `θ`. For counts without a
//! limit the Poisson factor `(q/c)^x exp((c − q) n)` serves: `E[a^Y] ≤ exp((a − 1) E[Y])` bounds its expectation by 1 in the same way.

use crate::numeric::log_sum;
use serde::{Deserialize, Serialize};

/// Units, and those that counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sum {
    pub n: u64,
    pub x: u64,
}

impl Sum {
    pub fn add(&mut self, n: u64, x: u64) {
        self.n = self.n.saturating_add(n);
        self.x = self.x.saturating_add(x);
    }
}

pub fn bernoulli(sum: Sum, q: f64, c: f64) -> f64 {
    let (n, x) = (sum.n as f64, sum.x as f64);
    x * (q / c).ln() + (n - x) * ((1.0 - q) / (1.0 - c)).ln()
}

pub fn poisson(sum: Sum, q: f64, c: f64) -> f64 {
    sum.x as f64 * (q / c).ln() + (c - q) * sum.n as f64
}

/// The alternatives to "`floor` or more of the units fail", as fractions of the floor, and their prior. Nearly all of it lies
/// on "hardly any fail", so that clean units alone promote soon; the rest keeps a release in play that fails now and then.
const BELOW_FLOOR: [(f64, f64); 5] = [(0.004, 0.86), (0.05, 0.05), (0.15, 0.04), (0.35, 0.03), (0.65, 0.02)];

/// Log evidence that fewer than `floor` of the units fail.
pub fn below_floor(sum: Sum, floor: f64) -> f64 {
    log_sum(BELOW_FLOOR.iter().map(|(part, weight)| weight.ln() + bernoulli(sum, part * floor, floor)))
}
