//! `tradewind down`: stops all that belongs to a data folder, orphans of a kill included.
//!
//! First the supervisor is relieved, so that nothing is started again; then the roles end, the edge draining; then
//! instances and jobs, through their shims or, where those died, through new ones; at last whatever in `/proc` still
//! carries the folder's name.

mod instances;
mod scan;

use crate::{
    faults,
    folder::{Folder, Registration},
    msg,
    process::Process,
    role::Role,
    say::Say,
    up::SUPERVISOR,
};
use rustix::process::Signal;
use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};
use tradewind_cli::{exit::Exit, fill};
use tradewind_model::fault::Fault;

/// From SIGTERM to SIGKILL. The edge answers what is in flight first.
const RELIEVE: Duration = Duration::from_secs(10);
const ROLE: Duration = Duration::from_secs(15);
const EDGE: Duration = Duration::from_secs(75);
const STRAY: Duration = Duration::from_secs(5);
const SHIMS_END: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);
/// After SIGKILL only the kernel can hold a process.
const KILLED: Duration = Duration::from_secs(10);

/// Whether the person does not want to wait for clients any longer.
#[derive(Clone, Debug, Default)]
pub struct Hurry(Arc<AtomicBool>);

impl Hurry {
    /// A second Ctrl-C says so.
    pub fn on_interrupt() -> std::io::Result<Self> {
        let hurry = Self::default();
        let told = hurry.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                if let Ok(mut again) = signal(SignalKind::interrupt()) {
                    again.recv().await;
                    told.0.store(true, Ordering::Relaxed);
                }
            });
        });
        Ok(hurry)
    }

    fn now(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What was stopped.
#[derive(Debug, Default)]
pub struct Report {
    pub supervisor: bool,
    pub roles: Vec<Role>,
    pub instances: usize,
    pub jobs: usize,
    pub strays: usize,
    /// Of all these, those that did not end by themselves.
    pub killed: usize,
}

impl Report {
    pub fn print(&self, folder: &Folder, say: Say) {
        let lang = say.lang;
        let mut what: Vec<String> = Vec::new();
        if self.supervisor {
            what.push(msg::DOWN_SUPERVISOR.get(lang).to_owned());
        }
        what.extend(self.roles.iter().map(|r| r.name().to_owned()));
        for (n, text) in [
            (self.instances, &msg::DOWN_INSTANCES),
            (self.jobs, &msg::DOWN_JOBS),
            (self.strays, &msg::DOWN_STRAYS),
            (self.killed, &msg::DOWN_KILLED),
        ] {
            if n > 0 {
                what.push(fill!(lang, text, n = n));
            }
        }
        if what.is_empty() {
            say.out(fill!(lang, &msg::DOWN_NOTHING, data = folder.root().display()));
        } else {
            say.out(fill!(lang, &msg::DOWN_DONE, what = what.join(", ")));
        }
    }
}

pub fn run(folder: &Folder, say: Say) -> anyhow::Result<Exit> {
    let hurry = Hurry::default();
    let (_lock, supervisor) = relieve(folder, &hurry)?;
    let mut report = stop_everything(folder, &hurry)?;
    report.supervisor = supervisor;
    report.print(folder, say);
    Ok(Exit::Ok)
}

/// Ends the supervisor without what it keeps, and takes its place: nobody starts anything until the lock goes.
fn relieve(folder: &Folder, hurry: &Hurry) -> anyhow::Result<(File, bool)> {
    let give_up = Instant::now() + RELIEVE + KILLED;
    let mut relieved = false;
    loop {
        if let Some(lock) = folder.lock(SUPERVISOR)? {
            folder.remove_run("up.json");
            return Ok((lock, relieved));
        }
        let registered = folder.read_run::<Registration>("up.json");
        let process = registered.as_ref().and_then(|r| r.identity.open().ok().flatten());
        if let Some(process) = process {
            relieved = true;
            end(&process, Signal::USR1, RELIEVE, hurry);
        }
        if Instant::now() >= give_up {
            let pid = registered.map_or_else(|| "?".to_owned(), |r| r.identity.pid.to_string());
            let who = format!("{SUPERVISOR} ({pid})");
            return Err(Fault::new(&faults::STILL_ALIVE)
                .with("data", folder.root().display())
                .with("count", 1)
                .with("who", who)
                .into());
        }
        // A supervisor that just began has the lock and has not said yet who it is.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Stops roles, instances, jobs and strays. The caller holds the supervisor's lock.
///
/// # Errors
/// `TW-UP-011` when something cannot be stopped.
pub fn stop_everything(folder: &Folder, hurry: &Hurry) -> anyhow::Result<Report> {
    let mut report = Report::default();
    end_roles(folder, hurry, &mut report);
    instances::stop_all(folder, &mut report)?;
    end_strays(folder, &mut report)?;
    for role in Role::ALL {
        role.forget(folder);
    }
    Ok(report)
}

/// Stops the roles alone: of a start that failed.
pub fn stop_roles(folder: &Folder, hurry: &Hurry) {
    end_roles(folder, hurry, &mut Report::default());
}

/// The agent first, so that it starts nothing again; the edge while the instances can still answer.
fn end_roles(folder: &Folder, hurry: &Hurry, report: &mut Report) {
    for (role, limit) in [(Role::Agent, ROLE), (Role::Server, ROLE), (Role::Edge, EDGE)] {
        let running = role.running(folder).and_then(|r| r.identity.open().ok().flatten());
        if let Some(process) = running {
            report.roles.push(role);
            report.killed += usize::from(!end(&process, Signal::TERM, limit, hurry));
        }
    }
}

/// Whatever else carries the folder's name. Repeated, because what ends may leave children.
fn end_strays(folder: &Folder, report: &mut Report) -> anyhow::Result<()> {
    const ROUNDS: usize = 5;
    // A shim ends a moment after its process.
    let settled = Instant::now() + SHIMS_END;
    while Instant::now() < settled {
        if scan::of_folder(folder.root())?.is_empty() {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    for round in 0..ROUNDS {
        let strays = scan::of_folder(folder.root())?;
        if strays.is_empty() {
            return Ok(());
        }
        if round + 1 == ROUNDS {
            let who: Vec<String> = strays.iter().map(|p| p.identity.pid.to_string()).collect();
            return Err(Fault::new(&faults::STILL_ALIVE)
                .with("data", folder.root().display())
                .with("count", who.len())
                .with("who", who.join(", "))
                .into());
        }
        report.strays += strays.len();
        for stray in &strays {
            let _ = stray.signal(Signal::TERM);
        }
        let patience = Instant::now() + STRAY;
        for stray in &strays {
            if !stray.wait(patience.saturating_duration_since(Instant::now())) {
                report.killed += 1;
                let _ = stray.signal(Signal::KILL);
                stray.wait(KILLED);
            }
        }
    }
    Ok(())
}

/// Asks, waits, kills. Whether it ended by itself.
fn end(process: &Process, ask: Signal, limit: Duration, hurry: &Hurry) -> bool {
    let _ = process.signal(ask);
    let patience = Instant::now() + limit;
    while !hurry.now() && Instant::now() < patience {
        if process.wait(LOOK) {
            return true;
        }
    }
    let _ = process.signal(Signal::KILL);
    process.wait(KILLED);
    false
}
