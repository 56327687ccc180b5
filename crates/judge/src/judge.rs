//! The judge of one rollout.

use crate::{
    control::Control,
    evidence::Evidence,
    faults,
    grid::Grid,
    metric::{self, Arm, Kind, MetricSpec, Refused, Which},
    numeric::{exp, log_sum},
    params::Params,
    reading::{Brief, MetricReading, Reading, Verdict, culprits},
};
use serde::{Deserialize, Serialize};
use tradewind_model::{fault::Fault, said};

/// All that is known of a rollout's trial. What is stored of it is small (a few kilobytes for each metric, however long the
/// rollout takes) and whole: one that is read back goes on as if nothing had happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Judge {
    params: Params,
    began: Option<f64>,
    now: Option<f64>,
    /// When the wave, or the watch, under way began.
    phase_began: Option<f64>,
    metrics: Vec<Evidence>,
    grids: Grids,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    params: Params,
    began: Option<f64>,
    now: Option<f64>,
    /// When the wave, or the watch, under way began.
    phase_began: Option<f64>,
    metrics: Vec<Evidence>,
}

/// One for each kind, the same for every judge of these settings.
#[derive(Clone, PartialEq, Debug)]
struct Grids {
    error: Grid,
    latency: Grid,
    business: Grid,
    alone: Grid,
}

impl Grids {
    fn new(params: &Params) -> Self {
        let of = |kind| Grid::of(params, kind);
        let alone = Grid::alone(params);
        Self { error: of(Kind::Error), latency: of(Kind::Latency), business: of(Kind::Business), alone }
    }
    fn of_kind(&self, kind: Kind) -> &Grid {
        match kind {
            Kind::Error => &self.error,
            Kind::Latency => &self.latency,
            Kind::Business => &self.business,
        }
    }
    fn of(&self, m: &Evidence) -> &Grid {
        if m.is_elsewhere() { &self.alone } else { self.of_kind(m.spec.kind) }
    }
}

impl Judge {
    /// Refuses no metrics at all, two of the same name and site, and weights that are none.
    pub fn new(params: Params, metrics: Vec<MetricSpec>) -> Result<Self, Fault> {
        if metrics.is_empty() {
            return Err(Fault::new(&faults::NO_METRICS));
        }
        let mut judge = Self::open(params);
        for spec in metrics {
            judge.add(spec)?;
        }
        Ok(judge)
    }

    /// Without metrics as yet: they are added as they are met.
    pub fn open(params: Params) -> Self {
        Self { params, began: None, now: None, phase_began: None, metrics: Vec::new(), grids: Grids::new(&params) }
    }

    /// Adds a metric and says its place. Before the first sample, and at its very time, all metrics share by their weights. One that is
    /// added later gets its part of the evidence there is by then: the sum stays what it was, as it must if the chance of a
    /// false alarm is to stay below alpha.
    pub fn add(&mut self, spec: MetricSpec) -> Result<usize, Fault> {
        spec.check()?;
        if self.metrics.iter().any(|m| m.spec.name == spec.name && m.spec.site == spec.site) {
            let why = said!("it is named twice", "重复出现");
            return Err(Fault::new(&faults::BAD_METRIC).with("metric", &spec.name).with("why", why));
        }
        let total: f64 = self.metrics.iter().map(|m| m.spec.weight).sum::<f64>() + spec.weight;
        let part = (spec.weight / total).ln();
        let grid = self.grids.of_kind(spec.kind);
        let mut new = Evidence::new(spec, grid);
        if self.now == self.began {
            for m in &mut self.metrics {
                m.ln_stake = (m.spec.weight / total).ln();
            }
            new.ln_stake = part;
        } else {
            new.ln_stake = part + self.log_e();
            for m in &mut self.metrics {
                m.ln_stake += (-part.exp()).ln_1p();
            }
        }
        self.metrics.push(new);
        Ok(self.metrics.len() - 1)
    }

    /// Takes the counts of one batch that ended at `t`, in seconds from anywhere. Several metrics, and several batches of one,
    /// may bear the same time.
    pub fn observe(&mut self, t: f64, index: usize, canary: Arm, baseline: Arm) -> Result<(), Refused> {
        let Some(evidence) = self.metrics.get_mut(index) else { return Err(Refused::NoSuchMetric { index }) };
        if !t.is_finite() || t.abs() > 1e15 {
            return Err(Refused::NotATime { t });
        }
        if let Some(last) = self.now.filter(|last| t < *last) {
            return Err(Refused::OutOfOrder { t, last });
        }
        metric::check(evidence.spec.kind, Which::Canary, &canary)?;
        metric::check(evidence.spec.kind, Which::Baseline, &baseline)?;
        self.now = Some(t);
        self.began.get_or_insert(t);
        let grid = self.grids.of(evidence);
        evidence.observe(t, grid, &canary, &baseline);
        Ok(())
    }

    /// A wave begins, of one site or of all: its promotion needs evidence of its own, since a fault of load shows at the new share
    /// only. The evidence against the canary is carried over. Only the metrics of this wave's site are waited for. Without a call
    /// all that is observed is one wave.
    pub fn begin_wave(&mut self, t: f64, site: Option<&str>) {
        self.phase_began = Some(t).filter(|t| t.is_finite());
        for m in &mut self.metrics {
            m.in_wave = m.spec.is_of(site);
            if m.in_wave {
                m.begin_wave(self.grids.of(m));
            }
        }
    }

    /// From here on nothing runs beside the canary, at one site or at all: each metric is held against twice what its baseline's rate
    /// was at most. This assumes that the baseline's rate would not have more than doubled by itself. What is given for the
    /// baseline is no longer looked at, and nothing is promoted any more.
    pub fn begin_watch(&mut self, t: f64, site: Option<&str>) {
        self.phase_began = Some(t).filter(|t| t.is_finite());
        for m in &mut self.metrics {
            if m.spec.is_of(site) {
                m.begin_watch(self.grids.of(m), &self.params);
                m.in_wave = false;
            }
        }
    }

    /// From here on a business counter is held against something else than a baseline beside the canary, because there is
    /// none. Counts so far stay as they are; what speaks against the canary is carried over. Nothing is done for another kind
    /// of metric.
    pub fn hold_against(&mut self, index: usize, control: &Control) {
        let grids = &self.grids;
        let Some(m) = self.metrics.get_mut(index).filter(|m| m.spec.kind == Kind::Business) else { return };
        m.in_wave = false;
        match control {
            Control::Past(weeks) => m.watch_past(grids.of(m), weeks, &self.params),
            Control::Elsewhere => m.compare_elsewhere(grids.of(m), &grids.alone),
        }
    }

    pub fn params(&self) -> &Params {
        &self.params
    }
    pub fn metrics(&self) -> impl ExactSizeIterator<Item = &MetricSpec> {
        self.metrics.iter().map(|m| &m.spec)
    }
    /// The time of the newest sample.
    pub fn now(&self) -> Option<f64> {
        self.now
    }
    /// The time of the first sample.
    pub fn began(&self) -> Option<f64> {
        self.began
    }

    fn log_e(&self) -> f64 {
        let staked = |m: &Evidence| m.ln_stake + m.log_e(self.grids.of(m));
        if self.metrics.is_empty() { 0.0 } else { log_sum(self.metrics.iter().map(staked)) }
    }

    fn log_promotion(&self, m: &Evidence) -> f64 {
        m.log_promotion(self.grids.of(m), &self.params)
    }

    fn is_needed(m: &Evidence) -> bool {
        m.spec.required && m.in_wave && !m.is_watched()
    }

    /// What decides, without what explains it.
    pub fn brief(&self) -> Brief {
        let ln_e = self.log_e();
        let needed = self.metrics.iter().filter(|m| Self::is_needed(m));
        let ln_promotion = needed.map(|m| self.log_promotion(m)).reduce(f64::min).unwrap_or(0.0);
        let verdict = if ln_e >= -self.params.alpha().ln() {
            Verdict::Worse
        } else if ln_promotion >= -self.params.beta().ln() {
            Verdict::Better
        } else {
            Verdict::Continue
        };
        Brief { e: exp(ln_e), promotion: exp(ln_promotion), verdict }
    }

    pub fn reading(&self) -> Reading {
        let Brief { e, promotion, verdict } = self.brief();
        let metric = |m: &Evidence| {
            let grid = self.grids.of(m);
            let [canary, baseline] = m.rates();
            MetricReading {
                spec: m.spec.clone(),
                e: exp(m.log_e(grid)),
                promotion: exp(self.log_promotion(m)),
                needed: Self::is_needed(m),
                canary,
                baseline,
                ratio: m.ratio(grid, &self.params),
                watched: m.is_watched(),
                watch_limit: m.watch_limit(),
                elsewhere: m.is_elsewhere(),
            }
        };
        Reading {
            params: self.params,
            t: self.now.unwrap_or(0.0),
            began: self.began.unwrap_or(0.0),
            phase_began: self.phase_began.or(self.began).unwrap_or(0.0),
            e,
            e_needed: 1.0 / self.params.alpha(),
            promotion,
            promotion_needed: 1.0 / self.params.beta(),
            verdict,
            metrics: self.metrics.iter().map(metric).collect(),
            culprits: if verdict == Verdict::Worse { self.culprits() } else { Vec::new() },
        }
    }

    /// When the average alarms and no metric does so by itself, the one that gives most to it.
    fn culprits(&self) -> Vec<usize> {
        let m = self.metrics.len() as f64;
        let weighted = |x: &Evidence| m.ln() + x.ln_stake + x.log_e(self.grids.of(x));
        let weighted: Vec<f64> = self.metrics.iter().map(weighted).collect();
        let named = culprits(&weighted, self.params.alpha());
        if named.is_empty() {
            return (0..weighted.len()).max_by(|a, b| weighted[*a].total_cmp(&weighted[*b])).into_iter().collect();
        }
        named
    }
}

impl From<Judge> for Stored {
    fn from(j: Judge) -> Self {
        Self { params: j.params, began: j.began, now: j.now, phase_began: j.phase_began, metrics: j.metrics }
    }
}

impl TryFrom<Stored> for Judge {
    type Error = Fault;
    fn try_from(s: Stored) -> Result<Self, Fault> {
        let damaged = |why: &str| Err(Fault::new(&faults::DAMAGED).with("why", why));
        let grids = Grids::new(&s.params);
        if let Some(m) = s.metrics.iter().find(|m| !m.fits(grids.of(m))) {
            return damaged(&m.spec.name);
        }
        if s.began.is_some() != s.now.is_some() || s.began > s.now {
            return damaged("began, now");
        }
        Ok(Self { params: s.params, began: s.began, now: s.now, phase_began: s.phase_began, metrics: s.metrics, grids })
    }
}
