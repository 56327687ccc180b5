use serde::{Deserialize, Serialize};
use std::fmt;

/// What a request does, as far as rights tell it apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See services, runs, releases, rollouts and what happened to them; clone.
    Read,
    /// Read what instances write: it may hold customers' data.
    ReadLogs,
    /// Read every event, and prove and export the log.
    ReadAudit,
    /// Push commits and start what follows; make a service.
    Push,
    /// Start, repeat and cancel jobs.
    Run,
    /// Ask for a rollout, let a paused one go on, open a queue that a failure closed.
    Deploy,
    /// Go back, abort, pause: the safe direction.
    Revert,
    /// Decide in the judge's place: promote a wave, change its share.
    Steer,
    /// Set and lift freezes.
    Freeze,
    /// Answer for a gate.
    Approve,
    /// Set and remove secrets, and see which there are.
    Secrets,
    /// Change what an environment demands.
    Policy,
    /// People, groups, roles, invitations, and tokens of others.
    Access,
    /// Machines, certificates, keys, backups: the installation itself.
    System,
}

impl Action {
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::ReadLogs,
        Self::ReadAudit,
        Self::Push,
        Self::Run,
        Self::Deploy,
        Self::Revert,
        Self::Steer,
        Self::Freeze,
        Self::Approve,
        Self::Secrets,
        Self::Policy,
        Self::Access,
        Self::System,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadLogs => "read_logs",
            Self::ReadAudit => "read_audit",
            Self::Push => "push",
            Self::Run => "run",
            Self::Deploy => "deploy",
            Self::Revert => "revert",
            Self::Steer => "steer",
            Self::Freeze => "freeze",
            Self::Approve => "approve",
            Self::Secrets => "secrets",
            Self::Policy => "policy",
            Self::Access => "access",
            Self::System => "system",
        }
    }

    /// The least a token must be made for.
    pub fn ceiling(self) -> Ceiling {
        match self {
            Self::Read | Self::ReadLogs | Self::ReadAudit => Ceiling::Read,
            Self::Push | Self::Run | Self::Deploy | Self::Revert | Self::Steer | Self::Freeze | Self::Approve => {
                Ceiling::Deploy
            }
            Self::Secrets | Self::Policy | Self::Access | Self::System => Ceiling::Admin,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a token reaches at most, whatever its owner may; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceiling {
    Read,
    Deploy,
    Admin,
}
