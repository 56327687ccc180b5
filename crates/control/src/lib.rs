//! Use cases and reconcilers: load, decide (in `tradewind-model`), persist, signal.
//!
//! A use case is one write transaction: rows and events together. What has to happen in the world is written as rows of
//! desired state; the agents are told of them and report back ([`agents`]). Reconcilers take no input: they wake on a
//! commit or a timer, look at the rows, and do what is due, so nothing is lost when the process dies between two steps.

pub mod access;
pub mod agents;
pub mod audit;
pub mod certificates;
pub mod ctx;
pub mod error;
pub mod faults;
pub mod forges;
pub mod freezes;
pub mod hosts;
pub mod housekeeping;
pub mod judging;
pub mod overview;
pub mod policies;
pub mod releases;
pub mod rollouts;
pub mod rounds;
pub mod runs;
pub mod search;
pub mod secrets;
pub mod services;
pub mod status;
pub mod tasks;

pub use ctx::Ctx;
pub use error::{Error, Result};
