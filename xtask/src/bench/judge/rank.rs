//! A rank test over a window, repeated, as Kayenta's judge defines it (NetflixACAJudge): a Mann-Whitney test of one sample a minute
//! from each arm at confidence 0.98; the metric is High when the interval of the shift lies above a quarter of the estimated
//! shift. With one metric the score is 100 or 0, against thresholds of 75 (pass) and 50 (marginal).

use super::Rule;
use tradewind_judge::Arm;

const TOLERANCE: f64 = 0.25;

#[derive(Clone, Debug)]
pub struct RankTest {
    /// Of a standard normal value, two-sided at the confidence wanted.
    quantile: f64,
    canary: Vec<f64>,
    baseline: Vec<f64>,
    minute: [Arm; 2],
    next_sample: f64,
    next_look: f64,
}

impl RankTest {
    /// Looks every five minutes from minute ten, at all that has been sampled.
    pub fn kayenta(quantile: f64) -> Self {
        Self {
            quantile,
            canary: Vec::new(),
            baseline: Vec::new(),
            minute: [Arm::default(); 2],
            next_sample: 60.0,
            next_look: 600.0,
        }
    }

    /// Confidence 0.98.
    pub const DOCUMENTED: f64 = 2.326_347_9;
}

impl Rule for RankTest {
    fn sees(&mut self, t: f64, canary: Arm, baseline: Arm) -> bool {
        for (sum, arm) in self.minute.iter_mut().zip([canary, baseline]) {
            sum.n += arm.n;
            sum.x += arm.x;
        }
        if t >= self.next_sample {
            self.next_sample += 60.0;
            let [c, b] = std::mem::take(&mut self.minute);
            let rate = |a: Arm| if a.n == 0 { 0.0 } else { a.x as f64 / a.n as f64 };
            self.canary.push(rate(c));
            self.baseline.push(rate(b));
        }
        if t < self.next_look {
            return false;
        }
        self.next_look += 300.0;
        is_high(&self.canary, &self.baseline, self.quantile)
    }
}

/// Whether the canary's values are judged to be higher.
pub fn is_high(canary: &[f64], baseline: &[f64], quantile: f64) -> bool {
    // An interval that begins at or below no shift cannot lie above a part of the shift.
    if canary.is_empty() || baseline.is_empty() || statistic(canary, baseline, 0.0).is_none_or(|z| z <= quantile) {
        return false;
    }
    let (low, estimate) = (shift(canary, baseline, quantile), shift(canary, baseline, 0.0));
    low > TOLERANCE * estimate.abs()
}

/// The shift at which the statistic falls to `z`: it falls in steps as the shift grows.
fn shift(canary: &[f64], baseline: &[f64], z: f64) -> f64 {
    let least = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut below, mut above) = (least(canary) - most(baseline), most(canary) - least(baseline));
    for _ in 0..50 {
        let middle = 0.5 * (below + above);
        match statistic(canary, baseline, middle) {
            Some(value) if value > z => below = middle,
            Some(_) | None => above = middle,
        }
    }
    0.5 * (below + above)
}

/// The rank-sum statistic of the canary less `shift`, standardised with corrections for ties and continuity. `None` where all
/// values are alike.
fn statistic(canary: &[f64], baseline: &[f64], shift: f64) -> Option<f64> {
    let (m, n) = (canary.len() as f64, baseline.len() as f64);
    let shifted = canary.iter().map(|v| (v - shift, true));
    let mut all: Vec<(f64, bool)> = shifted.chain(baseline.iter().map(|v| (*v, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        let size = group.len() as f64;
        let rank = at as f64 + (size + 1.0) / 2.0;
        ranks += rank * group.iter().filter(|v| v.1).count() as f64;
        ties += size.powi(3) - size;
        at += group.len();
    }
    let centred = ranks - m * (m + 1.0) / 2.0 - m * n / 2.0;
    let variance = m * n / 12.0 * (m + n + 1.0 - ties / ((m + n) * (m + n - 1.0)));
    (variance > 0.0).then(|| (centred - 0.5 * centred.signum() * f64::from(centred != 0.0)) / variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_difference_is_high_and_none_is_not() {
        let low: Vec<f64> = (0..20).map(f64::from).collect();
        let high: Vec<f64> = low.iter().map(|v| v + 15.0).collect();
        assert!(is_high(&high, &low, RankTest::DOCUMENTED));
        assert!(!is_high(&low, &high, RankTest::DOCUMENTED));
        assert!(!is_high(&low, &low, RankTest::DOCUMENTED));
    }

    /// What is known of the original: it passes all three.
    #[test]
    fn it_passes_what_it_is_known_to_pass() {
        for (canary, baseline) in super::super::PASSED_BY_RANKS {
            assert!(!is_high(canary, baseline, RankTest::DOCUMENTED), "{canary:?}");
        }
    }
}
