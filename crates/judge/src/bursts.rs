//! Events that have one cause between them.
//!
//! The comparison takes a batch's events for independent units. A canary's instance that stands still for half a second (the
//! machine was busy, memory was collected) makes five clients slow at once, and that is one event and not five: taken for five
//! it raises an alarm about a release that is as good as its baseline.
//!
//! So where a metric says so, the alarm counts of a batch's canary events no more than `max(1, 3 p n_c)`, with `p` the rate of both
//! arms together so far: a batch that is far beyond what is usual counts as little more than one event. This never makes an alarm
//! likelier. Each canary event multiplies the evidence by `r/(ρD) ≥ 1` (rare events) or `q_c (1 − p)/(p (1 − q_c)) ≥ 1` (latency), so with
//! fewer of them each factor is at most what it was, and what is at most a supermartingale is one in Ville's inequality. A fault
//! that is there all the time is found in the next batches. The promotion, the rates and the ratio see every event.

use crate::{common::Common, grid::Grid, metric::Arm, rare::Rare, single::Sum};
use serde::{Deserialize, Serialize};

/// How many times what is usual a batch may count.
const USUAL: f64 = 3.0;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bursts {
    pub rare: Rare,
    pub common: Option<Common>,
}

impl Bursts {
    pub fn fits(&self, grid: &Grid, common: bool) -> bool {
        self.rare.fits(grid) && self.common.is_some() == common && self.common.as_ref().is_none_or(|c| c.fits(grid))
    }

    pub fn observe(&mut self, t: f64, grid: &Grid, canary: &Arm, baseline: &Arm) {
        self.rare.observe(grid, canary, baseline);
        if let Some(common) = &mut self.common {
            common.observe(t, grid, canary, baseline);
        }
    }
}

/// The canary's batch as the alarm counts it, after these exposures of both arms.
pub fn thinned(canary: &Arm, before: [Sum; 2]) -> Arm {
    let [c, b] = before;
    let n = (c.n + b.n) as f64;
    let rate = if n > 0.0 { (c.x + b.x) as f64 / n } else { 0.0 };
    let most = (USUAL * rate * canary.n as f64).ceil().max(1.0) as u64;
    Arm { x: canary.x.min(most), ..*canary }
}
