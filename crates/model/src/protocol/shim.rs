//! Agent and shim: tiny and frozen, because shims outlive upgrades.
//!
//! A shim is started as `tradewind shim DIR`. It reads `DIR/spec.json` ([`ShimSpec`]), starts the command, copies its
//! output into `DIR/log/`, and answers on `DIR/ctl.sock` with one JSON value a line. What must survive it is in files,
//! each written whole and renamed: `DIR/started.json` ([`Started`]) and `DIR/exit.json` ([`Exited`]).

use crate::{protocol::agent::Exit, time::Timestamp, workload::Limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const VERSION: u32 = 1;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ShimSpec {
    pub version: u32,
    /// Absolute path or a name looked up in `PATH` of `env`.
    pub command: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    pub cwd: String,
    /// `None` keeps the caller's user: only with `--insecure-same-user`.
    pub user: Option<User>,
    pub limits: Limits,
    /// Name of the cgroup to create and move into, in each hierarchy of the host that may be written: one folder's
    /// name, unique on the host. What of the limits cannot be enforced is said in the log.
    pub cgroup: Option<String>,
    pub log: LogRule,
    /// Kill the whole group this long after the start; jobs use it.
    pub timeout_ms: Option<u64>,
    /// After the end of the main process, its group is killed: for jobs, which leave nothing behind.
    pub kill_group_at_exit: bool,
    /// Secrets come on the shim's standard input: at the start, and again when a shim takes the process over. One that
    /// has to do without stores nothing of what the process says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secrets: bool,
    /// The command only holds the process in (bubblewrap): it would die of a signal that is meant for those it holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrapped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogRule {
    /// Rotate at this size.
    pub max_bytes: u64,
    /// Rotated files kept besides the current one; with 0 the log stops at `max_bytes` and says so.
    pub keep: u32,
}

/// Who the main process is: pid and start time together name it, within one boot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Started {
    pub pid: u32,
    /// Clock ticks since boot, field 22 of `/proc/PID/stat`.
    pub start_ticks: u64,
    pub boot_id: String,
    pub at: Timestamp,
    pub shim_pid: u32,
    pub cgroup: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exited {
    pub exit: Exit,
    pub at: Timestamp,
    pub timed_out: bool,
    /// It ended after a `stop`.
    pub stopped: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToShim {
    /// Signal the group, wait, then kill the group. The shim carries it through by itself.
    Stop {
        signal: i32,
        grace_ms: u64,
    },
    Signal {
        signal: i32,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromShim {
    Started(Started),
    Exited(Exited),
}
