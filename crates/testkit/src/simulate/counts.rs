//! What a schedule went through, and what it broke.

use std::fmt;

/// An invariant that did not hold.
#[derive(Debug)]
pub struct Broken {
    pub seed: u64,
    pub what: String,
    pub story: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        for line in self.story.iter().rev().take(60).rev() {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
impl std::error::Error for Broken {}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What a schedule went through, so that a test can see that it went through anything.
        #[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counts {
            /// Each with its name.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }

        impl std::ops::AddAssign for Counts {
            fn add_assign(&mut self, o: Self) {
                $(self.$name += o.$name;)*
            }
        }
    };
}

counts! {
    decisions,
    completed,
    failed,
    aborted,
    superseded,
    rollbacks,
    /// Messages.
    lost,
    /// Waves of a canary that evidence let go on.
    promoted,
    /// Waves that a person let go on.
    promoted_by_hand,
    /// Waves that were left without a verdict and went on, as the spec said.
    went_on,
    asked,
    /// Shares of waves that a person changed.
    raised,
    lowered,
    /// Waves that had less to give than a person gave before.
    skipped,
    /// Rollouts that the judge ended.
    judged_worse,
    /// Rollouts that a fixed limit ended.
    over_limit,
    /// Rollouts whose shards the host took back by itself.
    over_limit_by_shard,
    /// Rollouts that ended because the server had been away too long.
    lease_over,
    /// Waves in which shards moved.
    by_shard,
    /// Those of them that were a cron service's.
    cron_by_shard,
    /// Watches that others who waited cut short.
    watch_cut,
}
