//! Two arms whose units are independent: the plain case.

use super::random::{binomial, normal_above, poisson};
use crate::{Arm, Judge, Kind, MetricSpec, Params, Verdict};
use fastrand::Rng;

/// Errors at a rate that may drift, of traffic that may drift.
#[derive(Clone, Copy, Debug)]
pub struct Errors {
    pub units_per_s: f64,
    pub share: f64,
    pub base_rate: f64,
    /// Of canary to baseline, from `onset_s` on; 1 before.
    pub ratio: f64,
    pub onset_s: f64,
    /// Whether traffic and error rate wander over the day.
    pub drifts: bool,
    pub look_every_s: f64,
    pub until_s: f64,
}

impl Errors {
    /// What the judge's figures are given for: 100 units a second, a tenth of them the canary's, one in 200 fails.
    pub fn usual(ratio: f64) -> Self {
        Self {
            units_per_s: 100.0,
            share: 0.1,
            base_rate: 0.005,
            ratio,
            onset_s: 0.0,
            drifts: false,
            look_every_s: 1.0,
            until_s: 3600.0,
        }
    }

    fn batch(&self, rng: &mut Rng, t: f64, phases: [f64; 2]) -> (Arm, Arm) {
        // Traffic wanders by a half and errors by a factor of two, with periods of a little over two and one hours.
        let wander = |period: f64, phase: f64| if self.drifts { (t / period + phase).sin() } else { 0.0 };
        let (traffic, rate) = (1.0 + 0.5 * wander(1_300.0, phases[0]), 2f64.powf(wander(810.0, phases[1])));
        let ratio = if t >= self.onset_s { self.ratio } else { 1.0 };
        let units = self.units_per_s * self.look_every_s * traffic;
        let mut arm = |share: f64, rate: f64| {
            let n = if self.drifts { poisson(rng, units * share) } else { (units * share).round() as u64 };
            Arm::of(n, binomial(rng, n, rate))
        };
        let rate = self.base_rate * rate;
        (arm(self.share, ratio * rate), arm(1.0 - self.share, rate))
    }

    /// The counts of canary and baseline, batch by batch, each with the time it ends at.
    pub fn batches<'a>(&'a self, rng: &'a mut Rng) -> impl Iterator<Item = (f64, Arm, Arm)> + 'a {
        let looks = (self.until_s / self.look_every_s).ceil() as u32;
        let phases = if self.drifts { [0; 2].map(|_: i32| std::f64::consts::TAU * rng.f64()) } else { [0.0; 2] };
        (0..looks).map(move |i| {
            let t = f64::from(i) * self.look_every_s;
            let (canary, baseline) = self.batch(rng, t, phases);
            (t + self.look_every_s, canary, baseline)
        })
    }

    /// When the verdict comes, if it does.
    pub fn until(&self, rng: &mut Rng, params: Params, wanted: Verdict) -> Option<f64> {
        let mut judge = Judge::new(params, vec![MetricSpec::new("errors", Kind::Error)]).ok()?;
        let mut seen = |(t, canary, baseline): (f64, Arm, Arm)| {
            judge.observe(t, 0, canary, baseline).is_ok() && judge.brief().verdict == wanted
        };
        self.batches(rng).find(|batch| seen(*batch)).map(|(t, ..)| t)
    }
}

/// What a confidence sequence is held to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interval {
    Rate,
    Ratio,
}

impl Errors {
    /// When the interval first misses what is true, if it ever does.
    pub fn until_missed(&self, rng: &mut Rng, params: Params, interval: Interval) -> Option<f64> {
        let mut judge = Judge::new(params, vec![MetricSpec::new("errors", Kind::Error)]).ok()?;
        let mut misses = |(t, canary, baseline): (f64, Arm, Arm)| {
            if judge.observe(t, 0, canary, baseline).is_err() {
                return false;
            }
            let metric = judge.reading().metrics.swap_remove(0);
            match interval {
                Interval::Rate => !(metric.canary.low..=metric.canary.high).contains(&(self.ratio * self.base_rate)),
                Interval::Ratio => {
                    metric.ratio.is_some_and(|r| self.ratio < r.low || r.high.is_some_and(|high| self.ratio > high))
                }
            }
        };
        self.batches(rng).find(|batch| misses(*batch)).map(|(t, ..)| t)
    }
}

/// Log-normal latencies, counted against five bounds.
#[derive(Clone, Copy, Debug)]
pub struct Latencies {
    pub units_per_s: f64,
    pub share: f64,
    pub median_ms: f64,
    /// Of the logarithm.
    pub spread: f64,
    pub ratio: f64,
    pub look_every_s: f64,
    pub until_s: f64,
}

pub const BOUNDS_MS: [u32; 5] = [100, 250, 500, 1_000, 2_500];

impl Latencies {
    pub fn usual(ratio: f64) -> Self {
        Self {
            units_per_s: 100.0,
            share: 0.1,
            median_ms: 220.0,
            spread: 0.6,
            ratio,
            look_every_s: 1.0,
            until_s: 3600.0,
        }
    }

    /// How many of `n` are slower than each bound; those slower than a higher bound are among those slower than a lower.
    fn slow(&self, rng: &mut Rng, n: u64, ratio: f64) -> [u64; BOUNDS_MS.len()] {
        let above = |bound: u32| normal_above((f64::from(bound) / (self.median_ms * ratio)).ln() / self.spread);
        let (mut left, mut chance) = (n, 1.0);
        BOUNDS_MS.map(|bound| {
            let slow = above(bound);
            left = binomial(rng, left, slow / chance);
            chance = slow;
            left
        })
    }

    pub fn until_worse(&self, rng: &mut Rng, params: Params) -> Option<f64> {
        let bounds = BOUNDS_MS.map(|ms| MetricSpec::latency(format!("slower than {ms} ms"), ms));
        let mut judge = Judge::new(params, bounds.to_vec()).ok()?;
        let units = self.units_per_s * self.look_every_s;
        let n = [units * self.share, units * (1.0 - self.share)].map(|n| n.round() as u64);
        let mut t = 0.0;
        while t < self.until_s {
            t += self.look_every_s;
            let (canary, baseline) = (self.slow(rng, n[0], self.ratio), self.slow(rng, n[1], 1.0));
            for m in 0..BOUNDS_MS.len() {
                judge.observe(t, m, Arm::of(n[0], canary[m]), Arm::of(n[1], baseline[m])).ok()?;
            }
            if judge.brief().verdict == Verdict::Worse {
                return Some(t);
            }
        }
        None
    }
}

/// Orders from sessions.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    pub per_minute: f64,
    pub share: f64,
    pub ratio: f64,
    pub until_s: f64,
}

impl Orders {
    pub fn until_worse(&self, rng: &mut Rng, params: Params) -> Option<f64> {
        let mut judge = Judge::new(params, vec![MetricSpec::new("orders", Kind::Business)]).ok()?;
        let per_s = self.per_minute / 60.0;
        let mut t = 0.0;
        while t < self.until_s {
            t += 1.0;
            // One session in twenty orders.
            let mut arm = |share: f64, ratio: f64| {
                let n = poisson(rng, 20.0 * per_s * share);
                let x = if n == 0 { 0 } else { poisson(rng, n as f64 * ratio / 20.0) };
                Arm::of(n, x)
            };
            let (canary, baseline) = (arm(self.share, self.ratio), arm(1.0 - self.share, 1.0));
            judge.observe(t, 0, canary, baseline).ok()?;
            if judge.brief().verdict == Verdict::Worse {
                return Some(t);
            }
        }
        None
    }
}

/// Half an hour beside a baseline, then all the traffic for half an hour with the rate times `ratio`.
pub fn watched(rng: &mut Rng, params: Params, ratio: f64) -> Option<f64> {
    let mut judge = Judge::new(params, vec![MetricSpec::new("errors", Kind::Error)]).ok()?;
    let beside = Errors::usual(1.0);
    for t in 1..=1_800 {
        let t = f64::from(t);
        let (canary, baseline) = beside.batch(rng, t, [0.0; 2]);
        judge.observe(t, 0, canary, baseline).ok()?;
        if judge.brief().verdict == Verdict::Worse {
            return Some(t - 1_800.0);
        }
    }
    judge.begin_watch(1_800.0, None);
    let alone = Errors { share: 1.0, ratio, ..beside };
    for t in 1..=1_800 {
        let (canary, _) = alone.batch(rng, f64::from(t), [0.0; 2]);
        judge.observe(1_800.0 + f64::from(t), 0, canary, Arm::default()).ok()?;
        if judge.brief().verdict == Verdict::Worse {
            return Some(f64::from(t));
        }
    }
    None
}

/// Many rollouts at once, each with errors and five latency bounds: what a second of judging them costs.
#[derive(Debug)]
pub struct Load {
    judges: Vec<Judge>,
    rng: Rng,
    t: f64,
}

impl Load {
    /// An hour old.
    pub fn new(rollouts: usize) -> Self {
        let bounds = BOUNDS_MS.map(|ms| MetricSpec::latency(format!("slower than {ms} ms"), ms));
        let metrics = [&[MetricSpec::new("errors", Kind::Error)], &bounds[..]].concat();
        let one = Judge::new(Params::default(), metrics).into_iter();
        let mut load = Self { judges: one.collect(), rng: Rng::with_seed(7), t: 0.0 };
        for _ in 0..12 {
            load.tick();
            load.t += 299.0;
        }
        load.judges = vec![load.judges.pop(); rollouts].into_iter().flatten().collect();
        load
    }

    /// A second of each: the new counts, and the verdicts; says how many there are.
    pub fn tick(&mut self) -> usize {
        self.t += 1.0;
        let all = Latencies::usual(1.0);
        let slow = [all.slow(&mut self.rng, 10, 1.0), all.slow(&mut self.rng, 90, 1.0)];
        let mut taken = 0;
        for judge in &mut self.judges {
            for m in 0..=BOUNDS_MS.len() {
                let x = if m == 0 { [1, 1] } else { [slow[0][m - 1], slow[1][m - 1]] };
                taken += usize::from(judge.observe(self.t, m, Arm::of(10, x[0]), Arm::of(90, x[1])).is_ok());
            }
            taken += usize::from(judge.brief().verdict == Verdict::Worse);
        }
        taken
    }
}
