//! The time after the canary has all the traffic, when no baseline runs beside it.
//!
//! The null is then a fixed rate: twice what the baseline's rate can have been at most while it ran (the upper end of its
//! interval), but no less than the floor; for a business counter half of what it was at least. **This holds under an assumption
//! that the comparison does not need: that the baseline's own rate, had it gone on, would not have more than doubled by itself.** A
//! marketplace that goes down in that half hour breaks it; the comparison would have seen that both suffer.
//!
//! Where nothing ran beside the canary at all, a business counter is held against what [`crate::control`] expects of it.
//!
//! Evidence of the comparison is carried over as the capital this test starts with, so that both together keep to alpha.

use crate::{
    control,
    grid::ALTERNATIVES,
    interval,
    metric::{Arm, Kind},
    params::Params,
    restarts::Restarts,
    single::{self, Sum},
};
use serde::{Deserialize, Serialize};

/// How much the baseline's rate may change by itself.
const BY_ITSELF: f64 = 2.0;
/// Farthest alternative from the limit, as a factor; the nearest is the 24th part of its logarithm.
const FARTHEST: f64 = 20.0;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Watch {
    kind: Kind,
    /// `None`: nothing is known of a baseline, so nothing is tested.
    limit: Option<f64>,
    sum: Sum,
    restarts: Restarts,
}

impl Watch {
    pub fn of(kind: Kind, baseline: Sum, params: &Params) -> Self {
        let (low, high) = interval::limits(baseline, params.alpha());
        let limit = match kind {
            Kind::Error | Kind::Latency => (BY_ITSELF * high).max(params.floor()),
            Kind::Business => low / BY_ITSELF,
        };
        let known = baseline.n > 0 && limit > 0.0 && (kind != Kind::Latency || limit < 1.0);
        Self { kind, limit: known.then_some(limit), sum: Sum::default(), restarts: Restarts::new() }
    }

    /// Of a business counter, by its own past.
    pub fn of_past(weeks: &[Sum], params: &Params) -> Self {
        let limit = control::least(weeks, params.alpha());
        Self { kind: Kind::Business, limit, sum: Sum::default(), restarts: Restarts::new() }
    }

    pub fn fits(&self) -> bool {
        self.limit.is_none_or(|l| l.is_finite() && l > 0.0) && self.restarts.fits(ALTERNATIVES)
    }

    pub fn limit(&self) -> Option<f64> {
        self.limit
    }

    pub fn observe(&mut self, t: f64, canary: &Arm) {
        let Some(limit) = self.limit.filter(|_| canary.n > 0) else { return };
        if self.restarts.is_due(t) {
            let logs: Vec<f64> = self.logs(limit).map(|(l, _)| l).collect();
            self.restarts.advance(t, logs.into_iter());
        }
        self.sum.add(canary.n, canary.x);
    }

    pub fn log_e(&self) -> f64 {
        self.limit.map_or(0.0, |limit| self.restarts.log_e(self.logs(limit).map(|(l, w)| l + w)))
    }

    /// Log evidence and log weight of each alternative.
    fn logs(&self, limit: f64) -> impl Iterator<Item = (f64, f64)> + Clone {
        let (kind, sum) = (self.kind, self.sum);
        let step = FARTHEST.ln() / ALTERNATIVES as f64;
        let total: f64 = (1..=ALTERNATIVES).map(|k| (-step * k as f64).exp()).sum();
        (1..=ALTERNATIVES).map(move |k| {
            let factor = (step * k as f64).exp();
            let log = match kind {
                Kind::Error => single::poisson(sum, limit * factor, limit),
                Kind::Latency => {
                    let q = (limit * factor).min(1.0 - (1.0 - limit) / 4.0);
                    single::bernoulli(sum, q, limit)
                }
                Kind::Business => single::poisson(sum, limit / factor, limit),
            };
            (log, -step * k as f64 - total.ln())
        })
    }
}
