//! What is judged by: its description, and the counts that come in.

use crate::faults;
use serde::{Deserialize, Serialize};
use std::fmt;
use tradewind_model::{fault::Fault, said, said::Said};

/// Numbers above this are no longer exact in a double.
pub const MOST: u64 = 1 << 53;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// More of it is worse and it is rare: 5xx, failed syncs, failed callbacks.
    Error,
    /// "Slower than `limit_ms`": more is worse, and it may be common.
    Latency,
    /// Less of it is worse: orders, payments. `n` is what they come from (sessions), `x` may exceed it.
    Business,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Latency => "latency",
            Self::Business => "business",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MetricSpec {
    pub name: String,
    pub kind: Kind,
    /// The site it is counted at; `None`: everywhere at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Its part of the alarm, relative to the others'.
    #[serde(default = "one")]
    pub weight: f64,
    /// Whether a wave is promoted only with evidence from this metric too.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether events of one batch may have one cause (an instance that stood still for a moment): see [`crate::bursts`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bursts: bool,
    /// The bound of a latency metric, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<u32>,
    /// What people call it; the name otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Said>,
    /// What `n` counts, for people, where it is not the comparison's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Said>,
}

fn one() -> f64 {
    1.0
}
fn yes() -> bool {
    true
}

impl MetricSpec {
    /// Of weight 1 and required.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            site: None,
            weight: 1.0,
            required: true,
            bursts: false,
            limit_ms: None,
            label: None,
            of: None,
        }
    }

    /// "Slower than `limit_ms`".
    pub fn latency(name: impl Into<String>, limit_ms: u32) -> Self {
        Self { limit_ms: Some(limit_ms), ..Self::new(name, Kind::Latency) }
    }

    pub fn shown(&self) -> Said {
        self.label.clone().unwrap_or_else(|| Said::plain(self.name.clone()))
    }

    /// Whether a wave of `site` is a wave of this metric.
    pub(crate) fn is_of(&self, site: Option<&str>) -> bool {
        match (&self.site, site) {
            (Some(own), Some(site)) => own == site,
            (None, _) | (_, None) => true,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Fault> {
        let wrong = |why: Said| Err(Fault::new(&faults::BAD_METRIC).with("metric", &self.name).with("why", why));
        if self.name.is_empty() {
            return wrong(said!("it has no name", "没有名称"));
        }
        if !(1e-6..=1e6).contains(&self.weight) {
            return wrong(said!(
                "its weight is {weight}, not between 0.000001 and 1000000",
                "权重为 {weight}，不在 0.000001 到 1000000 之间",
                weight = self.weight
            ));
        }
        Ok(())
    }
}

/// The counts of one arm in one batch (say a second).
///
/// Where the same client is seen in many batches (`n` is then "active and not failed before"), rates and the promotion
/// floor are meant per client, not per client and second: `units` says how many of the clients are counted for the
/// first time on this arm. The comparison of the arms itself depends on the ratio of the two `n` only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Arm {
    /// Exposures: requests, clients, sessions, shard cycles.
    pub n: u64,
    /// How many of them failed, were slow, or ordered.
    pub x: u64,
    /// Units counted for the first time; `None`: every exposure is a unit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u64>,
}

impl Arm {
    /// Every exposure is a unit.
    pub fn of(n: u64, x: u64) -> Self {
        Self { n, x, units: None }
    }

    /// Of `n` active clients, `units` are counted for the first time.
    pub fn clients(n: u64, x: u64, units: u64) -> Self {
        Self { n, x, units: Some(units) }
    }

    pub fn units(&self) -> u64 {
        self.units.unwrap_or(self.n)
    }
}

/// One of the two that are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Canary,
    Baseline,
}

impl Which {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Baseline => "baseline",
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a sample was not taken. The state is as it was before.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum Refused {
    #[error("there is no metric {index}")]
    NoSuchMetric { index: usize },
    #[error("{t} is not a time")]
    NotATime { t: f64 },
    #[error("its time {t} lies before the last one's, {last}")]
    OutOfOrder { t: f64, last: f64 },
    #[error("{arm}: {value} is more than can be counted exactly")]
    TooLarge { arm: Which, value: u64 },
    #[error("{arm}: {x} of no exposure at all")]
    WithoutExposure { arm: Which, x: u64 },
    #[error("{arm}: {x} slow ones of {n}")]
    MoreThanExposed { arm: Which, n: u64, x: u64 },
}

impl Refused {
    /// The arm it is about, where it is about one.
    pub fn arm(&self) -> Option<&'static str> {
        match self {
            Self::NoSuchMetric { .. } | Self::NotATime { .. } | Self::OutOfOrder { .. } => None,
            Self::TooLarge { arm, .. } | Self::WithoutExposure { arm, .. } | Self::MoreThanExposed { arm, .. } => {
                Some(arm.as_str())
            }
        }
    }

    pub fn said(&self) -> Said {
        match *self {
            Self::NoSuchMetric { index } => said!("there is no metric {i}", "没有第 {i} 个指标", i = index),
            Self::NotATime { t } => said!("{t} is not a time", "{t} 不是合法的时间", t = t),
            Self::OutOfOrder { t, last } => said!(
                "its time {t} lies before the last one's, {last}",
                "其时间 {t} 早于上一个样本的 {last}",
                t = t,
                last = last
            ),
            Self::TooLarge { arm, value } => said!(
                "{arm}: {v} is more than can be counted exactly (2^53)",
                "{arm}：{v} 超出可精确计数的范围（2^53）",
                arm = arm,
                v = value
            ),
            Self::WithoutExposure { arm, x } => said!(
                "{arm}: {x} were counted although nobody was exposed",
                "{arm}：没有任何曝光，却计了 {x} 次",
                arm = arm,
                x = x
            ),
            Self::MoreThanExposed { arm, n, x } => said!(
                "{arm}: {x} slow ones of {n} is impossible",
                "{arm}：{n} 个中有 {x} 个慢，不可能",
                arm = arm,
                x = x,
                n = n
            ),
        }
    }

    pub fn fault(&self, metric: &str) -> Fault {
        Fault::new(&faults::BAD_SAMPLE).with("metric", metric).with("why", self.said())
    }
}

pub(crate) fn check(kind: Kind, arm: Which, counts: &Arm) -> Result<(), Refused> {
    let Arm { n, x, units } = *counts;
    if let Some(value) = [n, x, units.unwrap_or(0)].into_iter().find(|v| *v > MOST) {
        return Err(Refused::TooLarge { arm, value });
    }
    if n == 0 && x > 0 {
        return Err(Refused::WithoutExposure { arm, x });
    }
    if kind == Kind::Latency && x > n {
        return Err(Refused::MoreThanExposed { arm, n, x });
    }
    Ok(())
}
