//! The process and all that came out of it: how it ends, and how all of it is ended.

use crate::{cgroups::Group, procfs};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid},
};
use std::{
    collections::BTreeSet,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    thread::sleep,
    time::Duration,
};
use tradewind_model::protocol::{
    agent::Exit,
    shim::{Started, User},
};

/// How long killed processes are waited for. One that sits in a system call that cannot be interrupted does not end.
const LONGEST_KILL: Duration = Duration::from_secs(10);

pub struct Family {
    main: i32,
    start_ticks: u64,
    pidfd: OwnedFd,
    /// We started it ourselves: it stays a zombie, and its number its own, until we reap it.
    ours: bool,
    /// The main process only holds others in, and would die of what is meant for those.
    wrapped: bool,
    group: Option<Group>,
}

/// Why [`Family::adopt`] did not.
pub enum Gone {
    /// It ended, and this is how.
    Exited(Exit),
    /// It is not there any more, and nobody saw it end.
    Vanished,
}

impl Family {
    /// Of a child just started.
    pub fn of_child(started: &Started, wrapped: bool, group: Option<Group>) -> rustix::io::Result<Self> {
        let main = i32::try_from(started.pid).unwrap_or(0);
        let pid = Pid::from_raw(main).ok_or(rustix::io::Errno::SRCH)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { main, start_ticks: started.start_ticks, pidfd, ours: true, wrapped, group })
    }

    /// Of a process that another shim started.
    pub fn adopt(started: &Started, wrapped: bool, group: Option<Group>) -> Result<Self, Gone> {
        let main = i32::try_from(started.pid).unwrap_or(0);
        let pidfd = Pid::from_raw(main).and_then(|p| pidfd_open(p, PidfdFlags::empty()).ok()).ok_or(Gone::Vanished)?;
        // Looked at after the descriptor was opened: it names this process and no later one of the same number.
        let stat = procfs::find(started).ok_or(Gone::Vanished)?;
        let family = Self { main, start_ticks: started.start_ticks, pidfd, ours: false, wrapped, group };
        if stat.is_alive() { Ok(family) } else { Err(Gone::Exited(family.exit())) }
    }

    pub fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// How the main process ended. To be asked when its descriptor is readable.
    pub fn exit(&self) -> Exit {
        if self.ours {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            return match waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
                Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Exit::Code { code },
                    (None, Some(signal)) => Exit::Signal { signal },
                    (None, None) => Exit::Unknown,
                },
                _ => Exit::Unknown,
            };
        }
        exit_of_a_stranger(&self.pidfd, self.main, self.start_ticks)
    }

    pub fn signal_main(&self, signal: i32) {
        // SAFETY: a plain system call on a descriptor that is open.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.pidfd.as_raw_fd(), signal, 0, 0) };
    }

    /// Everything in the process group; a stopped process is woken so that it can act on it.
    pub fn signal_group(&self, signal: i32) {
        if self.wrapped && signal != libc::SIGKILL {
            return self.signal_held(signal);
        }
        if self.owns_its_number() {
            // SAFETY: plain system calls; the number is that of the group, see `owns_its_number`.
            unsafe {
                libc::kill(-self.main, signal);
                libc::kill(-self.main, libc::SIGCONT);
            }
        }
    }

    /// Those that the main process holds in: all that descend from it, in whichever session. The first of them ignores what
    /// it has no handler for, as every first process of its kind does.
    fn signal_held(&self, signal: i32) {
        let mut held = self.everybody();
        held.remove(&self.main);
        for pid in held {
            // SAFETY: plain system calls; the number was read from /proc just now.
            unsafe {
                libc::kill(pid, signal);
                libc::kill(pid, libc::SIGCONT);
            }
        }
    }

    /// Someone of the process group is left, the main process aside.
    pub fn has_members(&self) -> bool {
        self.owns_its_number()
            && procfs::all().iter().any(|p| p.pgrp == self.main && p.pid != self.main && p.is_alive())
    }

    /// Reaps those who were orphaned and became our children. The main process stays until [`reap`](Self::reap).
    pub fn reap_orphans(&self) {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        for child in children_that_ended(look) {
            if child == self.main {
                break;
            }
            reap(child);
        }
    }

    /// Ends everybody: the process group, the cgroup, and all who descend from it, daemons of their own session
    /// included. Returns how many are left that do not end.
    pub fn kill(&self) -> usize {
        let begun = procfs::uptime();
        let mut pause = Duration::from_millis(1);
        loop {
            self.signal_group(libc::SIGKILL);
            self.signal_main(libc::SIGKILL);
            if let Some(group) = &self.group {
                group.kill();
            }
            let left = self.everybody();
            for pid in &left {
                // SAFETY: a plain system call; the number was read from /proc just now.
                unsafe { libc::kill(*pid, libc::SIGKILL) };
            }
            if left.is_empty() || procfs::uptime() > begun + LONGEST_KILL {
                return left.len();
            }
            sleep(pause);
            self.reap_all_but_main();
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Takes the last trace of the main process away, and the empty cgroup.
    pub fn reap(self) {
        if self.ours {
            reap(self.main);
        }
        self.reap_all_but_main();
        if let Some(group) = self.group {
            group.remove();
        }
    }

    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// All that live and belong to the process: by cgroup, group or session, or by descent from us.
    fn everybody(&self) -> BTreeSet<i32> {
        let processes = procfs::all();
        let mut found: BTreeSet<i32> = self.group.as_ref().map(Group::pids).unwrap_or_default();
        let us = i32::try_from(std::process::id()).unwrap_or(0);
        let theirs = self.owns_its_number();
        let mut parents = BTreeSet::from([us]);
        if theirs {
            parents.insert(self.main);
        }
        loop {
            let is_new = |p: &&procfs::Stat| parents.contains(&p.ppid) && !parents.contains(&p.pid);
            let children: Vec<i32> = processes.iter().filter(is_new).map(|p| p.pid).collect();
            if children.is_empty() {
                break;
            }
            parents.extend(children);
        }
        parents.remove(&us);
        found.extend(parents);
        if theirs {
            found.extend(processes.iter().filter(|p| p.pgrp == self.main || p.session == self.main).map(|p| p.pid));
        }
        found.retain(|pid| processes.iter().any(|p| p.pid == *pid && p.is_alive()));
        found
    }

    /// Its number still names it, or nobody: so as a group's or session's number it means its own.
    fn owns_its_number(&self) -> bool {
        self.ours || procfs::stat(self.main).is_none_or(|s| s.start_ticks == self.start_ticks)
    }

    fn reap_all_but_main(&self) {
        for p in procfs::all() {
            if p.pid != self.main && !p.is_alive() && p.ppid.unsigned_abs() == std::process::id() {
                reap(p.pid);
            }
        }
    }
}

/// Ends what a process left behind that is gone itself. Without a cgroup its group is known by a number that may have
/// been given to others since; only processes of the user it ran as are taken for it.
pub fn end_orphans(started: &Started, user: Option<User>) {
    let group = started.cgroup.as_deref().map(Group::open);
    let same_boot = procfs::boot_id().is_ok_and(|id| id == started.boot_id);
    let main = i32::try_from(started.pid).unwrap_or(0);
    let begun = procfs::uptime();
    loop {
        let mut left = group.as_ref().map(Group::pids).unwrap_or_default();
        if let Some(group) = &group {
            group.kill();
        }
        if let Some(user) = user
            && same_boot
            && procfs::stat(main).is_none_or(|s| s.start_ticks == started.start_ticks)
        {
            let kin = |p: &procfs::Stat| {
                (p.pgrp == main || p.session == main)
                    && p.start_ticks >= started.start_ticks
                    && procfs::owner(p.pid) == Some(user.uid)
            };
            left.extend(procfs::all().into_iter().filter(kin).map(|p| p.pid));
        }
        left.retain(|pid| procfs::stat(*pid).is_some_and(|p| p.is_alive()));
        for pid in &left {
            // SAFETY: a plain system call; the number was read from /proc just now.
            unsafe { libc::kill(*pid, libc::SIGKILL) };
        }
        if left.is_empty() || procfs::uptime() > begun + LONGEST_KILL {
            break;
        }
        sleep(Duration::from_millis(5));
    }
    if let Some(group) = group {
        group.remove();
    }
}

fn children_that_ended(look: WaitIdOptions) -> impl Iterator<Item = i32> {
    std::iter::from_fn(move || {
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is a valid place to write to.
        let done = unsafe { libc::waitid(libc::P_ALL, 0, &mut info, look.bits() as i32) } == 0;
        // SAFETY: waitid filled it in, with pid 0 when nobody has ended.
        let pid = unsafe { info.si_pid() };
        (done && pid != 0).then_some(pid)
    })
}

fn reap(pid: i32) {
    // SAFETY: a plain system call without a place to write to.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) };
}

/// The kernel tells those who hold a process's descriptor how it ended, from 6.15 on; before, and for a zombie,
/// `/proc` may tell.
fn exit_of_a_stranger(pidfd: &OwnedFd, pid: i32, start_ticks: u64) -> Exit {
    // It can be a zombie for as long as its new parent likes; then `/proc` has to do.
    for _ in 0..20 {
        if let Some(status) = exit_info(pidfd) {
            return exit_of_status(status);
        }
        match procfs::stat(pid).filter(|s| s.start_ticks == start_ticks && !s.is_alive()) {
            Some(zombie) if zombie.exit_code != 0 => return exit_of_status(zombie.exit_code),
            _ => {}
        }
        let mut reaped = [PollFd::new(pidfd, PollFlags::empty())];
        let _ = poll(&mut reaped, Some(&Timespec { tv_sec: 0, tv_nsec: 10_000_000 }));
        if reaped[0].revents().contains(PollFlags::HUP) {
            return exit_info(pidfd).map_or(Exit::Unknown, exit_of_status);
        }
    }
    Exit::Unknown
}

fn exit_of_status(status: i32) -> Exit {
    if libc::WIFEXITED(status) {
        Exit::Code { code: libc::WEXITSTATUS(status) }
    } else {
        Exit::Signal { signal: libc::WTERMSIG(status) }
    }
}

/// `PIDFD_GET_INFO` with `PIDFD_INFO_EXIT` (linux/pidfd.h).
fn exit_info(pidfd: &OwnedFd) -> Option<i32> {
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }
    const WANT_EXIT: u64 = 1 << 3;
    const GET_INFO: libc::c_ulong = (3 << 30) | ((size_of::<Info>() as libc::c_ulong) << 16) | (0xFF << 8) | 11;
    let mut info = Info { mask: WANT_EXIT, ..Info::default() };
    // SAFETY: the request's number carries the size of `info`, which is a valid place to write to.
    let done = unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_INFO, &raw mut info) } == 0;
    (done && info.mask & WANT_EXIT != 0).then_some(info.exit_code)
}
