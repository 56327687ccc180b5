//! One instance's life: facts and events in, acts out. Pure; the task around it performs.
//!
//! ```text
//! Pending ─▶ Launching ─▶ Starting ─▶ Ready ⇄ Unhealthy
//!    ▲           ▲            │ (ended)  │ (not wanted)
//!    │           └─ Backoff ◀─┴──────────┤
//!    │              Failed ◀─ (loop)     ▼
//!    └──────────── Stopped ◀─ Stopping ◀─ Draining
//! ```
//!
//! An unhealthy instance is taken out of the table, not restarted: a database that is away would otherwise restart
//! every instance in step. One that ends is restarted, ever later; one that keeps ending is `failed` until its checks
//! pass again.

use crate::{faults, time::Now};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};
use tradewind_model::{
    fault::Fault,
    protocol::agent::{Exit, InstancePhase},
    said,
    said::Said,
    time::Timestamp,
    workload::{HealthProbe, Workload},
};

/// An instance without a check is taken for ready when it has lived this long.
pub const SETTLE: Duration = Duration::from_millis(500);
/// A starting instance is asked this often, so that it goes live as soon as it can.
const EAGER: Duration = Duration::from_millis(25);
/// For so long after its start; then it is a slow one and asked less.
const EAGER_FOR: Duration = Duration::from_secs(15);
const SLOW: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    Run,
    /// Unpacked and prepared, not running.
    Stopped,
    /// Stop it and forget it.
    Gone,
}

/// Whether the release can be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReleaseFact {
    Coming,
    Ready,
    Failed(Said),
}

pub struct Facts<'a> {
    pub wish: Wish,
    pub release: &'a ReleaseFact,
    /// A request may be on its way to it, or in flight in it.
    pub served: bool,
    pub workload: &'a Workload,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// Facts changed or a deadline came.
    Look,
    Started {
        pid: u32,
    },
    /// `passing`: it may work a moment later.
    NotStarted {
        reason: Said,
        passing: bool,
    },
    Ended {
        exit: Exit,
        timed_out: bool,
        /// After somebody asked for it.
        stopped: bool,
    },
    /// The reason when it failed.
    Checked(Result<(), Said>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Answered by [`Event::Started`] or [`Event::NotStarted`].
    Launch,
    /// Answered by [`Event::Ended`].
    Stop { signal: i32, grace_ms: u64 },
    /// Remove what is left of it. The last act.
    Clean,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Pending,
    Launching,
    Starting,
    Ready,
    Unhealthy,
    /// `was_ready`: where it goes back to when it is wanted again.
    Draining {
        until: Duration,
        was_ready: bool,
    },
    Stopping,
    Stopped,
    Backoff {
        until: Duration,
    },
    /// Tried again at `retry`, if trying can help.
    Failed {
        retry: Option<Duration>,
    },
    Gone,
}

/// What outlives the agent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Remembered {
    pub ready: bool,
    pub restarts: u32,
    pub last_exit: Option<Exit>,
    pub looping: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Machine {
    phase: Phase,
    since: Now,
    pid: Option<u32>,
    passes: u32,
    fails: u32,
    restarts: u32,
    exits: VecDeque<Duration>,
    looping: bool,
    last_exit: Option<Exit>,
    /// How it ended last, or why it did not start.
    ended: Option<Said>,
    message: Option<Said>,
}

/// What is reported of it.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    pub phase: InstancePhase,
    pub since: Timestamp,
    pub pid: Option<u32>,
    pub restarts: u32,
    pub last_exit: Option<Exit>,
    pub message: Option<Said>,
}

impl Machine {
    pub fn new(now: Now) -> Self {
        Self {
            phase: Phase::Pending,
            since: now,
            pid: None,
            passes: 0,
            fails: 0,
            restarts: 0,
            exits: VecDeque::new(),
            looping: false,
            last_exit: None,
            ended: None,
            message: None,
        }
    }

    /// Takes up an instance of an earlier agent; `pid` if its process lives. One that was ready is ready: it is
    /// rechecked at once, and taking it out of the table meanwhile would lose requests.
    pub fn adopted(kept: Remembered, pid: Option<u32>, now: Now) -> Self {
        let phase = match (pid, kept.ready) {
            (Some(_), true) => Phase::Ready,
            (Some(_), false) => Phase::Starting,
            (None, _) => Phase::Pending,
        };
        Self { phase, pid, restarts: kept.restarts, looping: kept.looping, last_exit: kept.last_exit, ..Self::new(now) }
    }

    pub fn remembered(&self) -> Remembered {
        Remembered {
            ready: matches!(self.phase, Phase::Ready),
            restarts: self.restarts,
            last_exit: self.last_exit.clone(),
            looping: self.looping,
        }
    }

    pub fn step(&mut self, facts: &Facts<'_>, event: Event, now: Now) -> Vec<Act> {
        match event {
            Event::Look => {}
            Event::Started { pid } => {
                self.pid = Some(pid);
                (self.passes, self.fails) = (0, 0);
                self.enter(Phase::Starting, now);
            }
            Event::NotStarted { reason, passing: true } => {
                self.last_exit = Some(Exit::NotStarted { reason: reason.en().to_owned() });
                self.try_again(reason, facts, now);
            }
            Event::NotStarted { reason, passing: false } => self.cannot_start(reason, facts, now),
            Event::Ended { exit, stopped, .. } => self.ended(exit, stopped, facts, now),
            Event::Checked(result) => self.checked(result, facts, now),
        }
        self.follow(facts, now)
    }

    fn cannot_start(&mut self, reason: Said, facts: &Facts<'_>, now: Now) {
        self.pid = None;
        self.last_exit = Some(Exit::NotStarted { reason: reason.en().to_owned() });
        self.ended = Some(reason.clone());
        self.message = Some(reason);
        let retry = now.mono + Duration::from_millis(facts.workload.restart.backoff_max_ms);
        self.enter(Phase::Failed { retry: Some(retry) }, now);
    }

    fn ended(&mut self, exit: Exit, stopped: bool, facts: &Facts<'_>, now: Now) {
        self.pid = None;
        if let Exit::NotStarted { reason } = exit {
            let fault = Fault::new(&faults::NOT_STARTED).with("why", reason);
            return self.cannot_start(fault.into(), facts, now);
        }
        let asked_to = stopped || matches!(self.phase, Phase::Stopping) || facts.wish != Wish::Run;
        let said = describe(&exit);
        self.last_exit = Some(exit);
        if asked_to {
            self.message = None;
            return self.enter(Phase::Stopped, now);
        }
        self.try_again(said, facts, now);
    }

    /// After the back-off; in a crash loop after the longest.
    fn try_again(&mut self, said: Said, facts: &Facts<'_>, now: Now) {
        self.ended = Some(said.clone());
        self.message = Some(said);
        let policy = &facts.workload.restart;
        self.exits.push_back(now.mono);
        let window = Duration::from_millis(policy.window_ms);
        while self.exits.front().is_some_and(|&at| now.mono.saturating_sub(at) > window) {
            self.exits.pop_front();
        }
        let exits = self.exits.len() as u32;
        let longest = Duration::from_millis(policy.backoff_max_ms);
        if exits >= policy.crash_loop_exits {
            self.looping = true;
            return self.enter(Phase::Failed { retry: Some(now.mono + longest) }, now);
        }
        let wait = Duration::from_millis(policy.backoff_min_ms).saturating_mul(1 << (exits - 1).min(20)).min(longest);
        self.enter(Phase::Backoff { until: now.mono + wait }, now);
    }

    fn checked(&mut self, result: Result<(), Said>, facts: &Facts<'_>, now: Now) {
        let Some(check) = &facts.workload.health else { return };
        match (self.phase, result) {
            (Phase::Starting | Phase::Unhealthy, Ok(())) => {
                self.passes += 1;
                if self.passes >= check.healthy_after.max(1) {
                    self.become_ready(now);
                }
            }
            (Phase::Starting, Err(reason)) => {
                self.passes = 0;
                // A check that finds nobody says less than how the start before this one ended.
                self.message = Some(match &self.ended {
                    Some(ended) if !self.exits.is_empty() => said!(
                        "{ended}; started again: {reason}",
                        "{ended}；已重新启动：{reason}",
                        ended = ended,
                        reason = reason
                    ),
                    Some(_) | None => reason,
                });
            }
            (Phase::Unhealthy, Err(reason)) => {
                self.passes = 0;
                self.message = Some(reason);
            }
            (Phase::Ready, Ok(())) => {
                self.fails = 0;
                self.message = None;
            }
            (Phase::Ready, Err(reason)) => {
                self.fails += 1;
                self.message = Some(reason);
                if self.fails >= check.unhealthy_after.max(1) {
                    self.passes = 0;
                    self.enter(Phase::Unhealthy, now);
                }
            }
            (
                Phase::Pending
                | Phase::Launching
                | Phase::Draining { .. }
                | Phase::Stopping
                | Phase::Stopped
                | Phase::Backoff { .. }
                | Phase::Failed { .. }
                | Phase::Gone,
                _,
            ) => {}
        }
    }

    fn become_ready(&mut self, now: Now) {
        self.looping = false;
        self.message = None;
        self.fails = 0;
        self.enter(Phase::Ready, now);
    }

    /// What the facts ask for where the events have led.
    fn follow(&mut self, facts: &Facts<'_>, now: Now) -> Vec<Act> {
        match facts.wish {
            Wish::Run => self.towards_running(facts, now),
            Wish::Stopped => self.towards_rest(facts, now, false),
            Wish::Gone => self.towards_rest(facts, now, true),
        }
    }

    fn towards_running(&mut self, facts: &Facts<'_>, now: Now) -> Vec<Act> {
        if matches!(self.phase, Phase::Stopped) || matches!(self.phase, Phase::Failed { retry: None }) {
            self.enter(Phase::Pending, now);
        }
        match self.phase {
            Phase::Pending => match facts.release {
                ReleaseFact::Coming => Vec::new(),
                ReleaseFact::Ready => self.launch(now),
                ReleaseFact::Failed(reason) => {
                    self.message = Some(reason.clone());
                    self.enter(Phase::Failed { retry: None }, now);
                    Vec::new()
                }
            },
            Phase::Backoff { until } | Phase::Failed { retry: Some(until) } if now.mono >= until => {
                self.restarts += 1;
                self.launch(now)
            }
            Phase::Starting
                if facts.workload.health.is_none() && now.mono.saturating_sub(self.since.mono) >= SETTLE =>
            {
                self.become_ready(now);
                Vec::new()
            }
            Phase::Draining { was_ready, .. } => {
                // Wanted again before it was signalled: nothing was lost but its place in the table.
                if was_ready {
                    self.become_ready(now);
                } else {
                    self.enter(Phase::Starting, now);
                }
                Vec::new()
            }
            Phase::Launching
            | Phase::Starting
            | Phase::Ready
            | Phase::Unhealthy
            | Phase::Stopping
            | Phase::Stopped
            | Phase::Backoff { .. }
            | Phase::Failed { .. }
            | Phase::Gone => Vec::new(),
        }
    }

    fn launch(&mut self, now: Now) -> Vec<Act> {
        self.enter(Phase::Launching, now);
        vec![Act::Launch]
    }

    fn towards_rest(&mut self, facts: &Facts<'_>, now: Now, forget: bool) -> Vec<Act> {
        match self.phase {
            Phase::Starting | Phase::Ready | Phase::Unhealthy => {
                let was_ready = matches!(self.phase, Phase::Ready);
                let until = now.mono + Duration::from_millis(facts.workload.stop.drain_ms);
                self.enter(Phase::Draining { until, was_ready }, now);
                self.stop_once_drained(facts, now)
            }
            Phase::Draining { .. } => self.stop_once_drained(facts, now),
            Phase::Launching | Phase::Stopping | Phase::Gone => Vec::new(),
            Phase::Pending | Phase::Stopped | Phase::Backoff { .. } | Phase::Failed { .. } => {
                if forget {
                    self.enter(Phase::Gone, now);
                    return vec![Act::Clean];
                }
                let next = match facts.release {
                    ReleaseFact::Coming => Phase::Pending,
                    ReleaseFact::Ready => Phase::Stopped,
                    ReleaseFact::Failed(reason) => {
                        self.message = Some(reason.clone());
                        Phase::Failed { retry: None }
                    }
                };
                if self.phase != next {
                    self.enter(next, now);
                }
                Vec::new()
            }
        }
    }

    fn stop_once_drained(&mut self, facts: &Facts<'_>, now: Now) -> Vec<Act> {
        match self.phase {
            Phase::Draining { until, .. } if !facts.served || now.mono >= until => {
                self.enter(Phase::Stopping, now);
                let stop = &facts.workload.stop;
                vec![Act::Stop { signal: stop.signal, grace_ms: stop.grace_ms }]
            }
            _ => Vec::new(),
        }
    }

    fn enter(&mut self, phase: Phase, now: Now) {
        self.phase = phase;
        self.since = now;
    }

    /// When to look again although nothing happened.
    pub fn wake(&self, workload: &Workload) -> Option<Duration> {
        match self.phase {
            Phase::Draining { until, .. } | Phase::Backoff { until } => Some(until),
            Phase::Failed { retry } => retry,
            Phase::Starting if workload.health.is_none() => Some(self.since.mono + SETTLE),
            Phase::Pending
            | Phase::Launching
            | Phase::Starting
            | Phase::Ready
            | Phase::Unhealthy
            | Phase::Stopping
            | Phase::Stopped
            | Phase::Gone => None,
        }
    }

    /// How long to wait between two checks; `None` when there is nothing to check.
    pub fn check_every(&self, workload: &Workload, now: Now) -> Option<Duration> {
        let check = workload.health.as_ref()?;
        let interval = Duration::from_millis(check.interval_ms.max(10));
        match self.phase {
            Phase::Starting => {
                let eager = match check.probe {
                    HealthProbe::Http { .. } | HealthProbe::Tcp => EAGER,
                    // A process each time.
                    HealthProbe::Command { .. } => SLOW,
                };
                let young = now.mono.saturating_sub(self.since.mono) < EAGER_FOR;
                Some(interval.min(if young { eager } else { SLOW }))
            }
            Phase::Ready | Phase::Unhealthy => Some(interval),
            Phase::Pending
            | Phase::Launching
            | Phase::Draining { .. }
            | Phase::Stopping
            | Phase::Stopped
            | Phase::Backoff { .. }
            | Phase::Failed { .. }
            | Phase::Gone => None,
        }
    }

    pub fn view(&self) -> View {
        let phase = match self.phase {
            Phase::Pending => InstancePhase::Pending,
            // In a loop until its checks pass: its tries do not make it look alive.
            Phase::Launching | Phase::Starting | Phase::Backoff { .. } if self.looping => InstancePhase::Failed,
            Phase::Launching | Phase::Starting => InstancePhase::Starting,
            Phase::Ready => InstancePhase::Ready,
            Phase::Unhealthy => InstancePhase::Unhealthy,
            Phase::Draining { .. } => InstancePhase::Draining,
            Phase::Stopping => InstancePhase::Stopping,
            Phase::Stopped | Phase::Gone => InstancePhase::Stopped,
            Phase::Backoff { .. } => InstancePhase::Backoff,
            Phase::Failed { .. } => InstancePhase::Failed,
        };
        View {
            phase,
            since: self.since.wall,
            pid: self.pid,
            restarts: self.restarts,
            last_exit: self.last_exit.clone(),
            message: self.message.clone(),
        }
    }
}

/// For people, behind whatever it was that ended: `ended with exit code 1`.
pub fn describe(exit: &Exit) -> Said {
    match exit {
        Exit::Code { code } => said!("ended with exit code {code}", "以退出码 {code} 结束", code = code),
        Exit::Signal { signal } => said!("was ended by signal {signal}", "被信号 {signal} 终止", signal = signal),
        Exit::Unknown => said!("ended while nobody watched", "在无人看到时结束"),
        Exit::NotStarted { reason } => said!("was not started: {reason}", "没有启动：{reason}", reason = reason),
    }
}
