//! `tradewind up`: keeps the roles of one machine alive.
//!
//! The roles are processes of their own in sessions of their own. A supervisor that is killed takes nothing with it;
//! the next one adopts what runs. One that is asked to end (Ctrl-C, SIGTERM) stops all that belongs to the folder,
//! and one that is relieved (SIGUSR1, by `tradewind down`) just leaves.

mod backoff;
mod keeper;
pub mod ready;

use crate::{
    config::{Config, registry as set},
    faults,
    folder::Folder,
    msg, role,
    role::Role,
    say::Say,
};
use keeper::{Ended, Keeper};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinSet,
};
use tradewind_cli::fill;
use tradewind_model::fault::Fault;

/// How long the roles may take to become ready at the start: a database may have to recover first.
const START_LIMIT: Duration = Duration::from_secs(60);
/// A role that ends this often before it was ever ready will not become so.
const START_DEATHS: u32 = 3;
const LOOK_AT_LOGS: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(30);

#[derive(Debug)]
enum Event {
    Adopted { role: Role, pid: u32 },
    Replacing { role: Role, pid: u32 },
    Started { role: Role, pid: u32 },
    Ended { role: Role, how: Ended, deaths: u32, again_in: Duration },
}

/// Why the supervisor ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// Asked to stop everything.
    Stop,
    /// Somebody else takes over what runs.
    Relieved,
}

/// What runs once all are ready.
#[derive(Debug, Default)]
pub struct Roster {
    pub pids: BTreeMap<Role, u32>,
    pub adopted: Vec<Role>,
}

pub struct Supervisor {
    folder: Folder,
    config: Arc<Config>,
    say: Say,
    keepers: JoinSet<()>,
    events: UnboundedReceiver<Event>,
    stop: [Signal; 2],
    relieve: Signal,
    roster: Roster,
}

impl Supervisor {
    /// Starts or adopts the roles. Must be called within a runtime.
    pub fn start(folder: &Folder, config: &Arc<Config>, say: Say) -> anyhow::Result<Self> {
        let stop = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        let relieve = signal(SignalKind::user_defined1())?;
        // A terminal that is closed is not an order to stop production.
        let _ = signal(SignalKind::hangup())?;
        let (tx, events) = unbounded_channel();
        let mut keepers = JoinSet::new();
        for role in Role::ALL {
            let keeper = Keeper { role, folder: folder.clone(), config: config.clone(), events: tx.clone() };
            keepers.spawn(keeper.keep());
        }
        Ok(Self {
            folder: folder.clone(),
            config: config.clone(),
            say,
            keepers,
            events,
            stop,
            relieve,
            roster: Roster::default(),
        })
    }

    /// Waits until every role does its work. `Ok(Some)`: asked to leave before that.
    ///
    /// # Errors
    /// `TW-UP-008` when a role does not get there.
    pub async fn all_ready(&mut self) -> anyhow::Result<Option<Leave>> {
        let mut waiting = Role::ALL.to_vec();
        let give_up = Instant::now() + START_LIMIT;
        while let Some(role) = waiting.first().copied() {
            if let Some(pid) = self.roster.pids.get(&role)
                && ready::is_ready(role, *pid, &self.folder, &self.config).await
            {
                waiting.remove(0);
                continue;
            }
            if Instant::now() >= give_up {
                let reason = fill!(self.say.lang, &msg::NOT_IN_TIME, s = START_LIMIT.as_secs());
                return Err(self.not_ready(role, reason));
            }
            tokio::select! {
                event = self.events.recv() => {
                    if let Some(Event::Ended { role, how, deaths, .. }) = event.map(|e| self.note(e))
                        && deaths >= START_DEATHS
                        && waiting.contains(&role)
                    {
                        let reason = fill!(self.say.lang, &msg::ENDED_TIMES, n = deaths, how = how.short());
                        return Err(self.not_ready(role, reason));
                    }
                }
                leave = asked(&mut self.stop, &mut self.relieve) => return Ok(Some(leave)),
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        while let Ok(event) = self.events.try_recv() {
            self.note(event);
        }
        Ok(None)
    }

    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Keeps the roles until somebody asks for the end; says what happens meanwhile.
    pub async fn keep(mut self) -> Leave {
        let lang = self.say.lang;
        let mut logs = tokio::time::interval(LOOK_AT_LOGS);
        loop {
            tokio::select! {
                _ = logs.tick() => self.trim_logs(),
                event = self.events.recv() => match event {
                    Some(Event::Ended { role, how, again_in, .. }) => {
                        let wait = match again_in.as_millis() {
                            0 => msg::AT_ONCE.get(lang).to_owned(),
                            ms => fill!(lang, &msg::AFTER_MS, ms = ms),
                        };
                        self.say.err(fill!(lang, &msg::ROLE_ENDED, role = role.name(), how = how.short(), wait = wait));
                    }
                    Some(Event::Adopted { role, pid } | Event::Started { role, pid }) => {
                        self.say.err(fill!(lang, &msg::ROLE_BACK, role = role.name(), pid = pid));
                    }
                    Some(Event::Replacing { role, pid }) => self.replacing(role, pid),
                    // The keepers live as long as this does.
                    None => return Leave::Relieved,
                },
                leave = asked(&mut self.stop, &mut self.relieve) => return leave,
            }
        }
    }

    fn trim_logs(&self) {
        for role in Role::ALL {
            if let Err(e) = role::trim_log(&self.folder, role.name(), self.config.size(&set::LOG_MAX_SIZE)) {
                self.say.err(format!("{}: {e}", self.folder.log(role.name()).display()));
            }
        }
    }

    /// Lets go of the roles without touching them.
    pub async fn release(mut self) {
        self.keepers.shutdown().await;
    }

    fn note(&mut self, event: Event) -> Event {
        match &event {
            Event::Adopted { role, pid } => {
                self.roster.pids.insert(*role, *pid);
                self.roster.adopted.push(*role);
            }
            Event::Started { role, pid } => {
                self.roster.pids.insert(*role, *pid);
            }
            Event::Replacing { role, pid } => self.replacing(*role, *pid),
            Event::Ended { role, .. } => {
                self.roster.pids.remove(role);
                self.roster.adopted.retain(|r| r != role);
            }
        }
        event
    }

    fn replacing(&self, role: Role, pid: u32) {
        self.say.err(fill!(self.say.lang, &msg::ROLE_REPLACED, role = role.name(), pid = pid));
    }

    fn not_ready(&self, role: Role, reason: String) -> anyhow::Error {
        for line in role::last_lines(&self.folder, role.name(), 8) {
            self.say.err(format!("{} | {line}", role.name()));
        }
        Fault::new(&faults::ROLE_NOT_READY)
            .with("role", role.name())
            .with("reason", reason)
            .with("log", self.folder.log(role.name()).display())
            .into()
    }
}

async fn asked(stop: &mut [Signal; 2], relieve: &mut Signal) -> Leave {
    let [interrupt, terminate] = stop;
    tokio::select! {
        _ = interrupt.recv() => Leave::Stop,
        _ = terminate.recv() => Leave::Stop,
        _ = relieve.recv() => Leave::Relieved,
    }
}
