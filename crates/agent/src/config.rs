//! What an agent is told when it is started.

use crate::{faults, server::ServerUrl, users::MOST_SLOTS};
use std::{ffi::OsString, path::PathBuf, sync::Arc};
use tradewind_model::{
    fault::Fault,
    time::{Clock, SystemClock},
};
use tradewind_targets::users::may_switch_user;

/// The `PATH` of jobs and instances.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whose rights jobs and instances have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunAs {
    /// Users of their own, numbers without passwd entries: jobs 62000 + slot, instances 63000 + a number per service
    /// and environment, `prepare` 62999. Needs root's rights.
    SeparateUsers,
    /// The agent's own user (`--insecure-same-user`).
    SameUser,
}

/// What holds jobs in, beside their users.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// Bubblewrap where it works, else their users alone.
    Auto,
    /// Bubblewrap, or no job runs.
    Required,
    Users,
}

/// What jobs may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobNetwork {
    Open,
    /// All but the addresses at which a cloud hands out its credentials.
    NoMetadata,
    /// Nothing. Needs bubblewrap.
    None,
}

#[derive(Clone)]
pub struct AgentConfig {
    /// The agent's folder, `DIR/agent`; made if need be. The folders above it must let other users pass (0711).
    pub data: PathBuf,
    pub server: ServerUrl,
    /// The token it shows to the server, scope `agent`.
    pub key: String,
    /// `DIR/run/edge.sock`; none on a host without an edge.
    pub edge_socket: Option<PathBuf>,
    /// Started as `shim[0] shim[1..] DIR`.
    pub shim: (PathBuf, Vec<OsString>),
    pub run_as: RunAs,
    /// Put jobs and instances into cgroups of their own, where the host lets us.
    pub cgroups: bool,
    pub isolation: Isolation,
    pub job_network: JobNetwork,
    /// Folders that jobs in bubblewrap see nothing of, beside the agent's own and other people's.
    pub hidden: Vec<PathBuf>,
    /// Folders that they may read all the same.
    pub job_folders: Vec<PathBuf>,
    /// Jobs at once.
    pub slots: usize,
    pub path: String,
    pub hostname: String,
    pub clock: Arc<dyn Clock>,
}

impl AgentConfig {
    /// With defaults for what is not named: separate users and nothing more, cgroups, as many jobs at once as the machine
    /// has cores.
    pub fn new(
        data: impl Into<PathBuf>,
        server: ServerUrl,
        key: impl Into<String>,
        shim: (PathBuf, Vec<OsString>),
    ) -> Self {
        Self {
            data: data.into(),
            server,
            key: key.into(),
            edge_socket: None,
            shim,
            run_as: RunAs::SeparateUsers,
            cgroups: true,
            isolation: Isolation::Users,
            job_network: JobNetwork::Open,
            hidden: Vec::new(),
            job_folders: Vec::new(),
            slots: std::thread::available_parallelism().map_or(2, usize::from).min(MOST_SLOTS),
            path: DEFAULT_PATH.into(),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Refuses what cannot be kept: users of their own without root.
    pub fn check(&self) -> Result<(), Fault> {
        match self.run_as {
            RunAs::SeparateUsers => may_switch_user().map_err(|why| Fault::new(&faults::NEEDS_ROOT).with("why", why)),
            RunAs::SameUser => Ok(()),
        }
    }
}

impl std::fmt::Debug for AgentConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentConfig")
            .field("data", &self.data)
            .field("server", &self.server)
            .field("edge_socket", &self.edge_socket)
            .field("run_as", &self.run_as)
            .field("isolation", &self.isolation)
            .field("job_network", &self.job_network)
            .finish_non_exhaustive()
    }
}
