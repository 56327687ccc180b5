//! Ticks that nobody has taken.

use std::collections::VecDeque;
use tradewind_model::protocol::trial::{TICKS_KEPT_S, UnitTick, UnitsTaken};

/// Oldest first. Their age counts in seconds that were ended, so that no clock can make them old.
#[derive(Debug, Default)]
pub struct Pending {
    ticks: VecDeque<(u64, UnitTick)>,
    second: u64,
}

impl Pending {
    /// Takes up what a second came to, and lets go of what is too old.
    pub fn end_second(&mut self, ticks: impl IntoIterator<Item = UnitTick>) {
        self.second += 1;
        self.ticks.extend(ticks.into_iter().map(|t| (self.second, t)));
        let second = self.second;
        self.ticks.retain(|(at, _)| second - at < TICKS_KEPT_S);
    }

    /// What another worker counted.
    pub fn add(&mut self, ticks: impl IntoIterator<Item = UnitTick>) {
        self.ticks.extend(ticks.into_iter().map(|t| (self.second, t)));
    }

    pub fn taken(&mut self, taken: &[UnitsTaken]) {
        self.ticks.retain(|(_, t)| !taken.iter().any(|by| covers(by, t)));
    }

    pub fn all(&self) -> impl Iterator<Item = &UnitTick> {
        self.ticks.iter().map(|(_, t)| t)
    }
}

fn covers(taken: &UnitsTaken, tick: &UnitTick) -> bool {
    tick.seq <= taken.seq && tick.epoch == taken.epoch && tick.rollout == taken.rollout && tick.route == taken.route
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{protocol::trial::UnitCounts, time::Timestamp};

    fn tick(epoch: &str, seq: u64) -> UnitTick {
        UnitTick {
            route: "shop/production/default".into(),
            rollout: "r".into(),
            epoch: epoch.into(),
            seq,
            at: Timestamp(0),
            feed: Default::default(),
            sampled: 0,
            canary: UnitCounts::default(),
            baseline: UnitCounts::default(),
        }
    }

    fn seqs(pending: &Pending) -> Vec<u64> {
        pending.all().map(|t| t.seq).collect()
    }

    #[test]
    fn ticks_are_kept_until_they_are_taken_or_ten_minutes_old() {
        let mut pending = Pending::default();
        for seq in 1..=700 {
            pending.end_second([tick("a", seq)]);
        }
        assert_eq!(seqs(&pending), (101..=700).collect::<Vec<_>>());
        let taken = |epoch: &str, rollout: &str| UnitsTaken {
            route: "shop/production/default".into(),
            rollout: rollout.into(),
            epoch: epoch.into(),
            seq: 690,
        };
        pending.taken(&[taken("b", "r"), taken("a", "other")]);
        assert_eq!(pending.all().count(), 600);
        pending.taken(&[taken("a", "r")]);
        assert_eq!(seqs(&pending), (691..=700).collect::<Vec<_>>());
        // Those of a trial that is over grow old as well.
        for _ in 0..TICKS_KEPT_S - 1 {
            pending.end_second([]);
        }
        assert_eq!(seqs(&pending), [700]);
        pending.end_second([]);
        assert_eq!(seqs(&pending), [0; 0]);
    }
}
