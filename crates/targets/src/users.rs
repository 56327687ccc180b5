//! Users for jobs and instances: bare numbers, without an entry in passwd.

use crate::numbers::Numbers;
use std::{fs, io, ops::Range, path::Path};
use tradewind_model::protocol::shim::User;

pub const JOBS: Range<u32> = 62_000..63_000;
pub const INSTANCES: Range<u32> = 63_000..65_000;

/// Of the job slot, counted from 0: one job at a time runs as this user. `None` when there are no more.
pub fn of_job(slot: u32) -> Option<User> {
    JOBS.start.checked_add(slot).filter(|id| JOBS.contains(id)).map(user)
}

fn user(id: u32) -> User {
    User { uid: id, gid: id }
}

/// Who runs what on this host. Numbers are never given to another: files on disk belong to them.
#[derive(Debug)]
pub struct InstanceUsers(Numbers);

impl InstanceUsers {
    /// `path` is the file that remembers them; a damaged one is an error of the kind `InvalidData`.
    pub fn open(path: &Path) -> io::Result<Self> {
        Numbers::open(path, INSTANCES).map(Self)
    }

    /// Puts a damaged file aside and begins with nobody; those who are known to have a number [`keep`](Self::keep) it.
    pub fn renew(path: &Path) -> io::Result<Self> {
        Numbers::renew(path, INSTANCES).map(Self)
    }

    /// Records the user that a service and environment are known to have, unless another pair has it.
    pub fn keep(&self, service: &str, env: &str, uid: u32) -> io::Result<()> {
        self.0.keep(&key(service, env), uid)
    }

    /// One for each service and environment, always the same; `None` when there are no more.
    pub fn of(&self, service: &str, env: &str) -> io::Result<Option<User>> {
        Ok(self.0.assign(&key(service, env), |_| true)?.map(user))
    }
}

fn key(service: &str, env: &str) -> String {
    format!("{service}/{env}")
}

/// Whether this process may start others as the users above; if not, why.
pub fn may_switch_user() -> Result<(), String> {
    const SETGID: u32 = 6;
    const SETUID: u32 = 7;
    let status = fs::read_to_string("/proc/self/status").map_err(|e| format!("/proc/self/status: {e}"))?;
    let capabilities = status
        .lines()
        .find_map(|l| l.strip_prefix("CapEff:"))
        .and_then(|c| u64::from_str_radix(c.trim(), 16).ok())
        .ok_or("/proc/self/status does not name the capabilities")?;
    if capabilities >> SETGID & capabilities >> SETUID & 1 == 0 {
        let uid = rustix::process::geteuid().as_raw();
        return Err(format!("user {uid} lacks the capabilities CAP_SETUID and CAP_SETGID"));
    }
    for map in ["/proc/self/uid_map", "/proc/self/gid_map"] {
        let text = fs::read_to_string(map).map_err(|e| format!("{map}: {e}"))?;
        if !maps(&text, JOBS.start..INSTANCES.end) {
            return Err(format!("{map} does not map {} to {}", JOBS.start, INSTANCES.end - 1));
        }
    }
    Ok(())
}

/// Lines of `first-inside first-outside length`.
fn maps(text: &str, wanted: Range<u32>) -> bool {
    let ranges: Vec<(u64, u64)> = text
        .lines()
        .filter_map(|l| {
            let n: Vec<u64> = l.split_ascii_whitespace().filter_map(|w| w.parse().ok()).collect();
            (n.len() == 3).then(|| (n[0], n[0] + n[2]))
        })
        .collect();
    wanted.into_iter().all(|id| ranges.iter().any(|(from, to)| (*from..*to).contains(&u64::from(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_counts_only_when_it_holds_all_of_ours() {
        assert!(maps("         0          0 4294967295\n", 62_000..65_000));
        assert!(maps("0 100000 63000\n63000 200000 10000\n", 62_000..65_000));
        assert!(!maps("0 100000 64999\n", 62_000..65_000));
        assert!(!maps("0 1000 1\n", 62_000..65_000));
        assert!(!maps("", 62_000..65_000));
    }

    #[test]
    fn job_users_end_where_those_of_instances_begin() {
        assert_eq!(of_job(0), Some(User { uid: 62_000, gid: 62_000 }));
        assert_eq!(of_job(999).map(|u| u.uid), Some(62_999));
        assert_eq!(of_job(1000), None);
        assert_eq!(of_job(u32::MAX), None);
    }
}
