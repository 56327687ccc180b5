//! The only SQL of Tradewind: state rows, the event log, leases; and the artifact store.
//!
//! [`Store`] opens SQLite (one file, one server) or PostgreSQL (several servers). A change of state is a
//! [`transact!`], which writes rows ([`rows`]) and the events that tell of them in one transaction; reading goes through
//! [`Store::read`]. Row functions take a [`Reader`], so they work in both. Rows are seen within one tenant.
//!
//! Architecture invariants: no other crate has SQL; every statement is a constant that a test prepares on both
//! databases; a transaction that changes state without an event does not commit.

pub mod blobs;
mod conn;
pub mod error;
pub mod events;
pub mod faults;
pub mod hold;
pub mod lease;
pub mod logs;
pub mod migrate;
mod postgres;
mod reserve;
pub mod rows;
mod sqlite;
pub mod stmt;
mod store;
mod tx;
mod value;

pub use blobs::{BlobInfo, Blobs, Unfinished};
pub use error::{Result, StoreError};
pub use hold::Hold;
pub use logs::Logs;
#[doc(hidden)]
pub use store::Attempt;
pub use store::{Backend, Pace, Store};
pub use tx::{Reader, Snapshot, Tx};
pub use value::Json;
