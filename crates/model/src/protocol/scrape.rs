//! What is read from instances' own metrics pages while two revisions are compared: which series, and as what.
//!
//! The agent reads the page of every instance of both revisions, makes differences of the counters, and reports them as
//! [`UnitTick`](super::trial::UnitTick)s of [`Feed::Scrape`](super::trial::Feed), one pair of numbers a metric.

use crate::{
    id::{BadId, Place, RevisionId, RolloutId},
    said::Said,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Metrics a service may have judged.
pub const MOST_METRICS: usize = 16;
/// Sentences in one [`ObservedScrape`].
pub const MOST_NOTES: usize = 8;
/// What is usual is not read more often.
const USUAL_EVERY_MS: u64 = 15_000;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Scrape {
    /// GET on the instance's port, in the text format of Prometheus.
    pub path: String,
    pub every_ms: u64,
    /// At most [`MOST_METRICS`]; their order is that of a tick's numbers.
    pub metrics: Vec<ScrapedMetric>,
}

impl Scrape {
    /// How it is read while nothing is compared, so that it is known how much there is in ordinary times.
    pub fn usual(&self) -> Self {
        Self { every_ms: self.every_ms.max(USUAL_EVERY_MS), ..self.clone() }
    }
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

/// What counts are for, as [`DesiredScrape::rollout`] and [`UnitTick::rollout`](super::trial::UnitTick::rollout) say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A rollout's judge.
    Trial(RolloutId),
    /// Knowing what this revision sells in ordinary times. It is named as canary and baseline, and its counts are the
    /// canary's.
    Usual(RevisionId),
}

const USUAL: &str = "usual-";

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trial(rollout) => rollout.fmt(f),
            Self::Usual(revision) => write!(f, "{USUAL}{revision}"),
        }
    }
}

impl FromStr for Purpose {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        match s.strip_prefix(USUAL) {
            Some(revision) => revision.parse().map(Self::Usual),
            None => s.parse().map(Self::Trial),
        }
    }
}

/// Two revisions of a place whose instances are to be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DesiredScrape {
    pub place: Place,
    /// A [`Purpose`].
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
