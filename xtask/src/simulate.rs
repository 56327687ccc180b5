//! `cargo xtask simulate --seed S --runs N --steps K`: random schedules of the rollout engine, as in the tests.

use anyhow::{Context as _, Result, bail};
use tradewind_testkit::simulate::{self, Counts};

pub fn run(args: &[String]) -> Result<()> {
    let (mut seed, mut runs, mut steps) = (0_u64, 10_000_u64, 400_u32);
    for pair in args.chunks(2) {
        let [name, value] = pair else { bail!("`{}` needs a value", pair[0]) };
        let number: u64 = value.parse().with_context(|| format!("`{value}` is not a number"))?;
        match name.as_str() {
            "--seed" => seed = number,
            "--runs" => runs = number,
            "--steps" => steps = u32::try_from(number)?,
            _ => bail!("not an option: `{name}`; there are --seed, --runs and --steps"),
        }
    }
    let mut all = Counts::default();
    for (done, seed) in (seed..seed.saturating_add(runs)).enumerate() {
        match simulate::run(seed, steps) {
            Ok(counts) => all += counts,
            Err(broken) => bail!("{broken}\nagain: cargo xtask simulate --seed {seed} --runs 1 --steps {steps}"),
        }
        if done > 0 && done.is_multiple_of(10_000) {
            println!("{done} schedules: {all:?}");
        }
    }
    println!("{runs} schedules of {steps} steps from seed {seed}, 0 broken invariants: {all:?}");
    Ok(())
}
