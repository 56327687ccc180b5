use tradewind_testkit::simulate::{Counts, run};

/// Any number of schedules, any seed: `cargo xtask simulate --seed S --runs N`.
#[test]
fn ten_thousand_random_schedules_keep_every_invariant() {
    let mut all = Counts::default();
    for seed in 0..10_000 {
        match run(seed, 400) {
            Ok(counts) => all += counts,
            Err(broken) => panic!("{broken}"),
        }
    }
    println!("{all:?}");
    // Schedules that never get anywhere would keep every invariant too.
    for (what, n) in all.each() {
        assert!(n > 100, "only {n} {what}");
    }
}
