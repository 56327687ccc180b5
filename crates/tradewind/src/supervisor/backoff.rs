//! How long to wait before a role that died is started again.

use std::time::Duration;

/// A role that lived this long was well: its next death is a first one.
const WELL: Duration = Duration::from_secs(10);
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// The first death costs nothing; one after another cost more and more.
#[derive(Debug, Default)]
pub struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// The wait after a life of this length.
    pub fn after(&mut self, lived: Duration) -> Duration {
        if lived >= WELL {
            self.deaths = 0;
        }
        let wait = match self.deaths {
            0 => Duration::ZERO,
            n => FIRST.saturating_mul(1 << (n - 1).min(16)).min(LONGEST),
        };
        self.deaths = self.deaths.saturating_add(1);
        wait
    }

    /// Deaths in a row without a long life between them.
    pub fn deaths(&self) -> u32 {
        self.deaths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_death_is_free_repeated_ones_wait_longer_and_a_long_life_forgives() {
        let mut b = Backoff::default();
        let short = Duration::from_millis(5);
        let waits: Vec<u128> = (0..8).map(|_| b.after(short).as_millis()).collect();
        assert_eq!(waits, [0, 100, 200, 400, 800, 1600, 3200, 5000]);
        assert_eq!(b.after(WELL), Duration::ZERO);
        assert_eq!(b.after(short).as_millis(), 100);
        assert_eq!(b.deaths(), 2);
    }
}
