//! When a schedule comes due.

use crate::{time::Timestamp, workload::Schedule};
use croner::Cron;
use jiff::{
    Zoned,
    tz::{TimeZone, TimeZoneDatabase},
};
use std::{str::FromStr, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);
/// As far as is looked ahead to say how often a schedule comes due.
const AHEAD: Duration = Duration::from_secs(28 * 86_400);
const MOST_DUE: usize = 2_000;

/// A schedule that can be reckoned with.
#[derive(Debug)]
pub struct Calendar {
    cron: Cron,
    zone: TimeZone,
}

/// Why a schedule cannot be reckoned with.
#[derive(Debug, thiserror::Error)]
pub enum BadSchedule {
    #[error(transparent)]
    Expression(#[from] croner::errors::CronError),
    #[error(transparent)]
    Zone(#[from] jiff::Error),
}

impl Calendar {
    /// Time zones are those of the database that is built in: a schedule means the same on every machine.
    pub fn new(schedule: &Schedule) -> Result<Self, BadSchedule> {
        let cron = Cron::from_str(&schedule.expression)?;
        let zone = TimeZoneDatabase::bundled().get(&schedule.timezone)?;
        Ok(Self { cron, zone })
    }

    /// The first due time after `after`; none when there never is another.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_microsecond(after.0).ok()?;
        let next = self.cron.find_next_occurrence(&Zoned::new(after, self.zone.clone()), false).ok()?;
        Some(Timestamp(next.timestamp().as_microsecond()))
    }

    /// How often it comes due a day: over the next four weeks, or less where that is often.
    pub fn per_day(&self, from: Timestamp) -> f64 {
        let due: Vec<Timestamp> = std::iter::successors(self.next(from), |at| self.next(*at))
            .take_while(|at| at.since(from) <= AHEAD)
            .take(MOST_DUE)
            .collect();
        match due[..] {
            // From one to the next: nobody knows how long before the first the one before it was.
            [first, .., last] if due.len() == MOST_DUE => {
                (due.len() - 1) as f64 / last.since(first).div_duration_f64(DAY)
            }
            _ => due.len() as f64 / AHEAD.div_duration_f64(DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(expression: &str, timezone: &str) -> Calendar {
        Calendar::new(&Schedule { expression: expression.into(), timezone: timezone.into(), timeout_ms: 1 }).unwrap()
    }

    #[test]
    fn due_times_are_counted() {
        let of = |expression: &str| calendar(expression, "Asia/Shanghai").per_day(Timestamp(300_000));
        let all = ["* * * * *", "*/5 * * * *", "*/15 * * * * *", "0 3 * * *", "30 4 * * mon", "0 0 1 1 *"].map(of);
        assert_eq!(all, [1_440.0, 288.0, 5_760.0, 1.0, 1.0 / 7.0, 0.0]);
    }
}
