//! Runs are counted once, in ticks of whole due times, whoever is killed meanwhile.

use crate::world::{place, revision, unique};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tradewind_agent::instance::tally::{History, Tally};
use tradewind_model::{
    id::{InstanceId, Place},
    protocol::{
        agent::{CronOutcome, CronRun, Exit},
        trial::{CountedRuns, Feed, UnitsTaken},
    },
    time::Timestamp,
};

fn at(s: u64) -> Timestamp {
    Timestamp(0).plus(Duration::from_secs(s))
}

fn run(due: u64, outcome: CronOutcome) -> CronRun {
    CronRun { due_at: at(due), started_at: Some(at(due)), finished_at: None, outcome, stopped: false }
}

fn failed() -> CronOutcome {
    CronOutcome::Failed { exit: Exit::Code { code: 3 } }
}

fn trial() -> CountedRuns {
    CountedRuns { place: place(), rollout: "r".into(), canary: revision(2), baseline: revision(1) }
}

/// Instance 0 is the canary's, the others the baseline's.
#[derive(Default)]
struct Host {
    runs: [Vec<CronRun>; 3],
}

impl Host {
    fn histories<'a>(&'a self, place: &'a Place) -> Vec<History<'a>> {
        let of = |(i, runs): (usize, &'a Vec<CronRun>)| History {
            instance: InstanceId(unique(i as u128)),
            place,
            revision: revision(if i == 0 { 2 } else { 1 }),
            runs,
        };
        self.runs.iter().enumerate().map(of).collect()
    }

    fn follow(&self, tally: &mut Tally, wanted: &[CountedRuns]) {
        tally.follow(wanted, &self.histories(&place()), || "epoch".into());
    }

    fn cut(&self, tally: &mut Tally, now: u64) {
        tally.cut(&self.histories(&place()), at(now));
    }
}

/// Runs, and those of them that failed.
type Runs = (u64, u64);

/// A tick's number, the canary's runs and the baseline's.
fn told(tally: &Tally) -> Vec<(u64, Runs, Runs)> {
    let ticks = tally.ticks();
    assert!(ticks.iter().all(|t| t.feed == Feed::Runs && t.route == "shop/production/default" && t.rollout == "r"));
    ticks.iter().map(|t| (t.seq, (t.canary.n[0], t.canary.x[0]), (t.baseline.n[0], t.baseline.x[0]))).collect()
}

fn taken(seq: u64) -> [UnitsTaken; 1] {
    let (route, rollout) = ("shop/production/default".into(), "r".into());
    [UnitsTaken { route, rollout, epoch: "epoch".into(), seq }]
}

#[test]
fn a_due_time_is_told_when_all_of_it_has_ended() {
    let (mut host, mut tally) = (Host::default(), Tally::default());
    host.runs[1].push(run(60, failed()));
    host.follow(&mut tally, &[trial()]);
    host.cut(&mut tally, 100);
    assert_eq!(told(&tally), [], "what ended before is nobody's");

    host.runs[0].push(run(120, failed()));
    host.runs[1].push(run(120, CronOutcome::Running));
    host.runs[2].push(run(120, CronOutcome::Skipped));
    host.follow(&mut tally, &[trial()]);
    host.cut(&mut tally, 170);
    assert_eq!(told(&tally), [], "one still works");
    host.runs[1].last_mut().unwrap().outcome = CronOutcome::Succeeded;
    for _ in 0..3 {
        host.follow(&mut tally, &[trial()]);
        host.cut(&mut tally, 175);
    }
    assert_eq!(told(&tally), [(1, (1, 1), (1, 0))]);

    // Days later, with the clock set back meanwhile; what Tradewind ended itself is no evidence.
    let stopped = CronRun { stopped: true, ..run(90_000, failed()) };
    host.runs[0].push(stopped);
    host.runs[1].push(run(90_000, CronOutcome::TimedOut));
    host.follow(&mut tally, &[trial()]);
    host.cut(&mut tally, 90_001);
    assert_eq!(told(&tally).len(), 1, "somebody may be about to begin");
    host.cut(&mut tally, 80_000);
    assert_eq!(told(&tally)[1..], [(2, (0, 0), (1, 1))]);
    tally.taken(&taken(1));
    assert_eq!(told(&tally), [(2, (0, 0), (1, 1))]);
    host.follow(&mut tally, &[]);
    assert!(tally.is_empty() && told(&tally).is_empty());
}

#[test]
fn what_nobody_takes_becomes_fewer_and_larger_ticks_and_none_is_lost() {
    let (mut host, mut tally) = (Host::default(), Tally::default());
    host.follow(&mut tally, &[trial()]);
    for due in 1..=2_000 {
        for runs in &mut host.runs {
            runs.push(run(due, CronOutcome::Succeeded));
            runs.drain(..runs.len().saturating_sub(20));
        }
        host.follow(&mut tally, &[trial()]);
        host.cut(&mut tally, due + 5);
    }
    assert_eq!(told(&tally).len(), 600);
    tally.taken(&taken(600));
    host.cut(&mut tally, 3_000);
    assert_eq!(told(&tally), [(601, (1_400, 0), (2_800, 0))]);
}

/// What may happen in a second, for each instance and for agent and server.
#[derive(Clone, Debug)]
struct Second {
    /// Whether a run begins, fails, is over.
    runs: [(bool, bool, bool); 3],
    killed: bool,
    heard: bool,
    answered: bool,
}

fn second() -> impl Strategy<Value = Second> {
    let runs = proptest::array::uniform3((any::<bool>(), proptest::bool::weighted(0.3), any::<bool>()));
    let rarely = || proptest::bool::weighted(0.2);
    (runs, rarely(), any::<bool>(), any::<bool>()).prop_map(|(runs, killed, heard, answered)| Second {
        runs,
        killed,
        heard,
        answered,
    })
}

proptest! {
    #[test]
    fn each_run_counts_once_whoever_is_killed(seconds in proptest::collection::vec(second(), 1..120)) {
        let mut host = Host::default();
        let mut tally = Tally::default();
        host.follow(&mut tally, &[trial()]);
        let mut saved = serde_json::to_string(&tally).unwrap();
        // By number, as the server keeps them: once each.
        let mut server: BTreeMap<u64, [Runs; 2]> = BTreeMap::new();
        let mut truth = [(0, 0); 2];
        let calm = Second { runs: [(false, false, true); 3], killed: false, heard: true, answered: true };
        let end = std::iter::repeat_n(calm, 5);
        for (now, s) in (10..).zip(seconds.into_iter().chain(end)) {
            for (i, (begins, fails, over)) in s.runs.into_iter().enumerate() {
                let runs = &mut host.runs[i];
                if let Some(working) = runs.last_mut().filter(|r| over && r.outcome == CronOutcome::Running) {
                    working.outcome = if fails { failed() } else { CronOutcome::Succeeded };
                    let sum = &mut truth[usize::from(i > 0)];
                    *sum = (sum.0 + 1, sum.1 + u64::from(fails));
                }
                if begins && runs.last().is_none_or(|r| r.outcome != CronOutcome::Running) {
                    runs.push(run(now, CronOutcome::Running));
                    runs.drain(..runs.len().saturating_sub(20));
                }
            }
            if s.killed {
                tally = serde_json::from_str(&saved).unwrap();
            }
            host.follow(&mut tally, &[trial()]);
            if s.killed && s.heard {
                tally = serde_json::from_str(&saved).unwrap();
                host.follow(&mut tally, &[trial()]);
            }
            host.cut(&mut tally, now);
            saved = serde_json::to_string(&tally).unwrap();
            if s.heard {
                for (seq, canary, baseline) in told(&tally) {
                    let before = server.insert(seq, [canary, baseline]);
                    prop_assert!(before.is_none_or(|b| b == [canary, baseline]), "what is said again is the same");
                }
            }
            if let Some(last) = server.keys().next_back().filter(|_| s.answered) {
                tally.taken(&taken(*last));
            }
        }
        let numbers: BTreeSet<u64> = server.keys().copied().collect();
        prop_assert_eq!(numbers.len() as u64, numbers.last().copied().unwrap_or(0), "no gap");
        let sums = server.values().fold([(0, 0); 2], |all, tick| {
            [0, 1].map(|i| (all[i].0 + tick[i].0, all[i].1 + tick[i].1))
        });
        prop_assert_eq!(sums, truth);
    }
}
