//! What is read from instances' own metrics pages while two revisions are compared: which series, and as what.
//!
//! The agent reads the page of every instance of both revisions, makes differences of the counters, and reports them as
//! [`UnitTick`](super::trial::UnitTick)s of [`Feed::Scrape`](super::trial::Feed), one pair of numbers a metric.

use crate::{
    id::{Place, RevisionId},
    said::Said,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Metrics a service may have judged.
pub const MOST_METRICS: usize = 16;
/// Sentences in one [`ObservedScrape`].
pub const MOST_NOTES: usize = 8;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Scrape {
    /// GET on the instance's port, in the text format of Prometheus.
    pub path: String,
    pub every_ms: u64,
    /// At most [`MOST_METRICS`]; their order is that of a tick's numbers.
    pub metrics: Vec<ScrapedMetric>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScrapedMetric {
    /// What people call it.
    pub name: String,
    pub kind: MetricKind,
    pub read: Read,
    /// A wave is not promoted without evidence from it.
    pub required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// More is worse.
    Error,
    /// Slower than a bound.
    Latency,
    /// Less is worse.
    Business,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Read {
    /// `count` of `of`. Without `of`, of the requests that the edge sent to the revision.
    Counters { count: Series, of: Option<Series> },
    /// Observations above `bound_ms`: the histogram's `_count` less its bucket of that bound.
    Histogram { series: Series, bound_ms: u32 },
}

/// Every series of this name that has these labels, summed up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Series {
    pub name: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Two revisions of a place whose instances are to be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DesiredScrape {
    pub place: Place,
    /// The rollout's id, as in a route's salt.
    pub rollout: String,
    pub canary: RevisionId,
    pub baseline: RevisionId,
    pub scrape: Scrape,
}

/// What keeps a trial's own counters from being read on this host, or may make them mean something else. Empty where all
/// is well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObservedScrape {
    pub place: Place,
    pub rollout: String,
    pub notes: Vec<Said>,
}
