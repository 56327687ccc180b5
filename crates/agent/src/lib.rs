//! The host role: one per machine. It brings releases, runs instances and tasks, resolves the edge's table and reports
//! what it sees.
//!
//! The server tells it what is *desired*; it reconciles towards that with or without the server, and reports what it
//! *observes*. Everything it needs after a kill is on disk, and nothing it started dies with it: see [`host`] for how
//! the parts meet.

pub mod config;
mod confine;
pub mod disk;
pub mod edge;
pub mod faults;
pub mod home;
pub mod host;
pub mod instance;
mod logs;
mod machine;
pub mod release;
pub mod scrape;
pub mod secrets;
pub mod server;
pub mod shards;
pub mod task;
pub mod time;
pub mod tree;
mod users;
mod window;
mod wire;

pub use config::{AgentConfig, Isolation, JobNetwork, RunAs};
pub use host::Error;
pub use server::ServerUrl;

/// Adopts what runs on this host and serves until `shutdown`. Instances and tasks go on without it.
///
/// # Errors
/// When it may not start (rights, a folder it cannot write) or a part of it broke; another one adopts what runs.
pub async fn run(config: AgentConfig, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    host::Host::open(config).await?.run(shutdown).await
}
