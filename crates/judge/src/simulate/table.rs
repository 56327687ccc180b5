//! From runs to a line with its bar.

use super::{Bar, Case, Scale, random::normal_above};
use crate::numeric::ln_gamma;
use serde::Serialize;
use tradewind_model::{said, said::Said};

/// What came of a case's runs.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Measured {
    pub runs: u32,
    /// In how many it happened.
    pub happened: u32,
    /// When in the middle one of all runs; `None` where it did not happen in half of them.
    pub median: Option<f64>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Line {
    pub name: &'static str,
    pub what: Said,
    pub bar: Bar,
    pub scale: Scale,
    pub measured: Measured,
    /// `None` where there is no bar.
    pub passed: Option<bool>,
}

impl Line {
    pub fn of(case: &Case, outcomes: &[Option<f64>]) -> Self {
        let runs = u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
        let mut times: Vec<f64> = outcomes.iter().copied().flatten().collect();
        times.sort_by(f64::total_cmp);
        let happened = u32::try_from(times.len()).unwrap_or(u32::MAX);
        // Runs in which it did not happen are longer than all others.
        let median = times.get((outcomes.len().max(1) - 1) / 2).copied();
        let measured = Measured { runs, happened, median };
        let part = f64::from(happened) / f64::from(runs.max(1));
        let passed = match case.bar {
            Bar::AtMost { chance } => Some(as_many_by_chance(runs, happened, chance) > 0.05),
            Bar::By { part: least, median: most } => Some(part >= least && median.is_some_and(|m| m <= most)),
            Bar::Between { low, high } => {
                Some(happened == runs && times.first() >= Some(&low) && times.last() <= Some(&high))
            }
            Bar::None => None,
        };
        Self { name: case.name, what: case.what.clone(), bar: case.bar, scale: case.scale, measured, passed }
    }

    pub fn bar(&self) -> Said {
        let scale = self.unit();
        match self.bar {
            Bar::AtMost { chance } => said!("≤ {p} %", "≤ {p} %", p = chance * 100.0),
            Bar::By { part, median } => {
                said!("≥ {p} %, median ≤ {m} {s}", "≥ {p} %，中位数 ≤ {m} {s}", p = part * 100.0, m = median, s = scale)
            }
            Bar::Between { low, high } => {
                said!("{low} to {high} {s}", "{low} 到 {high} {s}", low = low, high = high, s = scale)
            }
            Bar::None => Said::plain(""),
        }
    }

    pub fn measured(&self) -> Said {
        let Measured { runs, happened, median } = self.measured;
        let percent = format!("{:.2}", 100.0 * f64::from(happened) / f64::from(runs.max(1)));
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        match (self.bar, median) {
            (Bar::AtMost { .. }, _) | (_, None) => {
                said!("{p} % of {n}", "{n} 次中 {p} %", p = percent, n = runs)
            }
            (_, Some(m)) => said!(
                "{p} % of {n}, median {m} {s}",
                "{n} 次中 {p} %，中位数 {m} {s}",
                p = percent,
                n = runs,
                m = if m < 10.0 { format!("{m:.2}") } else { format!("{m:.0}") },
                s = self.unit()
            ),
        }
    }

    fn unit(&self) -> Said {
        match self.scale {
            Scale::Seconds => said!("s", "秒"),
            Scale::Units => said!("units", "单位"),
        }
    }
}

/// The chance that so many or more of the runs happen where each does with `chance`: the binomial's upper tail, exact up to a
/// hundred thousand runs.
pub fn as_many_by_chance(runs: u32, happened: u32, chance: f64) -> f64 {
    let (n, k) = (f64::from(runs), f64::from(happened));
    if runs > 100_000 {
        return normal_above((k - 0.5 - n * chance) / (n * chance * (1.0 - chance)).sqrt());
    }
    let ln_choose = |i: f64| ln_gamma(n + 1.0) - ln_gamma(i + 1.0) - ln_gamma(n - i + 1.0);
    let at = |i: u32| {
        let i = f64::from(i);
        (ln_choose(i) + i * chance.ln() + (n - i) * (-chance).ln_1p()).exp()
    };
    (happened..=runs).map(at).sum::<f64>().min(1.0)
}

#[test]
fn tails_of_the_binomial() {
    assert!((as_many_by_chance(10, 0, 0.3) - 1.0).abs() < 1e-9);
    assert!((as_many_by_chance(2, 2, 0.5) - 0.25).abs() < 1e-9);
    // 2,000 runs at 1 %: 28 are within chance, 29 are not.
    assert!(as_many_by_chance(2_000, 28, 0.01) > 0.05 && as_many_by_chance(2_000, 29, 0.01) < 0.05);
    assert!((as_many_by_chance(100_001, 1_050, 0.01) - as_many_by_chance(100_000, 1_050, 0.01)).abs() < 0.01);
}
