//! What goes on in the background, and how it fares: each loop says so after every round, and whoever looks after the
//! control plane reads it. It is known to this process only, and since it began.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};
use tradewind_model::{fault, time::Timestamp};

/// A loop of the control plane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Loop {
    Rollouts,
    Runs,
    /// Branches held against runs.
    Pushes,
    /// What forges delivered.
    Deliveries,
    /// What forges are told.
    Statuses,
    Collector,
    Checkpoints,
    /// Checkpoints on their way to where they are kept.
    Sinks,
    /// Events past their time.
    Retention,
    /// Certificates that end soon.
    Certificates,
    /// Certificates that are asked for.
    Authority,
    Backups,
}

impl Loop {
    /// For programs: stays what it is.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rollouts => "rollouts",
            Self::Runs => "runs",
            Self::Pushes => "pushes",
            Self::Deliveries => "deliveries",
            Self::Statuses => "statuses",
            Self::Collector => "collector",
            Self::Checkpoints => "checkpoints",
            Self::Sinks => "sinks",
            Self::Retention => "retention",
            Self::Certificates => "certificates",
            Self::Authority => "authority",
            Self::Backups => "backups",
        }
    }
}

/// How a loop fares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// When its last round ended.
    pub at: Timestamp,
    /// The longest pause until the next.
    pub every: Duration,
    /// Since when every round failed, and why the last one did.
    pub failing: Option<(Timestamp, String)>,
}

impl Round {
    /// It should have ended another round long ago: it hangs, or its task has ended.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        now.since(self.at) > self.every * 3 + PATIENCE
    }
}

/// A round takes time, and a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Default)]
pub struct Rounds(Mutex<BTreeMap<Loop, Round>>);

impl Rounds {
    /// A round has ended; the next begins within `every`.
    pub fn note<T, E: std::error::Error>(&self, which: Loop, at: Timestamp, every: Duration, done: &Result<T, E>) {
        let why = done.as_ref().err().map(|e| fault::chain(e));
        let mut rounds = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let since = rounds.get(&which).and_then(|r| r.failing.as_ref()).map_or(at, |(since, _)| *since);
        rounds.insert(which, Round { at, every, failing: why.map(|why| (since, why)) });
    }

    pub fn all(&self) -> BTreeMap<Loop, Round> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_fails_since_its_first_failure_and_not_longer_than_until_it_succeeds() {
        let rounds = Rounds::default();
        let failed = || Err::<(), _>(std::io::Error::other("no room"));
        let every = Duration::from_secs(10);
        let at = |s: i64| Timestamp(s * 1_000_000);
        rounds.note(Loop::Runs, at(1), every, &failed());
        rounds.note(Loop::Runs, at(2), every, &failed());
        let of = |rounds: &Rounds| rounds.all().remove(&Loop::Runs).unwrap();
        assert_eq!(of(&rounds).failing, Some((at(1), "no room".to_owned())));
        assert!(!of(&rounds).is_overdue(at(100)));
        assert!(of(&rounds).is_overdue(at(200)));
        rounds.note(Loop::Runs, at(3), every, &Ok::<_, std::io::Error>(()));
        assert_eq!(of(&rounds), Round { at: at(3), every, failing: None });
        rounds.note(Loop::Runs, at(4), every, &failed());
        assert_eq!(of(&rounds).failing.unwrap().0, at(4));
    }
}
