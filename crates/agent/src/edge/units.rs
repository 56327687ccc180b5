//! What the edge counted of trials, and what was read from instances' own counters, on its way to the server. Pure bookkeeping.
//!
//! A tick is passed on when it comes, again in each new session, and again where it was not answered for a while; it is
//! let go when the server has taken it, or after ten minutes. An agent that is killed forgets them: the edge, which keeps
//! its own as long, sends them to the next; what was read from instances and is not with the server by then is lost. What
//! arrives twice is known by its epoch and number.

use std::{collections::BTreeMap, time::Duration};
use tradewind_model::protocol::trial::{TICKS_KEPT_S, UnitTick, UnitsTaken};

/// A server that took no tick for this long is sent those it has not answered once more.
const AGAIN: Duration = Duration::from_secs(15);
/// Ticks in one message.
const AT_ONCE: usize = 256;

#[derive(Debug, Default)]
pub struct Units {
    /// By what they count (route, rollout, epoch), then by number.
    counts: BTreeMap<(String, String, String), BTreeMap<u64, Kept>>,
}

#[derive(Debug)]
struct Kept {
    tick: UnitTick,
    came: Duration,
    sent: Option<Duration>,
}

impl Units {
    /// `now` since the agent began.
    pub fn came(&mut self, ticks: Vec<UnitTick>, now: Duration) {
        for tick in ticks {
            let key = (tick.route.clone(), tick.rollout.clone(), tick.epoch.clone());
            let count = self.counts.entry(key).or_default();
            count.entry(tick.seq).or_insert(Kept { tick, came: now, sent: None });
            while count.len() as u64 > TICKS_KEPT_S {
                count.pop_first();
            }
        }
        let kept_for = Duration::from_secs(TICKS_KEPT_S);
        self.counts.retain(|_, count| {
            count.retain(|_, kept| now.saturating_sub(kept.came) < kept_for);
            !count.is_empty()
        });
    }

    pub fn taken(&mut self, taken: &[UnitsTaken]) {
        for by in taken {
            let key = (by.route.clone(), by.rollout.clone(), by.epoch.clone());
            if let Some(count) = self.counts.get_mut(&key) {
                *count = count.split_off(&by.seq.saturating_add(1));
                if count.is_empty() {
                    self.counts.remove(&key);
                }
            }
        }
    }

    /// A new session: nothing has been sent in it.
    pub fn connected(&mut self) {
        for kept in self.counts.values_mut().flat_map(|count| count.values_mut()) {
            kept.sent = None;
        }
    }

    /// What is to be sent now, a message at a time, for as long as `send` takes them.
    pub fn send(&mut self, now: Duration, mut send: impl FnMut(Vec<UnitTick>) -> bool) {
        let due = |kept: &&mut Kept| kept.sent.is_none_or(|at| now.saturating_sub(at) >= AGAIN);
        let mut due: Vec<_> = self.counts.values_mut().flat_map(|count| count.values_mut()).filter(due).collect();
        for some in due.chunks_mut(AT_ONCE) {
            if !send(some.iter().map(|kept| kept.tick.clone()).collect()) {
                return;
            }
            for kept in some {
                kept.sent = Some(now);
            }
        }
    }
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

    fn sent(units: &mut Units, now: u64) -> Vec<u64> {
        let mut all = Vec::new();
        units.send(Duration::from_secs(now), |ticks| {
            all.extend(ticks.iter().map(|t| t.seq));
            true
        });
        all
    }

    fn taken(epoch: &str, seq: u64) -> [UnitsTaken; 1] {
        [UnitsTaken { route: "shop/production/default".into(), rollout: "r".into(), epoch: epoch.into(), seq }]
    }

    #[test]
    fn a_tick_is_sent_once_a_session_and_again_where_it_is_not_answered() {
        let mut units = Units::default();
        units.came(vec![tick("a", 1), tick("a", 2)], Duration::ZERO);
        units.send(Duration::ZERO, |_| false);
        assert_eq!(sent(&mut units, 1), [1, 2], "there was no session to send it in");
        assert_eq!(sent(&mut units, 1), [0; 0]);
        units.came(vec![tick("a", 1), tick("a", 2), tick("a", 3)], Duration::from_secs(2));
        assert_eq!(sent(&mut units, 2), [3], "the edge said the others before");
        units.taken(&taken("a", 1));
        units.taken(&taken("b", 9));
        assert_eq!(sent(&mut units, 16), [2]);
        units.connected();
        assert_eq!(sent(&mut units, 16), [2, 3]);
        units.taken(&taken("a", 3));
        units.connected();
        assert_eq!(sent(&mut units, 40), [0; 0]);
        assert!(units.counts.is_empty());
    }

    #[test]
    fn what_nobody_takes_is_kept_for_ten_minutes() {
        let mut units = Units::default();
        for seq in 1..=1_000 {
            units.came(vec![tick("a", seq)], Duration::from_secs(seq));
        }
        assert_eq!(sent(&mut units, 1_000), (401..=1_000).collect::<Vec<_>>());
        units.came((1..=1_000).map(|seq| tick("b", seq)).collect(), Duration::from_secs(1_300));
        units.connected();
        assert_eq!(sent(&mut units, 1_300).len(), 300 + 600);
        units.came(vec![], Duration::from_secs(1_900));
        assert!(units.counts.is_empty());
    }
}
