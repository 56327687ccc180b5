//! What the judge says when it is asked. Readings, not exits: the next one may differ.

use crate::{
    interval::{Rate, Ratio},
    metric::MetricSpec,
    params::Params,
};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Neither is shown yet.
    Continue,
    /// The canary is worse than its baseline. Outranks `better`.
    Worse,
    /// In this wave every required metric is shown not to be as bad as `r1` and the floor.
    Better,
    /// The wave's time is over and neither is shown. Never the judge's own reading: it knows no time limit.
    Inconclusive,
}

impl Verdict {
    /// The same at the end of the wave's time.
    pub fn at_time_limit(self) -> Self {
        match self {
            Self::Continue => Self::Inconclusive,
            Self::Worse | Self::Better | Self::Inconclusive => self,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The figures that decide, cheap enough for every second.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Brief {
    /// Evidence against the canary; at `1/alpha` it is called worse. A finite number, also where the evidence is beyond one.
    pub e: f64,
    /// Evidence for this wave's promotion, the smallest of the required metrics'; at `1/beta` it is promoted.
    pub promotion: f64,
    pub verdict: Verdict,
}

/// Everything a person may want to see.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// What it is held against.
    pub params: Params,
    /// The time of the newest sample, and of the first.
    pub t: f64,
    pub began: f64,
    /// When the wave, or the watch, under way began.
    pub phase_began: f64,
    pub e: f64,
    /// `1/alpha`.
    pub e_needed: f64,
    pub promotion: f64,
    /// `1/beta`.
    pub promotion_needed: f64,
    pub verdict: Verdict,
    /// In the order the judge was given them.
    pub metrics: Vec<MetricReading>,
    /// Places in `metrics` of those to blame, the worst first; empty unless the verdict is `worse`.
    pub culprits: Vec<usize>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MetricReading {
    pub spec: MetricSpec,
    pub e: f64,
    pub promotion: f64,
    /// Whether this wave's promotion waits for it.
    pub needed: bool,
    pub canary: Rate,
    pub baseline: Rate,
    /// `None` before the first event.
    pub ratio: Option<Ratio>,
    /// While nothing runs beside the canary: the rate that it is held against, where one is known.
    pub watched: bool,
    pub watch_limit: Option<f64>,
    /// Its baseline is other sites, at this one's usual rate.
    pub elsewhere: bool,
}

/// The e-BH procedure (Wang and Ramdas, arXiv 2009.02824) with weights: those of the `m` metrics whose weighted evidence is among the
/// `k` largest for the greatest `k` with the k-th at `m / (alpha k)` or above. Valid under any dependence. Values in logarithms; the
/// weights' mean is 1.
pub fn culprits(weighted: &[f64], alpha: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..weighted.len()).collect();
    order.sort_by(|a, b| weighted[*b].total_cmp(&weighted[*a]));
    let bar = (weighted.len() as f64 / alpha).ln();
    let named = (1..=order.len()).rev().find(|k| weighted[order[k - 1]] >= bar - (*k as f64).ln()).unwrap_or(0);
    order.truncate(named);
    order
}
