//! Runs of cron services whose revisions are compared: each counted once, and kept until the server has it. Pure.
//!
//! **Once.** An instance's history is on disk before anything is said of it; what of it was counted is on disk before a tick is
//! sent. So an agent that is killed loses no run and counts none twice: the next one finds in the histories what is in no tick
//! yet, and says the ticks again that nobody has answered. Days without a run are no gap.
//!
//! **Together.** Runs that were due at the same time make one tick, when the last of them has ended. Were each told as it ends,
//! those that fail at once would be told without the others they are to be compared with.

use crate::scrape::meter::Arm;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tradewind_model::{
    id::{InstanceId, Place, RevisionId},
    protocol::{
        agent::{CronOutcome, CronRun},
        trial::{CountedRuns, Feed, TICKS_KEPT_S, UnitCounts, UnitTick, UnitsTaken},
    },
    time::Timestamp,
};

/// By then every instance that is to run at a due time has begun.
const SETTLE: Duration = Duration::from_secs(2);
/// Ticks kept for the server.
const MOST: usize = TICKS_KEPT_S as usize;

/// An instance's history, as it is on disk.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    pub instance: InstanceId,
    pub place: &'a Place,
    pub revision: RevisionId,
    /// Bounded: no more than these can come between two looks.
    pub runs: &'a [CronRun],
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    trials: Vec<Trial>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Trial {
    of: CountedRuns,
    /// Names this start of counting.
    epoch: String,
    seq: u64,
    /// Due times of runs that are counted, or had ended before; as far as the instance's history still has them.
    counted: BTreeMap<InstanceId, BTreeSet<Timestamp>>,
    /// Ended and in no tick yet, by due time.
    open: Vec<Cohort>,
    /// The server has not said that it has them.
    ticks: Vec<UnitTick>,
}

/// Runs of one due time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Cohort {
    due_at: Timestamp,
    canary: Ended,
    baseline: Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Ended {
    runs: u64,
    failed: u64,
}

impl Ended {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.failed += other.failed;
    }

    fn counts(self) -> UnitCounts {
        UnitCounts { n: vec![self.runs], x: vec![self.failed], ..UnitCounts::default() }
    }
}

impl Tally {
    /// Counts for these from now on, and for nobody else. What had ended before is nobody's.
    pub fn follow(&mut self, wanted: &[CountedRuns], histories: &[History<'_>], epoch: impl Fn() -> String) {
        self.trials.retain(|trial| wanted.contains(&trial.of));
        for of in wanted {
            if self.trials.iter().any(|trial| trial.of == *of) {
                continue;
            }
            let (of, epoch) = (of.clone(), epoch());
            let mut trial = Trial { of, epoch, seq: 0, counted: BTreeMap::new(), open: Vec::new(), ticks: Vec::new() };
            histories.iter().for_each(|history| trial.look(history));
            trial.open.clear();
            self.trials.push(trial);
        }
        histories.iter().for_each(|history| self.saw(history));
    }

    pub fn saw(&mut self, history: &History<'_>) {
        self.trials.iter_mut().for_each(|trial| trial.look(history));
    }

    /// Makes ticks of the due times whose runs have all ended.
    pub fn cut(&mut self, histories: &[History<'_>], now: Timestamp) {
        self.trials.iter_mut().for_each(|trial| trial.cut(histories, now));
    }

    /// What is to be said until it is taken.
    pub fn ticks(&self) -> Vec<UnitTick> {
        self.trials.iter().flat_map(|trial| &trial.ticks).cloned().collect()
    }

    pub fn taken(&mut self, taken: &[UnitsTaken]) {
        for by in taken {
            if let Some(trial) = self.trials.iter_mut().find(|trial| trial.epoch == by.epoch) {
                trial.ticks.retain(|tick| tick.seq > by.seq);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }
}

impl Trial {
    fn arm(&self, history: &History<'_>) -> Option<Arm> {
        let is = |revision| *history.place == self.of.place && history.revision == revision;
        if is(self.of.canary) { Some(Arm::Canary) } else { is(self.of.baseline).then_some(Arm::Baseline) }
    }

    fn look(&mut self, history: &History<'_>) {
        let Some(arm) = self.arm(history) else { return };
        let counted = self.counted.entry(history.instance).or_default();
        counted.retain(|due_at| history.runs.iter().any(|run| run.due_at == *due_at));
        for run in history.runs {
            if let Some(failed) = run.failed()
                && counted.insert(run.due_at)
            {
                let place = self.open.partition_point(|cohort| cohort.due_at < run.due_at);
                if self.open.get(place).is_none_or(|cohort| cohort.due_at != run.due_at) {
                    let none = Ended::default();
                    self.open.insert(place, Cohort { due_at: run.due_at, canary: none, baseline: none });
                }
                self.open[place].of(arm).add(Ended { runs: 1, failed: failed.into() });
            }
        }
    }

    fn cut(&mut self, histories: &[History<'_>], now: Timestamp) {
        let ours = histories.iter().filter(|history| self.arm(history).is_some());
        let working = ours.flat_map(|history| history.runs).filter(|run| run.outcome == CronOutcome::Running);
        let working: BTreeSet<Timestamp> = working.map(|run| run.due_at).collect();
        // Either way: the clock may have been set back.
        let apart = |at: Timestamp| now.since(at).max(at.since(now));
        let over = |cohort: &Cohort| apart(cohort.due_at) >= SETTLE && !working.contains(&cohort.due_at);
        let mut rest: Option<Cohort> = None;
        for cohort in self.open.extract_if(.., |cohort| over(cohort)).collect::<Vec<_>>() {
            match &mut rest {
                _ if self.ticks.len() < MOST => self.tell(&cohort, now),
                // Nobody takes them: what comes now is told as one.
                Some(rest) => {
                    rest.canary.add(cohort.canary);
                    rest.baseline.add(cohort.baseline);
                }
                None => rest = Some(cohort),
            }
        }
        self.open.splice(0..0, rest);
    }

    fn tell(&mut self, cohort: &Cohort, at: Timestamp) {
        let (canary, baseline) = (cohort.canary.counts(), cohort.baseline.counts());
        self.seq += 1;
        self.ticks.push(UnitTick {
            route: self.of.place.to_string(),
            rollout: self.of.rollout.clone(),
            epoch: self.epoch.clone(),
            seq: self.seq,
            at,
            feed: Feed::Runs,
            sampled: 0,
            canary,
            baseline,
        });
    }
}

impl Cohort {
    fn of(&mut self, arm: Arm) -> &mut Ended {
        match arm {
            Arm::Canary => &mut self.canary,
            Arm::Baseline => &mut self.baseline,
        }
    }
}
