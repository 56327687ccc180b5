//! The words of Tradewind and its decisions, without clocks, sockets or SQL.
//!
//! Everything here is plain data or a pure function: `now` is always an argument, and what must happen is returned
//! as values. The crates around this one load, decide, persist and perform.

pub mod access;
pub mod event;
pub mod fault;
pub mod id;
pub mod log;
pub mod pipeline;
pub mod protocol;
pub mod release;
pub mod rollout;
pub mod said;
pub mod schedule;
pub mod secret;
pub mod shards;
pub mod spec;
pub mod time;
pub mod workload;
pub mod yaml;
