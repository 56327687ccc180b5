use super::Time;
use serde::{Deserialize, Serialize};
use tradewind_model::id::{RolloutId, SiteName};
use utoipa::ToSchema;

/// What the judge says of a canary.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not enough evidence either way.
    Continue,
    /// Worse than what runs beside it: the rollout goes back.
    Worse,
    /// Good enough for the next wave.
    Better,
    /// The wave's time is over without a verdict.
    Inconclusive,
}

/// A rollout's evidence in a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JudgementBrief {
    pub verdict: Verdict,
    /// Evidence that the new release is worse. It began at 1; at `e_needed` the rollout goes back.
    pub e: f64,
    pub e_needed: f64,
    /// Evidence of this wave that it is not; at `promotion_needed` the next wave may begin.
    pub promotion: f64,
    pub promotion_needed: f64,
    /// The same for a person.
    pub sentence: String,
}

/// All evidence of a rollout.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Judgement {
    #[schema(value_type = uuid::Uuid)]
    pub rollout: RolloutId,
    #[serde(flatten)]
    pub brief: JudgementBrief,
    /// Labels of the new release and of the one it is compared with.
    pub canary: String,
    pub baseline: String,
    /// When the first share began; times below count from it.
    pub began_at: Option<Time>,
    pub seconds: f64,
    /// Requests to each, those left out of the judgement as well.
    pub canary_requests: RequestCount,
    pub baseline_requests: RequestCount,
    /// Of answers to all of these requests; none before the first, and from an edge that does not tell.
    #[serde(default)]
    pub canary_latency: Option<Latency>,
    #[serde(default)]
    pub baseline_latency: Option<Latency>,
    /// The same over time, all sites together: at most 61 windows, oldest first, one after the other.
    #[serde(default)]
    pub traffic: Vec<TrafficWindow>,
    pub metrics: Vec<JudgedMetric>,
    pub waves: Vec<JudgedWave>,
    /// Evidence over time, thinned out where there is much of it.
    pub over_time: Vec<EvidencePoint>,
    pub gaps: EvidenceGaps,
    /// What was decided on it and by whom, oldest first.
    #[serde(default)]
    pub decisions: Vec<JudgedDecision>,
    /// What is to be expected of the wave under way, by the traffic of now; none once nothing is judged any more.
    #[serde(default)]
    pub outlook: Option<JudgeOutlook>,
    /// What keeps the service's own counters from being read, or may make them mean something else; in the reader's language.
    /// Of now: empty once nothing is compared any more.
    #[serde(default)]
    pub unread: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct RequestCount {
    pub requests: u64,
    pub failed: u64,
}

/// From `t - seconds` to `t`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrafficWindow {
    /// Seconds.
    pub t: f64,
    pub seconds: f64,
    pub canary: ArmTraffic,
    pub baseline: ArmTraffic,
}

/// Requests that came and answers that went out meanwhile, those left out of the judgement as well. An answer may belong to a
/// request that came before.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ArmTraffic {
    pub requests: u64,
    /// Answers that were 5xx or broke off.
    pub failed: u64,
    /// None without an answer, and from an edge that does not tell.
    pub latency: Option<Latency>,
}

/// Milliseconds from a request's head to its answer's that half, 95 and 99 of 100 answers stayed within: linear between the
/// bounds of the edge's histogram (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 750 ms, 1, 1.5, 3, 5, 10 s), as Prometheus'
/// `histogram_quantile`. What is slower than 10 s is given as 10 s.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Latency {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JudgedMetric {
    #[schema(example = "slower_than_250ms")]
    pub name: String,
    /// In the reader's language.
    pub label: String,
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteName>,
    pub e: f64,
    pub promotion: f64,
    /// The wave's promotion waits for it.
    pub needed: bool,
    /// It is to blame for `worse`.
    pub culprit: bool,
    pub canary: JudgedRate,
    pub baseline: JudgedRate,
    /// None before the first event.
    pub ratio: Option<JudgedRatio>,
}

/// `events` of `units` clients (or requests, where requests are the units), and the rate with its interval.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JudgedRate {
    pub units: u64,
    pub events: u64,
    pub rate: Option<f64>,
    pub low: f64,
    pub high: f64,
}

/// How many times the baseline's rate; the interval holds at every moment.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JudgedRatio {
    pub estimate: Option<f64>,
    pub low: f64,
    /// None: no upper bound is known yet.
    pub high: Option<f64>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JudgedWave {
    pub number: u32,
    #[schema(value_type = String)]
    pub site: SiteName,
    /// Basis points.
    pub share: u32,
    /// Seconds.
    pub t: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EvidencePoint {
    /// Seconds.
    pub t: f64,
    pub e: f64,
    pub promotion: f64,
}

/// What the evidence lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct EvidenceGaps {
    /// Seconds that an edge counted and nobody could take in.
    pub lost_s: u64,
    /// Times that whoever counted was replaced and forgot whom it had counted; the wave's evidence for promotion began anew.
    #[serde(default)]
    pub restarts: u64,
    /// Samples that cannot be, left out.
    pub refused: u64,
    /// One of so many clients was looked at, at worst.
    pub one_of: u64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JudgedDecision {
    pub kind: DecisionKind,
    /// Number of the wave it is about.
    pub wave: Option<u32>,
    pub at: Time,
    /// Seconds, as the evidence counts them.
    pub t: f64,
    /// The same for a person, with who and why.
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// The evidence let a wave go on.
    Promoted,
    /// A person let a wave go on, or gave it another share.
    Person,
    /// A wave's time was over without a verdict: a person is asked.
    Asked,
    /// A wave's time was over without a verdict, and it went on as its spec says.
    WentOn,
    /// It goes back.
    Back,
}

/// How long the judge will need.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JudgeOutlook {
    /// A sentence.
    pub text: String,
    /// Seconds until half of such faults are found; none: never, or nothing to go by.
    pub expected_s: Option<f64>,
    /// The wave will be over before.
    pub hopeless: bool,
}
