//! Wrong codes and passwords, counted by where they come from and by the account they are meant for.

use std::{collections::HashMap, hash::Hash, sync::Mutex, time::Duration};
use tradewind_model::time::Timestamp;

const WINDOW: Duration = Duration::from_secs(60);
/// Wrong codes from one address within the window.
const MOST_EACH: u32 = 5;
/// Wrong codes from everywhere within the window: many addresses together get no further.
const MOST_TOGETHER: u32 = 100;
/// Addresses remembered. More cannot be reached without the sum being reached first.
const MOST_ADDRESSES: usize = 1024;

#[derive(Clone, Copy)]
struct Tries {
    since: Timestamp,
    wrong: u32,
}

impl Tries {
    fn at(now: Timestamp) -> Self {
        Self { since: now, wrong: 0 }
    }

    /// Seconds to wait when `most` is reached; starts anew when the window is over.
    fn wait(&mut self, most: u32, now: Timestamp) -> Option<u64> {
        let past = now.since(self.since);
        if past >= WINDOW || now < self.since {
            *self = Self::at(now);
        }
        (self.wrong >= most).then(|| (WINDOW.saturating_sub(past)).as_secs().max(1))
    }
}

/// Kept in memory: a restart forgets, and a restart takes longer than the window gains.
pub struct Throttle<K>(Mutex<(Tries, HashMap<K, Tries>)>);

impl<K> Default for Throttle<K> {
    fn default() -> Self {
        Self(Mutex::new((Tries::at(Timestamp(0)), HashMap::new())))
    }
}

impl<K: Eq + Hash> Throttle<K> {
    /// Takes a try, before the code is looked at; `Err` is how many seconds to wait. [`Self::was_right`] gives it back.
    pub fn take(&self, from: K, now: Timestamp) -> Result<(), u64> {
        let mut guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (together, each) = &mut *guard;
        if let Some(seconds) = together.wait(MOST_TOGETHER, now) {
            return Err(seconds);
        }
        if each.len() >= MOST_ADDRESSES {
            each.retain(|_, t| now.since(t.since) < WINDOW);
        }
        let mine = each.entry(from).or_insert(Tries::at(now));
        if let Some(seconds) = mine.wait(MOST_EACH, now) {
            return Err(seconds);
        }
        mine.wrong += 1;
        together.wrong += 1;
        Ok(())
    }

    pub fn was_right(&self, from: K) {
        let mut guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (together, each) = &mut *guard;
        each.remove(&from);
        together.wrong = together.wrong.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn secs(s: i64) -> Timestamp {
        Timestamp(s * 1_000_000)
    }

    #[test]
    fn an_address_waits_after_five_and_others_do_not() {
        let t = Throttle::default();
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..5 {
            t.take(a, secs(1000)).unwrap();
        }
        assert_eq!(t.take(a, secs(1010)), Err(50));
        assert_eq!(t.take(b, secs(1010)), Ok(()));
        t.was_right(b);
        assert_eq!(t.take(a, secs(1060)), Ok(()), "the window is over");
        assert_eq!(t.take(a, secs(900)), Ok(()), "a clock that jumped back locks nobody out");
    }

    #[test]
    fn many_addresses_together_are_held_too() {
        let t = Throttle::default();
        let ip = |n: u8| IpAddr::from([10, 0, 1, n]);
        for n in 0..100 {
            t.take(ip(n), secs(1000)).unwrap();
        }
        for n in 100..=200 {
            assert!(t.take(ip(n), secs(1001)).is_err());
        }
        assert_eq!(t.0.lock().unwrap().1.len(), 100, "one who is held is not remembered");
    }
}
