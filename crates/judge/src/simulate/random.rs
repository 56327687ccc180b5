//! Draws from the distributions the simulations need, from one seeded generator.

use fastrand::Rng;

/// A generator of its own for each run of each case.
pub fn seeded(seed: u64, case: u64, run: u64) -> Rng {
    // The seeds of neighbouring runs must not be neighbours.
    let mut z = seed ^ case.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ run.wrapping_mul(0xD1B5_4A32_D192_ED03);
    z = (z ^ (z >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    Rng::with_seed(z ^ (z >> 32))
}

/// Successes among `n`, each with chance `p`: by the gaps between them.
pub fn binomial(rng: &mut Rng, n: u64, p: f64) -> u64 {
    if p > 0.5 {
        return n - binomial(rng, n, 1.0 - p);
    }
    if p <= 0.0 {
        return 0;
    }
    let ln_miss = (-p).ln_1p();
    let (mut hits, mut at) = (0, 0.0);
    loop {
        at += ((1.0 - rng.f64()).ln() / ln_miss).floor() + 1.0;
        if at > n as f64 {
            return hits;
        }
        hits += 1;
    }
}

/// Knuth's product, in parts small enough for a double.
pub fn poisson(rng: &mut Rng, mean: f64) -> u64 {
    let (mut left, mut count) = (mean, 0);
    while left > 0.0 {
        let part = left.min(500.0);
        left -= part;
        let bar = (-part).exp();
        let mut product = rng.f64();
        while product > bar {
            count += 1;
            product *= rng.f64();
        }
    }
    count
}

/// Box and Muller.
pub fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

/// The chance that a standard normal value exceeds `z`, to 7 digits (Abramowitz and Stegun 26.2.17).
pub fn normal_above(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - normal_above(-z);
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let poly =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * poly
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_means_and_spreads() {
        let mut rng = seeded(1, 2, 3);
        let mut of = |draw: &dyn Fn(&mut Rng) -> f64| {
            let all: Vec<f64> = (0..40_000).map(|_| draw(&mut rng)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            (mean, all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64)
        };
        let near = |(mean, var): (f64, f64), m: f64, v: f64| {
            assert!(
                (mean - m).abs() < 4.0 * (v / 40_000.0).sqrt() && (var / v - 1.0).abs() < 0.05,
                "{mean} {var}: {m} {v}"
            );
        };
        near(of(&|r| binomial(r, 90, 0.05) as f64), 4.5, 4.275);
        near(of(&|r| binomial(r, 10, 0.7) as f64), 7.0, 2.1);
        near(of(&|r| poisson(r, 0.3) as f64), 0.3, 0.3);
        near(of(&|r| poisson(r, 700.0) as f64), 700.0, 700.0);
        near(of(&normal), 0.0, 1.0);
        assert!((normal_above(1.644_853_6) - 0.05).abs() < 1e-6 && (normal_above(-1.0) - 0.841_344_7).abs() < 1e-6);
    }
}
