//! A mixture over when the fault began, so that one that begins after half an hour is not hidden by half an hour of health.
//!
//! Evidence for alternative `k` that counts from time `s` only is `exp(L_k(t) − L_k(s))`, with `L_k` the log evidence from the very
//! start. With masses `m_s` over the starts, `m` the mass of starts still to come (they count as 1), and `w_k` the prior:
//!
//! ```text
//! E(t) = Σ_k w_k exp(L_k(t)) A_k + m,    A_k = Σ_s m_s exp(−L_k(s))
//! ```
//!
//! A weighted average of supermartingales that start at 1 is one. All starts together need one number for each alternative, so
//! their count costs nothing, and a rollout watched for a day has the state of one watched for a minute.

use crate::numeric::{log_add, log_sum};
use serde::{Deserialize, Serialize};

/// Seconds between two starts.
pub const EVERY_S: f64 = 300.0;
/// Mass of the first start; start number `s` has `LATER / (s (s + 1))`.
const FIRST: f64 = 0.8;
const LATER: f64 = 1.0 - FIRST;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Restarts {
    /// When the first start was; `None`: not yet.
    began: Option<f64>,
    /// Starts after the first, so far.
    later: u64,
    /// `ln A_k`; empty before the first start.
    ln_a: Vec<f64>,
}

impl Restarts {
    pub fn new() -> Self {
        Self { began: None, later: 0, ln_a: Vec::new() }
    }

    pub fn fits(&self, alternatives: usize) -> bool {
        let wanted = if self.began.is_some() { alternatives } else { 0 };
        self.ln_a.len() == wanted && self.ln_a.iter().chain(&self.began).all(|v| v.is_finite())
    }

    /// Whether [`Self::advance`] to `t` would start anything: then it needs the log evidence.
    pub fn is_due(&self, t: f64) -> bool {
        self.began.is_none_or(|began| (t - began) / EVERY_S >= (self.later + 1) as f64)
    }

    /// Makes the starts that are due at `t`; `logs` is `L_k` before anything of `t` is counted.
    pub fn advance(&mut self, t: f64, logs: impl Iterator<Item = f64>) {
        let Some(began) = self.began else {
            self.began = Some(t);
            self.ln_a = logs.map(|l| FIRST.ln() - l).collect();
            return;
        };
        let due = ((t - began) / EVERY_S).floor().clamp(0.0, 1e15) as u64;
        if due <= self.later {
            return;
        }
        // 1/(a(a + 1)) + … + 1/(b(b + 1)) = 1/a − 1/(b + 1)
        let ln_mass = (rest(self.later) - rest(due)).ln();
        for (a, l) in self.ln_a.iter_mut().zip(logs) {
            *a = log_add(*a, ln_mass - l);
        }
        self.later = due;
    }

    /// `ln E`, from the alternatives' `ln w_k + L_k`.
    pub fn log_e(&self, weighted: impl Iterator<Item = f64> + Clone) -> f64 {
        if self.began.is_none() {
            return 0.0;
        }
        let started = log_sum(weighted.zip(&self.ln_a).map(|(l, a)| l + a));
        log_add(started, rest(self.later).ln())
    }
}

/// Mass of the starts after start number `later`.
fn rest(later: u64) -> f64 {
    LATER / (later + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a list of starts, each with its own snapshot.
    #[test]
    fn one_number_stands_for_all_starts() {
        let walk = |t: f64| (t / 170.0).sin() * 3.0;
        let mut restarts = Restarts::new();
        let mut starts: Vec<(f64, f64)> = Vec::new();
        for step in 0..400 {
            let t = f64::from(step) * 13.0;
            if step == 0 {
                starts.push((0.8, walk(t)));
            }
            let due = (t / 300.0).floor();
            while (starts.len() as f64) <= due {
                let s = starts.len() as f64;
                starts.push((0.2 / (s * (s + 1.0)), walk(t)));
            }
            if restarts.is_due(t) {
                restarts.advance(t, std::iter::once(walk(t)));
            }
            let unstarted = 1.0 - starts.iter().map(|s| s.0).sum::<f64>();
            let e: f64 = starts.iter().map(|(m, at)| m * (walk(t + 5.0) - at).exp()).sum::<f64>() + unstarted;
            assert!((restarts.log_e(std::iter::once(walk(t + 5.0))) - e.ln()).abs() < 1e-9, "{t}");
        }
    }

    #[test]
    fn a_long_silence_is_many_starts_at_once() {
        let mut restarts = Restarts::new();
        restarts.advance(0.0, std::iter::once(0.0));
        restarts.advance(1e12, std::iter::once(-2.0));
        let e = restarts.log_e(std::iter::once(-2.0)).exp();
        assert!((e - (0.8 * (-2f64).exp() + 0.2)).abs() < 1e-9);
    }
}
