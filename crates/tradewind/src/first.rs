//! `tradewind up` as the first process of a container. Whatever loses its parent becomes the first process's child, and
//! only it can take the dead away: shims whose agent was killed, daemons of jobs. So the supervisor runs one step below,
//! and this process does nothing but pass signals on and wait.

use crate::role::this_binary;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};
use std::{io, os::unix::process::CommandExt};
use tokio::signal::unix::{SignalKind, signal};
use tradewind_cli::exit::Exit;

pub fn is_first() -> bool {
    std::process::id() == 1
}

/// Runs this very command line as a child and ends as it does.
pub fn run() -> anyhow::Result<Exit> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut dead = signal(SignalKind::child())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut relieve = signal(SignalKind::user_defined1())?;
        // A group of its own: a terminal's Ctrl-C comes once, through here.
        let child = this_binary().args(std::env::args_os().skip(1)).process_group(0).spawn()?;
        let child = Pid::from_child(&child);
        loop {
            let pass_on = tokio::select! {
                _ = dead.recv() => None,
                _ = terminate.recv() => Some(Signal::TERM),
                _ = interrupt.recv() => Some(Signal::INT),
                _ = relieve.recv() => Some(Signal::USR1),
            };
            if let Some(signal) = pass_on {
                let _ = kill_process(child, signal);
            }
            if let Some(status) = take_the_dead_away(child)? {
                return Ok(Exit::of(status.exit_status()));
            }
        }
    })
}

/// How the child ended, if it is among them.
fn take_the_dead_away(child: Pid) -> io::Result<Option<WaitStatus>> {
    let mut ended = None;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => ended = Some(status),
            Ok(Some(_)) => {}
            Ok(None) | Err(rustix::io::Errno::CHILD) => return Ok(ended),
            Err(e) => return Err(e.into()),
        }
    }
}
