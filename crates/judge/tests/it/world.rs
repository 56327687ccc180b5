//! What the tests share.

use tradewind_judge::{Arm, Judge, Kind, MetricSpec, Params, Unchecked};

pub fn params(change: impl FnOnce(&mut Unchecked)) -> Params {
    let mut p = Unchecked::default();
    change(&mut p);
    Params::checked(p).unwrap()
}

pub fn one(kind: Kind) -> Judge {
    Judge::new(Params::default(), vec![MetricSpec::new("m", kind)]).unwrap()
}

/// `(t, canary, baseline)` with `(n, x)` each.
pub type Sample = (f64, (u64, u64), (u64, u64));

pub fn feed(judge: &mut Judge, metric: usize, samples: &[Sample]) {
    for (t, c, b) in samples {
        judge.observe(*t, metric, Arm::of(c.0, c.1), Arm::of(b.0, b.1)).unwrap();
    }
}

/// `|a - b|` within a billionth of them.
pub fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * a.abs().max(b.abs()), "{a} is not {b}");
}
