//! One metric's evidence: against the canary over the whole rollout, and for its promotion in this wave.

use crate::{
    bursts::{self, Bursts},
    common::Common,
    grid::{Face, Grid},
    interval::{self, Rate, Ratio},
    metric::{Arm, Kind, MetricSpec},
    numeric::{log_add, log_sum},
    params::Params,
    rare::Rare,
    restarts::Restarts,
    single::{self, Sum},
    watch::Watch,
};
use serde::{Deserialize, Serialize};

/// Part of the floor's test in a promotion; the rest is the comparison's.
const FLOOR_PART: f64 = 0.85;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub spec: MetricSpec,
    /// Log of the part of all capital that is staked on this metric.
    pub ln_stake: f64,
    /// Whether the wave under way is a wave of this metric.
    pub in_wave: bool,
    rare: Rare,
    /// Only where events are not rare.
    common: Option<Common>,
    /// What the alarm sees instead, where events come in bursts.
    bursts: Option<Bursts>,
    restarts: Restarts,
    /// Log evidence of the phases that are over.
    carried: f64,
    watch: Option<Watch>,
    /// Its baseline is other sites, at this one's usual rate.
    elsewhere: bool,
    /// Log evidence for the promotion's alternatives when this wave began.
    wave_began: Vec<f64>,
    /// Of the canary in this wave: units, and events.
    wave: Sum,
    units: [Sum; 2],
    exposures: [Sum; 2],
}

impl Evidence {
    pub fn new(spec: MetricSpec, grid: &Grid) -> Self {
        let common = match spec.kind {
            Kind::Latency => Some(Common::new(grid)),
            Kind::Error | Kind::Business => None,
        };
        let none = Sum::default();
        let bursts = spec.bursts.then(|| Bursts { rare: Rare::new(grid), common: common.clone() });
        Self {
            spec,
            bursts,
            ln_stake: 0.0,
            in_wave: true,
            rare: Rare::new(grid),
            common,
            restarts: Restarts::new(),
            carried: 0.0,
            watch: None,
            elsewhere: false,
            wave_began: vec![0.0; grid.promotion.alternatives.len()],
            wave: none,
            units: [none; 2],
            exposures: [none; 2],
        }
    }

    /// Whether a stored state belongs to this grid.
    pub fn fits(&self, grid: &Grid) -> bool {
        self.rare.fits(grid)
            && self.common.is_some() == (self.spec.kind == Kind::Latency)
            && self.common.as_ref().is_none_or(|c| c.fits(grid))
            && self.bursts.is_some() == self.spec.bursts
            && self.bursts.as_ref().is_none_or(|b| b.fits(grid, self.common.is_some()))
            && self.restarts.fits(grid.alarm.alternatives.len())
            && self.watch.as_ref().is_none_or(Watch::fits)
            && self.wave_began.len() == grid.promotion.alternatives.len()
            && self.wave_began.iter().chain([&self.carried, &self.ln_stake]).all(|v| v.is_finite())
    }

    pub fn observe(&mut self, t: f64, grid: &Grid, canary: &Arm, baseline: &Arm) {
        let arms = [canary, baseline];
        let thinned = bursts::thinned(canary, self.exposures);
        for (i, arm) in arms.into_iter().enumerate() {
            self.units[i].add(arm.units(), arm.x);
            self.exposures[i].add(arm.n, arm.x);
        }
        if let Some(watch) = &mut self.watch {
            watch.observe(t, canary);
            return;
        }
        self.wave.add(canary.units(), canary.x);
        // The first start is when there is something to compare.
        if canary.n == 0 || baseline.n == 0 {
            return;
        }
        if self.restarts.is_due(t) {
            let mut restarts = std::mem::replace(&mut self.restarts, Restarts::new());
            restarts.advance(t, self.logs(grid, Face::Alarm));
            self.restarts = restarts;
        }
        if let Some(bursts) = &mut self.bursts {
            bursts.observe(t, grid, &thinned, baseline);
        }
        self.rare.observe(grid, canary, baseline);
        if let Some(common) = &mut self.common {
            common.observe(t, grid, canary, baseline);
        }
    }

    /// Log evidence for each of a side's alternatives, from the start on.
    fn logs<'a>(&'a self, grid: &'a Grid, face: Face) -> impl Iterator<Item = f64> + Clone + 'a {
        let side = grid.side(face);
        let (rare, common) = match (&self.bursts, face) {
            (Some(bursts), Face::Alarm) => (&bursts.rare, &bursts.common),
            (Some(_) | None, Face::Alarm | Face::Promotion) => (&self.rare, &self.common),
        };
        let own = common.as_ref().map(|c| c.logs(face));
        let null = rare.log_likelihood(grid, side.null_at);
        side.alternatives.iter().enumerate().map(move |(k, a)| match own {
            Some(logs) => logs[k],
            None => rare.log_likelihood(grid, a.at) - null,
        })
    }

    /// `ln E` against the canary.
    pub fn log_e(&self, grid: &Grid) -> f64 {
        let now = match &self.watch {
            Some(watch) => watch.log_e(),
            None => {
                let weights = grid.alarm.alternatives.iter().map(|a| a.ln_weight);
                self.restarts.log_e(self.logs(grid, Face::Alarm).zip(weights).map(|(l, w)| l + w))
            }
        };
        self.carried + now
    }

    /// `ln E` for the promotion of this wave; 0 without any exposure.
    pub fn log_promotion(&self, grid: &Grid, params: &Params) -> f64 {
        let logs = self.logs(grid, Face::Promotion).zip(&self.wave_began).zip(&grid.promotion.alternatives);
        let compared = log_sum(logs.map(|((l, began), a)| l - began + a.ln_weight));
        let has_floor = match self.spec.kind {
            Kind::Error | Kind::Latency => params.floor() > 0.0,
            Kind::Business => false,
        };
        if !has_floor {
            return compared;
        }
        let floor = single::below_floor(self.wave, params.floor());
        log_add((1.0 - FLOOR_PART).ln() + compared, FLOOR_PART.ln() + floor)
    }

    /// Promotion is judged anew; the evidence against the canary stays. Ends a watch.
    pub fn begin_wave(&mut self, grid: &Grid) {
        if self.watch.is_some() {
            self.carried = self.log_e(grid);
            self.watch = None;
            self.restarts = Restarts::new();
        }
        self.wave_began = self.logs(grid, Face::Promotion).collect();
        self.wave = Sum::default();
    }

    /// From here on the canary has no baseline beside it.
    pub fn begin_watch(&mut self, grid: &Grid, params: &Params) {
        if self.watch.is_none() && !self.elsewhere {
            self.carried = self.log_e(grid);
            self.watch = Some(Watch::of(self.spec.kind, self.exposures[1], params));
        }
    }

    /// From here on it is held against its own past.
    pub fn watch_past(&mut self, grid: &Grid, weeks: &[Sum], params: &Params) {
        self.carried = self.log_e(grid);
        self.watch = Some(Watch::of_past(weeks, params));
    }

    /// From here on what is given for the baseline are other sites' counts. `grid` is the one so far, `alone` the one from
    /// here on.
    pub fn compare_elsewhere(&mut self, grid: &Grid, alone: &Grid) {
        self.carried = self.log_e(grid);
        (self.watch, self.elsewhere) = (None, true);
        (self.rare, self.restarts) = (Rare::new(alone), Restarts::new());
        (self.exposures, self.units) = Default::default();
        self.wave_began = self.logs(alone, Face::Promotion).collect();
    }

    pub fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    pub fn rates(&self) -> [Rate; 2] {
        self.units.map(Rate::of)
    }
    pub fn ratio(&self, grid: &Grid, params: &Params) -> Option<Ratio> {
        interval::ratio(grid, &self.rare, self.exposures, params.alpha())
    }
    pub fn watch_limit(&self) -> Option<f64> {
        self.watch.as_ref().and_then(Watch::limit)
    }
    pub fn is_watched(&self) -> bool {
        self.watch.is_some()
    }
}
