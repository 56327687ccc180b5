//! Threshold counting, as Flagger and Argo Rollouts define it: every so often the canary's error rate over a window is held
//! against a fixed limit, and so many measurements beyond it end the rollout. Neither looks at the baseline.

use super::Rule;
use tradewind_judge::Arm;

#[derive(Clone, Copy, Debug)]
pub struct Counting {
    /// Seconds between measurements; the window is as long.
    pub every_s: f64,
    /// A measurement above it is beyond the limit.
    pub limit: f64,
    /// So many of them, in all, end the rollout.
    pub allowed: u32,
    window: Arm,
    beyond: u32,
    next: f64,
}

impl Counting {
    /// Flagger's documented analysis (docs/gitbook/usage/how-it-works.md): interval 1m, request-success-rate of at least 99,
    /// threshold 10 failed checks.
    pub fn flagger(limit: f64) -> Self {
        Self::new(60.0, limit, 10)
    }

    /// Argo Rollouts' documented template (docs/features/analysis.md): interval 5m, success rate of at least 0.95, failureLimit 3;
    /// the fourth failed measurement ends it.
    pub fn argo(limit: f64) -> Self {
        Self::new(300.0, limit, 4)
    }

    /// The same page's template with two conditions: what lies between them is inconclusive, and with inconclusiveLimit 0 the first
    /// such measurement pauses the rollout for a person.
    pub fn argo_inconclusive(limit: f64) -> Self {
        Self::new(300.0, limit, 1)
    }

    fn new(every_s: f64, limit: f64, allowed: u32) -> Self {
        Self { every_s, limit, allowed, window: Arm::default(), beyond: 0, next: every_s }
    }
}

impl Rule for Counting {
    fn sees(&mut self, t: f64, canary: Arm, _baseline: Arm) -> bool {
        self.window.n += canary.n;
        self.window.x += canary.x;
        if t < self.next {
            return false;
        }
        self.next += self.every_s;
        let window = std::mem::take(&mut self.window);
        // No value at all is no failed measurement.
        self.beyond += u32::from(window.n > 0 && window.x as f64 > self.limit * window.n as f64);
        self.beyond >= self.allowed
    }
}

#[test]
fn so_many_bad_windows_end_it() {
    let mut rule = Counting::flagger(0.01);
    let (bad, good) = (Arm::of(100, 2), Arm::of(100, 1));
    let ended: Vec<bool> =
        (1..=12).map(|i| rule.sees(60.0 * f64::from(i), if i == 3 { good } else { bad }, good)).collect();
    assert_eq!(ended.iter().position(|e| *e), Some(10));
    assert!((1..=100).all(|i| !Counting::argo(0.05).sees(300.0 * f64::from(i), Arm::default(), bad)));
}
