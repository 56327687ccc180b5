//! The pure machines of instances and schedules, in schedules of their own.

use proptest::prelude::*;
use std::time::Duration;
use tradewind_agent::{
    instance::{
        decide::{Act, Event, Facts, Machine, ReleaseFact, Remembered, SETTLE, Wish},
        schedule::{self, Scheduled},
    },
    time::Now,
};
use tradewind_model::{
    protocol::agent::{CronOutcome, Exit, InstancePhase},
    said::Said,
    schedule::Calendar,
    time::Timestamp,
    workload::{Schedule, Workload},
};

fn at(ms: u64) -> Now {
    Now { wall: Timestamp::from_millis(1_700_000_000_000 + ms as i64), mono: Duration::from_millis(ms) }
}

fn facts<'a>(wish: Wish, served: bool, workload: &'a Workload) -> Facts<'a> {
    Facts { wish, release: &ReleaseFact::Ready, served, workload }
}

fn died(code: i32) -> Event {
    Event::Ended { exit: Exit::Code { code }, timed_out: false, stopped: false }
}

#[test]
fn the_back_off_doubles_until_it_is_a_crash_loop() {
    let mut workload = crate::world::workload(&[]);
    workload.restart.backoff_min_ms = 100;
    workload.restart.backoff_max_ms = 1_000;
    workload.restart.crash_loop_exits = 4;
    let mut machine = Machine::new(at(0));
    let run = |_| facts(Wish::Run, false, &workload);
    let mut now = 0;
    let mut waits = Vec::new();
    assert_eq!(machine.step(&run(()), Event::Look, at(now)), [Act::Launch]);
    for _ in 0..5 {
        machine.step(&run(()), Event::Started { pid: 1 }, at(now));
        machine.step(&run(()), died(1), at(now));
        let until = machine.wake(&workload).unwrap();
        waits.push((until.as_millis() as u64 - now, machine.view().phase));
        assert!(
            machine.step(&run(()), Event::Look, at(until.as_millis() as u64 - 1)).is_empty(),
            "not before its time"
        );
        now = until.as_millis() as u64;
        assert_eq!(machine.step(&run(()), Event::Look, at(now)), [Act::Launch]);
    }
    use InstancePhase::{Backoff, Failed};
    assert_eq!(waits, [(100, Backoff), (200, Backoff), (400, Backoff), (1_000, Failed), (1_000, Failed)]);
    assert_eq!(machine.view().phase, Failed, "a try in a loop does not make it look alive");
    machine.step(&run(()), Event::Started { pid: 1 }, at(now));
    machine.step(&run(()), Event::Checked(Ok(())), at(now));
    assert_eq!((machine.view().phase, machine.view().restarts), (InstancePhase::Ready, 5));
    // Long after, an exit is a first one again.
    now += 200_000;
    machine.step(&run(()), died(1), at(now));
    assert_eq!(machine.wake(&workload).unwrap().as_millis() as u64 - now, 100);
}

#[test]
fn without_a_check_it_is_ready_when_it_has_lived_a_while() {
    let mut workload = crate::world::workload(&[]);
    workload.health = None;
    let mut machine = Machine::new(at(0));
    let run = facts(Wish::Run, false, &workload);
    machine.step(&run, Event::Look, at(0));
    machine.step(&run, Event::Started { pid: 1 }, at(10));
    assert_eq!(machine.wake(&workload), Some(Duration::from_millis(10) + SETTLE));
    machine.step(&run, Event::Look, at(400));
    assert_eq!(machine.view().phase, InstancePhase::Starting);
    machine.step(&run, Event::Look, at(510));
    assert_eq!(machine.view().phase, InstancePhase::Ready);
}

#[test]
fn one_that_is_wanted_again_while_it_drains_was_never_gone() {
    let workload = crate::world::workload(&[]);
    let mut machine = Machine::adopted(Remembered { ready: true, ..Remembered::default() }, Some(7), at(0));
    assert_eq!(machine.view().phase, InstancePhase::Ready, "as it was left");
    assert!(machine.step(&facts(Wish::Stopped, true, &workload), Event::Look, at(1)).is_empty());
    assert_eq!(machine.view().phase, InstancePhase::Draining);
    machine.step(&facts(Wish::Run, true, &workload), Event::Look, at(2));
    assert_eq!(machine.view().phase, InstancePhase::Ready);
    // And one that never stops draining is signalled when its time is over.
    machine.step(&facts(Wish::Gone, true, &workload), Event::Look, at(3));
    let until = machine.wake(&workload).unwrap();
    let acts = machine.step(&facts(Wish::Gone, true, &workload), Event::Look, Now { mono: until, ..at(3) });
    assert_eq!(acts, [Act::Stop { signal: 15, grace_ms: 10_000 }]);
    assert_eq!(machine.step(&facts(Wish::Gone, false, &workload), died(0), at(9)), [Act::Clean]);
}

#[derive(Clone, Debug)]
enum Happening {
    Wish(Wish),
    Served(bool),
    Pass,
    Fail,
    Dies,
    Time(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        prop_oneof![Just(Wish::Run), Just(Wish::Run), Just(Wish::Stopped)].prop_map(Happening::Wish),
        any::<bool>().prop_map(Happening::Served),
        Just(Happening::Pass),
        Just(Happening::Fail),
        Just(Happening::Dies),
        (0..30_000u64).prop_map(Happening::Time),
    ]
}

proptest! {
    #[test]
    fn no_order_of_things_starts_two_processes_or_signals_a_served_one_early(
        happenings in prop::collection::vec(happening(), 0..80),
        launch_fails in prop::collection::vec(prop::option::of(any::<bool>()), 80),
    ) {
        let workload = crate::world::workload(&[]);
        let (mut wish, mut served, mut now) = (Wish::Run, false, 0);
        let mut alive = false;
        let mut draining_since = None;
        let mut launches = launch_fails.into_iter();
        let mut machine = Machine::new(at(0));
        let ending = [Happening::Served(false), Happening::Wish(Wish::Gone), Happening::Time(1), Happening::Dies];
        let mut gone = false;
        for happening in happenings.into_iter().chain(ending) {
            let mut event = Event::Look;
            match happening {
                Happening::Wish(w) => wish = w,
                Happening::Served(s) => served = s,
                Happening::Time(ms) => now += ms,
                Happening::Pass => event = Event::Checked(Ok(())),
                Happening::Fail => event = Event::Checked(Err(Said::plain("no"))),
                Happening::Dies if alive => {
                    alive = false;
                    event = died(1);
                }
                Happening::Dies => {}
            }
            let mut next = Some(event);
            while let Some(event) = next.take() {
                for act in machine.step(&facts(wish, served, &workload), event, at(now)) {
                    match act {
                        Act::Launch => {
                            prop_assert!(!alive, "a second process");
                            prop_assert_eq!(wish, Wish::Run);
                            next = Some(match launches.next().flatten() {
                                Some(passing) => Event::NotStarted { reason: Said::plain("no"), passing },
                                None => {
                                    alive = true;
                                    Event::Started { pid: 1 }
                                }
                            });
                        }
                        Act::Stop { .. } => {
                            prop_assert!(alive && wish != Wish::Run);
                            let drained = draining_since.is_some_and(|since| now >= since + workload.stop.drain_ms);
                            prop_assert!(!served || drained, "signalled with requests in flight");
                        }
                        Act::Clean => {
                            prop_assert!(!alive);
                            gone = true;
                        }
                    }
                }
                let phase = machine.view().phase;
                // Between a start and the word of it, the machine waits.
                prop_assert!(next.is_some() || machine.view().pid.is_some() == alive);
                prop_assert!(phase != InstancePhase::Ready || (alive && wish == Wish::Run));
                draining_since = match phase {
                    InstancePhase::Draining => draining_since.or(Some(now)),
                    _ => None,
                };
            }
        }
        // `Dies` ends what was signalled.
        prop_assert!(gone || alive, "{:?}", machine.view());
    }
}

fn schedule() -> Schedule {
    Schedule { expression: "*/5 * * * *".into(), timezone: "Asia/Shanghai".into(), timeout_ms: 60_000 }
}

fn wall(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp(at.as_microsecond())
}

fn on(text: &str) -> Now {
    Now { wall: wall(text), mono: Duration::from_secs(1) }
}

#[test]
fn due_times_are_reckoned_where_the_schedule_lives() {
    let daily = Schedule { expression: "30 2 * * *".into(), timezone: "America/New_York".into(), timeout_ms: 1 };
    let calendar = Calendar::new(&daily).unwrap();
    let next = |from: &str| calendar.next(wall(from)).unwrap().to_rfc3339();
    assert_eq!(next("2026-01-10T00:00:00Z"), "2026-01-10T07:30:00.000000Z");
    assert_eq!(next("2026-07-10T00:00:00Z"), "2026-07-10T06:30:00.000000Z", "summer time");
    for bad in [
        Schedule { expression: "61 * * * *".into(), ..daily.clone() },
        Schedule { timezone: "Nowhere".into(), ..daily.clone() },
    ] {
        assert!(Calendar::new(&bad).is_err());
    }
}

#[test]
fn a_due_time_runs_once_and_overlaps_are_skipped() {
    let workload = crate::world::workload(&[]);
    let run = facts(Wish::Run, false, &workload);
    let mut cron = Scheduled::new(&schedule(), schedule::Remembered::default(), None, on("2026-01-01T00:01:00Z"));
    assert!(cron.step(&run, Event::Look, on("2026-01-01T00:01:00Z")).is_empty());
    assert_eq!(cron.step(&run, Event::Look, on("2026-01-01T00:05:00Z")), [Act::Launch]);
    cron.step(&run, Event::Started { pid: 1 }, on("2026-01-01T00:05:00Z"));
    assert!(cron.step(&run, Event::Look, on("2026-01-01T00:10:01Z")).is_empty(), "one works");
    cron.step(
        &run,
        Event::Ended { exit: Exit::Signal { signal: 15 }, timed_out: true, stopped: false },
        on("2026-01-01T00:11:00Z"),
    );
    // The clock goes back over what has run, and forward over several.
    assert!(cron.step(&run, Event::Look, on("2026-01-01T00:04:00Z")).is_empty());
    assert!(cron.step(&run, Event::Look, on("2026-01-01T00:06:00Z")).is_empty(), "00:05 has run");
    assert_eq!(cron.step(&run, Event::Look, on("2026-01-01T00:31:00Z")), [Act::Launch]);
    let outcomes: Vec<_> =
        cron.remembered().runs.iter().map(|r| (r.due_at.to_rfc3339()[11..16].to_owned(), r.outcome.clone())).collect();
    let skipped = |at: &str| (at.to_owned(), CronOutcome::Skipped);
    assert_eq!(
        outcomes,
        [
            ("00:05".to_owned(), CronOutcome::TimedOut),
            skipped("00:10"),
            skipped("00:15"),
            skipped("00:20"),
            skipped("00:25"),
            ("00:30".to_owned(), CronOutcome::Running),
        ]
    );
}

#[test]
fn what_was_due_long_ago_is_skipped_and_the_history_is_bounded() {
    let workload = crate::world::workload(&[]);
    let run = facts(Wish::Run, false, &workload);
    let kept = schedule::Remembered { considered: Some(wall("2020-01-01T00:00:00Z")), ..Default::default() };
    let daily = Schedule { expression: "0 0 * * *".into(), ..schedule() };
    let mut cron = Scheduled::new(&daily, kept, None, on("2026-01-01T12:00:00Z"));
    assert!(cron.step(&run, Event::Look, on("2026-01-01T12:00:00Z")).is_empty(), "hours late");
    assert_eq!(cron.remembered().runs.len(), 1, "only the last day's");
    let mut cron = Scheduled::new(&schedule(), schedule::Remembered::default(), None, on("2026-01-01T00:00:00Z"));
    cron.step(&run, Event::Look, on("2026-01-01T00:00:30Z"));
    for n in 1..40 {
        let now = Now { wall: wall("2026-01-01T00:00:00Z").plus(Duration::from_secs(300 * n)), mono: Duration::ZERO };
        assert_eq!(cron.step(&run, Event::Look, now), [Act::Launch]);
        cron.step(&run, Event::Started { pid: 1 }, now);
        cron.step(&run, died(0), now);
    }
    assert_eq!(cron.remembered().runs.len(), 20);
}

#[test]
fn a_run_that_was_stopped_says_nothing_of_its_release() {
    let workload = crate::world::workload(&[]);
    let (run, rest) = (facts(Wish::Run, false, &workload), facts(Wish::Stopped, false, &workload));
    let began = || {
        let mut cron = Scheduled::new(&schedule(), schedule::Remembered::default(), None, on("2026-01-01T00:01:00Z"));
        cron.step(&run, Event::Look, on("2026-01-01T00:01:00Z"));
        assert_eq!(cron.step(&run, Event::Look, on("2026-01-01T00:05:00Z")), [Act::Launch]);
        cron.step(&run, Event::Started { pid: 1 }, on("2026-01-01T00:05:00Z"));
        cron
    };
    let ended = |exit: Exit, timed_out, stopped| {
        let mut cron = began();
        cron.step(&rest, Event::Ended { exit, timed_out, stopped }, on("2026-01-01T00:05:09Z"));
        cron.remembered().runs[0].failed()
    };
    assert_eq!(ended(Exit::Code { code: 0 }, false, false), Some(false));
    assert_eq!(ended(Exit::Code { code: 3 }, false, false), Some(true));
    assert_eq!(ended(Exit::Signal { signal: 9 }, false, false), Some(true));
    assert_eq!(ended(Exit::Unknown, false, false), Some(true), "never taken for success");
    assert_eq!(ended(Exit::Signal { signal: 9 }, true, true), Some(true), "it was too long before it was stopped");
    assert_eq!(ended(Exit::Signal { signal: 15 }, false, true), None);
    assert_eq!(ended(Exit::Code { code: 0 }, false, true), None);
    let mut cron = Scheduled::new(&schedule(), schedule::Remembered::default(), None, on("2026-01-01T00:01:00Z"));
    cron.step(&run, Event::Look, on("2026-01-01T00:01:00Z"));
    cron.step(&run, Event::Look, on("2026-01-01T00:05:00Z"));
    cron.step(&run, Event::NotStarted { reason: Said::plain("no"), passing: true }, on("2026-01-01T00:05:00Z"));
    assert_eq!(cron.remembered().runs[0].failed(), Some(true), "it could not start");
    assert_eq!(began().remembered().runs[0].failed(), None, "it works");
}

#[test]
fn an_end_that_an_agent_finds_is_of_the_run_it_left_or_of_none() {
    let workload = crate::world::workload(&[]);
    let run = facts(Wish::Run, false, &workload);
    let mut first = Scheduled::new(&schedule(), schedule::Remembered::default(), None, on("2026-01-01T00:01:00Z"));
    first.step(&run, Event::Look, on("2026-01-01T00:01:00Z"));
    first.step(&run, Event::Look, on("2026-01-01T00:05:00Z"));
    first.step(&run, Event::Started { pid: 1 }, on("2026-01-01T00:05:00Z"));
    first.step(&run, died(0), on("2026-01-01T00:05:09Z"));
    // Killed between the record of the next run and its beginning.
    assert_eq!(first.step(&run, Event::Look, on("2026-01-01T00:10:00Z")), [Act::Launch]);
    let next = |ended: Option<&str>| {
        let now = on("2026-01-01T00:11:00Z");
        let mut cron = Scheduled::new(&schedule(), first.remembered().clone(), None, now);
        cron.settle(ended.map(wall));
        if ended.is_some() {
            cron.step(&run, died(3), now);
        }
        cron.remembered().runs.iter().map(|r| r.outcome.clone()).collect::<Vec<_>>()
    };
    let failed = CronOutcome::Failed { exit: Exit::Code { code: 3 } };
    assert_eq!(next(None), [CronOutcome::Succeeded, CronOutcome::Skipped]);
    assert_eq!(next(Some("2026-01-01T00:05:08Z")), [CronOutcome::Succeeded, CronOutcome::Skipped]);
    assert_eq!(next(Some("2026-01-01T00:10:04Z")), [CronOutcome::Succeeded, failed]);
}
