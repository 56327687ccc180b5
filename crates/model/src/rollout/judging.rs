//! How the waves of a canary are decided. Numbers are integers so that a plan has one text: shares in basis points,
//! probabilities in millionths, ratios in thousandths, times in milliseconds.

use crate::protocol::{
    scrape::{MetricKind, Scrape, ScrapedMetric},
    trial::Ignore,
};
use serde::{Deserialize, Serialize};

/// One step of a canary.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// Basis points of a site's traffic.
    pub share: u32,
    /// It is not promoted before, whatever the evidence.
    pub min_ms: u64,
    /// Without a verdict by then it is inconclusive.
    pub max_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promote {
    /// When the judge says `better`.
    Evidence,
    /// When a person says so.
    Manual,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInconclusive {
    /// Stay, and ask a person.
    Hold,
    Continue,
    Rollback,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Judging {
    pub promote: Promote,
    pub on_inconclusive: OnInconclusive,
    /// Chance of stopping a release that is no worse, over the whole rollout.
    pub alpha_ppm: u32,
    /// Chance of promoting one that is worse by `r1`, per wave.
    pub beta_ppm: u32,
    pub r0_milli: u32,
    pub r1_milli: u32,
    /// Rates below it are nobody's concern.
    pub floor_ppm: u32,
    /// Bounds a client's answers are held against.
    pub bounds_ms: Vec<u32>,
    pub ignore: Ignore,
    /// Latency is not judged for so long after a share began: new instances are cold.
    #[serde(default)]
    pub warmup_ms: u64,
    /// What the service itself counts.
    #[serde(default)]
    pub scrape: Option<Scrape>,
}

impl Judging {
    pub fn judges_business(&self) -> bool {
        let is_business = |m: &ScrapedMetric| m.kind == MetricKind::Business;
        self.scrape.as_ref().is_some_and(|s| s.metrics.iter().any(is_business))
    }
}

/// What the judge says of a site's wave, as a decision takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not enough evidence either way, or nothing to judge by.
    #[default]
    Continue,
    Worse,
    Better,
}
