//! What the server is told at its start.

use crate::backup::Schedule;
use std::{net::SocketAddr, path::PathBuf};
use tradewind_control::{audit, certificates::acme::Authority, secrets::vault::KeySource};
use tradewind_outbound::Guard;

#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The data folder; made where there is none.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// The same over TLS.
    pub tls: Option<ListenTls>,
    /// `postgres://…`; none: SQLite in the data folder.
    pub database: Option<String>,
    /// What secrets are sealed with; a file that is not there is made, unless something is sealed already.
    pub vault: KeySource,
    /// The program that git's hooks run as `EXE git-hook NAME`: this one.
    pub exe: PathBuf,
    /// Checkpoints of the event log.
    pub audit: audit::Settings,
    /// Networks of somebody's own that requests may go out to.
    pub outbound: Guard,
    /// How clients reach the API, where somebody said it: for links to it.
    pub public_url: Option<String>,
    /// Backups by the clock; none: nobody makes them but people.
    pub backups: Option<Schedule>,
    /// Whom certificates are asked of; nobody: those that are added are all.
    pub authority: Option<Authority>,
}

/// Where the API is served over TLS, and with which certificate.
#[derive(Clone, Debug)]
pub struct ListenTls {
    pub addr: SocketAddr,
    /// Chain and key, PEM, which another program renews; none: issued by an authority of the server's own.
    pub files: Option<(PathBuf, PathBuf)>,
    /// Names and addresses that a certificate issued here is for; `localhost` and loopback addresses are added.
    pub names: Vec<String>,
}

/// In the data folder: the authority that clients may believe, PEM. Made when it is needed.
pub const AUTHORITY: &str = "api-authority.pem";

impl ServerConfig {
    pub fn database_at(&self) -> String {
        self.database.clone().unwrap_or_else(|| self.data.join("tradewind.db").to_string_lossy().into_owned())
    }

    pub fn repositories(&self) -> PathBuf {
        self.data.join("git")
    }

    /// Bundles and artifacts.
    pub fn blobs(&self) -> PathBuf {
        self.data.join("blobs")
    }

    /// Logs of jobs.
    pub fn logs(&self) -> PathBuf {
        self.data.join("job-logs")
    }

    /// Keys of the server's own.
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    pub fn hooks(&self) -> PathBuf {
        self.data.join("git-hooks")
    }

    pub fn hook_socket(&self) -> PathBuf {
        self.data.join("run").join("git-hook.sock")
    }
}
