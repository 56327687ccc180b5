//! The edge: the reverse proxy in front of the instances.
//!
//! A small *holder* ([`holder`]) owns the listening sockets and keeps a *worker* ([`worker`]) running that serves them.
//! The worker follows tables that an agent sends over `run/edge.sock` ([`tradewind_model::protocol::edge`]), and serves
//! the last one with or without an agent.
//!
//! A request's way is `serve` → `proxy` (choose, forward, headers, body) → `pool`; a table's way is `link` → `control` →
//! `switch` → `registry` → `table`. Serving threads share the published table, counters by thread, and nothing else;
//! everything about tables happens on the control thread.

mod access_log;
mod addresses;
mod admin;
mod clients;
mod clock;
mod control;
mod counters;
mod disk;
mod error;
pub mod faults;
#[cfg(fuzzing)]
pub mod fuzz;
mod handover;
mod health;
mod holder;
mod link;
mod metrics;
mod network;
mod pool;
mod proxy;
mod registry;
mod serve;
mod shard;
mod sockets;
mod succession;
mod switch;
mod table;
mod target;
mod tls;
mod units;
mod worker;

pub use access_log::AccessLog;
pub use clients::ClientRules;
pub use error::EdgeError;
pub use holder::{HolderConfig, holder};
pub use network::{Network, NetworkError};
pub use sockets::{SocketError, Sockets};
pub use worker::{Worker, WorkerConfig, worker};
