//! What `/proc` says about processes.

use std::{fs, io, time::Duration};
use tradewind_model::protocol::shim::Started;

/// The fields of `/proc/PID/stat` that name a process and its family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    pub pid: i32,
    pub ppid: i32,
    pub pgrp: i32,
    pub session: i32,
    pub state: u8,
    pub start_ticks: u64,
    /// A wait status; meaningful in a zombie only, and 0 for those who may not trace it.
    pub exit_code: i32,
    /// Its own, in user and kernel; its children's are not in it.
    pub used_ticks: u64,
    pub resident_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        let pid = text.split(' ').next()?.parse().ok()?;
        // The name in parentheses may hold blanks and parentheses; the last `)` ends it.
        let rest: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split_ascii_whitespace().collect();
        let field = |number: usize| rest.get(number - 3);
        Some(Self {
            pid,
            state: *field(3)?.as_bytes().first()?,
            ppid: field(4)?.parse().ok()?,
            pgrp: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            start_ticks: field(22)?.parse().ok()?,
            exit_code: field(52).and_then(|f| f.parse().ok()).unwrap_or(0),
            used_ticks: field(14)?.parse::<u64>().ok()? + field(15)?.parse::<u64>().ok()?,
            resident_pages: field(24)?.parse().ok()?,
        })
    }

    /// Processor time.
    pub fn used(&self) -> Duration {
        span(self.used_ticks)
    }

    /// When it began, on the clock of [`uptime`], to within a tick.
    pub fn started(&self) -> Duration {
        span(self.start_ticks)
    }

    /// Neither a zombie nor about to vanish.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, b'Z' | b'X' | b'x')
    }
}

pub fn stat(pid: i32) -> Option<Stat> {
    Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

pub fn all() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).filter_map(stat).collect()
}

/// The user it runs as; root for those that keep others from looking at them.
pub fn owner(pid: i32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(format!("/proc/{pid}")).ok().map(|m| m.uid())
}

pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// Its entry, as a zombie too; `None` when it is gone, or the number names another process by now.
pub fn find(started: &Started) -> Option<Stat> {
    if boot_id().ok()? != started.boot_id {
        return None;
    }
    stat(i32::try_from(started.pid).ok()?).filter(|s| s.start_ticks == started.start_ticks)
}

/// Time since boot. Everything that is measured is measured on this clock: it never jumps.
pub fn uptime() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// When it started, on the clock of [`uptime`], to within a tick.
pub fn start_time(started: &Started) -> Duration {
    span(started.start_ticks)
}

fn span(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_millis(ticks.saturating_mul(1000) / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_parentheses_does_not_shift_the_fields() {
        let line = "42 (a) b) (c) S 1 40 39 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 1000 200 184 1 1 1 1 1 0 0 0 0 0 0 0 17 1 0 0 0 0 0 1 1 1 1 1 1 1 256";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.pid, stat.ppid, stat.pgrp, stat.session), (42, 1, 40, 39));
        assert_eq!((stat.start_ticks, stat.state, stat.exit_code), (777, b'S', 256));
        assert_eq!((stat.used_ticks, stat.resident_pages), (11, 200));
    }

    #[test]
    fn our_own_entry_is_found() {
        let me = stat(std::process::id() as i32).unwrap();
        assert!(me.is_alive());
        assert!(
            start_time(&Started {
                pid: 0,
                start_ticks: me.start_ticks,
                boot_id: String::new(),
                at: Default::default(),
                shim_pid: 0,
                cgroup: None
            }) <= uptime()
        );
    }
}
