//! Who a process is. A pid alone may be someone else by now: pid, start time and boot together name one process.

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Identity {
    pub pid: u32,
    /// Clock ticks since boot, field 22 of `/proc/PID/stat`.
    pub start_ticks: u64,
    pub boot_id: String,
}

impl Identity {
    pub fn of_self() -> io::Result<Self> {
        Self::of(std::process::id())?.ok_or_else(|| io::Error::other("/proc does not list this process"))
    }

    /// The living process with this pid; one that has ended and waits for its parent counts as gone.
    pub fn of(pid: u32) -> io::Result<Option<Self>> {
        let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(s) => s,
            Err(e) if gone(&e) => return Ok(None),
            Err(e) => return Err(e),
        };
        let Some((state, start_ticks)) = state_and_start(&stat) else {
            return Err(io::Error::other(format!("/proc/{pid}/stat is not understood")));
        };
        if matches!(state, 'Z' | 'X') {
            return Ok(None);
        }
        Ok(Some(Self { pid, start_ticks, boot_id: boot_id()? }))
    }

    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).ok().flatten().is_some_and(|now| now == *self)
    }

    /// A handle that stays with this very process; `None` when it has ended.
    pub fn open(&self) -> io::Result<Option<Process>> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        let fd = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        // Looked at after the handle was taken: if it is still the one meant, the handle is too.
        Ok(self.is_alive().then(|| Process { identity: self.clone(), fd }))
    }
}

/// A process one can signal and wait for without mistaking it for a later one.
#[derive(Debug)]
pub struct Process {
    pub identity: Identity,
    fd: OwnedFd,
}

impl Process {
    /// Signals it; nothing happens when it has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.fd, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Whether it ended within `limit`.
    pub fn wait(&self, limit: Duration) -> bool {
        let wait = rustix::time::Timespec::try_from(limit).ok();
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        matches!(poll(&mut fds, wait.as_ref()), Ok(n) if n > 0)
    }

    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

fn gone(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::NotFound || e.raw_os_error() == Some(libc::ESRCH)
}

/// The name stands in parentheses and may itself contain any character, so the fields are counted from the last one.
fn state_and_start(stat: &str) -> Option<(char, u64)> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some((state, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let line = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(state_and_start(line), Some(('S', 4711)));
        assert_eq!(state_and_start("42 (x"), None);
    }

    #[test]
    fn another_start_time_or_boot_is_another_process() {
        let me = Identity::of_self().unwrap();
        assert!(me.is_alive() && me.open().unwrap().is_some());
        let older = Identity { start_ticks: me.start_ticks - 1, ..me.clone() };
        let other_boot = Identity { boot_id: "another".into(), ..me };
        assert!(!older.is_alive() && older.open().unwrap().is_none());
        assert!(!other_boot.is_alive());
    }

    #[test]
    fn a_dead_child_nobody_waited_for_is_not_alive() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let id = Identity::of(child.id()).unwrap().unwrap();
        let handle = id.open().unwrap().unwrap();
        assert!(!handle.wait(Duration::ZERO));
        handle.signal(Signal::KILL).unwrap();
        assert!(handle.wait(Duration::from_secs(20)));
        assert!(!id.is_alive());
        child.wait().unwrap();
        handle.signal(Signal::TERM).unwrap();
    }
}
