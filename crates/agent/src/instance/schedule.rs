//! A cron service's life between its due times. Pure, like [`super::decide`], and with the same events and acts.
//!
//! A due time runs at most once, named by itself. One that comes while a run works is skipped and recorded, and so is
//! one that nobody was there for, unless it is not long past. A clock that jumps over several runs the last of them.

use super::decide::{Act, Event, Facts, ReleaseFact, View, Wish};
use crate::{faults, time::Now};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tradewind_model::{
    fault::Fault,
    protocol::agent::{CronOutcome, CronRun, Exit, InstancePhase},
    said,
    said::Said,
    schedule::{BadSchedule, Calendar},
    time::Timestamp,
    workload::Schedule,
};

/// Runs kept in the history.
const KEPT: usize = 20;
/// A due time later than this is skipped: the next one is worth more than a late one.
const LATEST: Duration = Duration::from_secs(300);
/// The clock is read again at least this often, in case it jumped.
const LOOK: Duration = Duration::from_secs(20);
/// What was due longer ago is not even recorded.
const LOOK_BACK: Duration = Duration::from_secs(24 * 3600);
/// Due times recorded as skipped at once, after a long absence.
const MOST_MISSED: usize = 5;

fn unusable(schedule: &Schedule, why: &BadSchedule) -> Fault {
    Fault::new(&faults::BAD_SCHEDULE)
        .with("expression", &schedule.expression)
        .with("timezone", &schedule.timezone)
        .with("why", why)
}

/// What outlives the agent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// Due times up to here are done with.
    pub considered: Option<Timestamp>,
    pub runs: Vec<CronRun>,
    pub last_exit: Option<Exit>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Until the release is there.
    Pending,
    Idle,
    Launching,
    Running,
    Stopping,
    Failed,
    Gone,
}

/// What else is known of an end.
#[derive(Clone, Copy, Debug, Default)]
struct Ending {
    timed_out: bool,
    /// It had been asked to.
    stopped: bool,
}

#[derive(Debug)]
pub struct Scheduled {
    calendar: Result<Calendar, Fault>,
    phase: Phase,
    since: Now,
    pid: Option<u32>,
    kept: Remembered,
    message: Option<Said>,
}

impl Scheduled {
    /// `pid`: a run of an earlier agent that still works.
    pub fn new(schedule: &Schedule, kept: Remembered, pid: Option<u32>, now: Now) -> Self {
        let calendar = Calendar::new(schedule).map_err(|why| unusable(schedule, &why));
        let message = calendar.as_ref().err().map(Said::from);
        let phase = if pid.is_some() { Phase::Running } else { Phase::Pending };
        Self { calendar, phase, since: now, pid, kept, message }
    }

    /// An earlier agent may have meant to begin a run and not come to it: then nobody was there. `ended`: when the process it
    /// left behind did. That is an earlier run's end where the history has it.
    pub fn settle(&mut self, ended: Option<Timestamp>) {
        let known = |at: Timestamp| self.kept.runs.iter().filter_map(|r| r.finished_at).any(|finished| finished >= at);
        if ended.is_none_or(known)
            && let Some(run) = self.current()
        {
            run.outcome = CronOutcome::Skipped;
        }
    }

    pub fn remembered(&self) -> &Remembered {
        &self.kept
    }

    pub fn step(&mut self, facts: &Facts<'_>, event: Event, now: Now) -> Vec<Act> {
        match event {
            Event::Look | Event::Checked(_) => {}
            Event::Started { pid } => {
                self.pid = Some(pid);
                if let Some(run) = self.current() {
                    run.started_at = Some(now.wall);
                }
                self.enter(Phase::Running, now);
            }
            Event::NotStarted { reason, .. } => {
                self.end(Exit::NotStarted { reason: reason.en().to_owned() }, Some(reason), Ending::default(), now);
            }
            Event::Ended { exit, timed_out, stopped } => self.end(exit, None, Ending { timed_out, stopped }, now),
        }
        match facts.wish {
            Wish::Run => self.towards_running(facts, now),
            Wish::Stopped => self.towards_rest(facts, now, false),
            Wish::Gone => self.towards_rest(facts, now, true),
        }
    }

    fn current(&mut self) -> Option<&mut CronRun> {
        self.kept.runs.iter_mut().rfind(|r| r.outcome == CronOutcome::Running)
    }

    /// `said`: why it did not start, in whole.
    fn end(&mut self, exit: Exit, said: Option<Said>, ending: Ending, now: Now) {
        self.pid = None;
        // What was too long already was not ended by a wish.
        let stopped = ending.stopped && !ending.timed_out;
        let outcome = match &exit {
            Exit::Code { .. } | Exit::Signal { .. } | Exit::Unknown if ending.timed_out => CronOutcome::TimedOut,
            Exit::Code { code: 0 } => CronOutcome::Succeeded,
            Exit::Code { .. } | Exit::Signal { .. } | Exit::Unknown | Exit::NotStarted { .. } => {
                CronOutcome::Failed { exit: exit.clone() }
            }
        };
        self.message = match &outcome {
            CronOutcome::TimedOut => Some(said!(
                "the last run was stopped: it ran longer than `schedule.timeout`",
                "最近一次运行超过 `schedule.timeout`，已被停止"
            )),
            CronOutcome::Failed { .. } if stopped => None,
            CronOutcome::Failed { exit } => {
                let ended = match said {
                    Some(why) => said!("was not started: {why}", "没有启动：{why}", why = why),
                    None => super::decide::describe(exit),
                };
                Some(said!("the last run {ended}", "最近一次运行{ended}", ended = ended))
            }
            CronOutcome::Running | CronOutcome::Succeeded | CronOutcome::Skipped => None,
        };
        self.kept.last_exit = Some(exit);
        if let Some(run) = self.current() {
            run.finished_at = Some(now.wall);
            run.outcome = outcome;
            run.stopped = stopped;
        }
        self.enter(Phase::Idle, now);
    }

    fn towards_running(&mut self, facts: &Facts<'_>, now: Now) -> Vec<Act> {
        match (self.phase, facts.release) {
            (Phase::Pending | Phase::Failed, ReleaseFact::Coming) => return Vec::new(),
            (Phase::Pending | Phase::Failed, ReleaseFact::Failed(reason)) => {
                self.fail(reason.clone(), now);
                return Vec::new();
            }
            (Phase::Pending | Phase::Failed, ReleaseFact::Ready) => match &self.calendar {
                Ok(_) => {
                    self.message = None;
                    self.enter(Phase::Idle, now);
                }
                Err(fault) => {
                    let reason = Said::from(fault);
                    self.fail(reason, now);
                    return Vec::new();
                }
            },
            (Phase::Idle | Phase::Launching | Phase::Running | Phase::Stopping | Phase::Gone, _) => {}
        }
        if matches!(self.phase, Phase::Gone) || !self.claim_due(now) {
            return Vec::new();
        }
        self.enter(Phase::Launching, now);
        vec![Act::Launch]
    }

    /// Records what is due; true when one is to be run now.
    fn claim_due(&mut self, now: Now) -> bool {
        let considered = *self.kept.considered.get_or_insert(now.wall);
        let Ok(calendar) = &self.calendar else { return false };
        if considered > now.wall {
            // The clock went back. What ran is in the history and is not run again.
            self.kept.considered = Some(now.wall);
            return false;
        }
        let mut due = Vec::new();
        let mut from = considered.max(Timestamp(now.wall.0.saturating_sub(LOOK_BACK.as_micros() as i64)));
        while let Some(next) = calendar.next(from).filter(|next| *next <= now.wall) {
            due.push(next);
            from = next;
            if due.len() > MOST_MISSED {
                due.remove(0);
            }
        }
        if due.is_empty() {
            return false;
        }
        self.kept.considered = Some(now.wall);
        due.retain(|at| !self.kept.runs.iter().any(|r| r.due_at == *at));
        let idle = matches!(self.phase, Phase::Idle);
        let mut run = false;
        for (i, &due_at) in due.iter().enumerate() {
            run = i + 1 == due.len() && idle && now.wall.since(due_at) <= LATEST;
            let outcome = if run { CronOutcome::Running } else { CronOutcome::Skipped };
            self.kept.runs.push(CronRun { due_at, started_at: None, finished_at: None, outcome, stopped: false });
        }
        while self.kept.runs.len() > KEPT {
            // The one that works is never dropped from its own history.
            let oldest = self.kept.runs.iter().position(|r| r.outcome != CronOutcome::Running).unwrap_or(0);
            self.kept.runs.remove(oldest);
        }
        run
    }

    fn fail(&mut self, reason: Said, now: Now) {
        self.message = Some(reason);
        if !matches!(self.phase, Phase::Failed) {
            self.enter(Phase::Failed, now);
        }
    }

    fn towards_rest(&mut self, facts: &Facts<'_>, now: Now, forget: bool) -> Vec<Act> {
        // Due times while it rests are nobody's.
        self.kept.considered = None;
        match self.phase {
            Phase::Running => {
                self.enter(Phase::Stopping, now);
                let stop = &facts.workload.stop;
                vec![Act::Stop { signal: stop.signal, grace_ms: stop.grace_ms }]
            }
            Phase::Launching | Phase::Stopping | Phase::Gone => Vec::new(),
            Phase::Pending | Phase::Idle | Phase::Failed if forget => {
                self.enter(Phase::Gone, now);
                vec![Act::Clean]
            }
            Phase::Pending | Phase::Idle | Phase::Failed => {
                match facts.release {
                    ReleaseFact::Coming => {}
                    ReleaseFact::Ready if !matches!(self.phase, Phase::Idle) => self.enter(Phase::Idle, now),
                    ReleaseFact::Ready => {}
                    ReleaseFact::Failed(reason) => self.fail(reason.clone(), now),
                }
                Vec::new()
            }
        }
    }

    fn enter(&mut self, phase: Phase, now: Now) {
        self.phase = phase;
        self.since = now;
    }

    pub fn wake(&self, now: Now) -> Option<Duration> {
        match self.phase {
            Phase::Idle | Phase::Running | Phase::Launching => {
                let next = self.calendar.as_ref().ok()?.next(self.kept.considered?)?;
                Some(now.mono + next.since(now.wall).min(LOOK))
            }
            Phase::Pending | Phase::Stopping | Phase::Failed | Phase::Gone => None,
        }
    }

    pub fn view(&self) -> View {
        View {
            phase: match self.phase {
                Phase::Pending => InstancePhase::Pending,
                Phase::Idle | Phase::Gone => InstancePhase::Stopped,
                Phase::Launching => InstancePhase::Starting,
                Phase::Running => InstancePhase::Ready,
                Phase::Stopping => InstancePhase::Stopping,
                Phase::Failed => InstancePhase::Failed,
            },
            since: self.since.wall,
            pid: self.pid,
            restarts: 0,
            last_exit: self.kept.last_exit.clone(),
            message: self.message.clone(),
        }
    }
}
