//! What holds jobs in on this host.

use crate::{
    config::{AgentConfig, Isolation, JobNetwork, RunAs},
    faults,
};
use std::path::Path;
use tradewind_model::{fault::Fault, protocol::shim::ShimSpec};
use tradewind_targets::{
    metadata,
    sandbox::{Lack, Network, Own, Sandbox},
    users,
};

/// Decided once, at the agent's start.
#[derive(Debug)]
pub enum Confinement {
    Sandbox(Sandbox),
    /// Their users alone.
    Users,
    /// They do not run: what is asked for cannot be had.
    Refused(String),
}

impl Confinement {
    /// Blocks for as long as one attempt takes.
    pub fn on_this_host(config: &AgentConfig) -> Self {
        if config.job_network == JobNetwork::NoMetadata && config.run_as == RunAs::SeparateUsers {
            match metadata::hide(&users::JOBS) {
                Ok(()) => {}
                Err(why) => {
                    tracing::warn!(why, "jobs can reach the addresses at which a cloud hands out its credentials")
                }
            }
        }
        let (network, needed) = match config.job_network {
            JobNetwork::Open | JobNetwork::NoMetadata => (Network::Shared, config.isolation == Isolation::Required),
            JobNetwork::None => (Network::None, true),
        };
        if config.isolation == Isolation::Users && !needed {
            return Self::Users;
        }
        let user = match config.run_as {
            RunAs::SeparateUsers => users::of_job(0),
            RunAs::SameUser => None,
        };
        let hidden = config.hidden.iter().cloned().chain([config.data.clone()]).collect();
        match Sandbox::find(&config.path, user, hidden, config.job_folders.clone(), network) {
            Ok(sandbox) => {
                tracing::info!(program = sandbox.version, "jobs see their own files and a read-only system");
                Self::Sandbox(sandbox)
            }
            Err(lack) if needed => Self::Refused(lack.to_string()),
            Err(lack @ Lack::Absent) => {
                tracing::info!(%lack, "jobs are held in by their users alone");
                Self::Users
            }
            Err(lack @ Lack::Refused(_)) => {
                tracing::warn!(%lack, "jobs are held in by their users alone");
                Self::Users
            }
        }
    }

    /// Holds in what `spec` would start.
    ///
    /// # Errors
    /// [`faults::NOT_CONFINED`] where nothing may run.
    pub fn around(&self, spec: ShimSpec, own: &Own) -> Result<ShimSpec, Fault> {
        match self {
            Self::Sandbox(sandbox) => {
                let command = sandbox.wrap(own, Path::new(&spec.cwd), &spec.command);
                Ok(ShimSpec { command, wrapped: true, ..spec })
            }
            Self::Users => Ok(spec),
            Self::Refused(why) => Err(Fault::new(&faults::NOT_CONFINED).with("why", why)),
        }
    }
}
