//! Sums in log space and a log gamma.

/// `ln(e^a + e^b)`.
pub fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// `ln Σ e^v`; minus infinity without values.
pub fn log_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if high == f64::NEG_INFINITY {
        return high;
    }
    high + values.map(|v| (v - high).exp()).sum::<f64>().ln()
}

/// `e^v` as it is shown: the largest finite number where it would not be one, and 1 where only rounding tells it from 1.
pub fn exp(v: f64) -> f64 {
    if v.abs() < 1e-14 { 1.0 } else { v.exp().min(f64::MAX) }
}

/// `ln Γ(x)` for x > 0 to about 1e-13: Stirling's series above 10, the recurrence below.
pub fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series = (1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z / 1188.0)))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_of_whole_and_half_numbers() {
        let mut ln_factorial = 0.0;
        for n in 1..60u32 {
            ln_factorial += f64::from(n).ln();
            assert!((ln_gamma(f64::from(n) + 1.0) - ln_factorial).abs() < 1e-11 * ln_factorial.max(1.0), "{n}");
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-12);
    }

    #[test]
    fn sums_of_far_apart_and_absent_values() {
        assert_eq!(log_add(f64::NEG_INFINITY, 3.0), 3.0);
        assert_eq!(log_add(800.0, -800.0), 800.0);
        assert!((log_sum([0.0, 0.0].into_iter()) - 2f64.ln()).abs() < 1e-15);
        assert_eq!(log_sum(std::iter::empty()), f64::NEG_INFINITY);
        assert_eq!(exp(1e6), f64::MAX);
    }
}
