//! The event log: facts written with the state they tell of, numbered and chained shortly after, read by everyone.
//!
//! Commit order is not insertion order on PostgreSQL, so numbers are not given at insertion: one [`Sealer`] gives
//! them, in a transaction of its own, and readers see sealed events only. Nothing ever appears *before* what a reader
//! has already seen.

pub mod audit;
mod envelope;
pub mod read;
pub mod seal;
pub(crate) mod write;

pub use audit::{Verification, verify};
pub use read::{Filter, after, before, follow, get, of_subject, stored_after};
pub use seal::{Sealer, head};
pub use tradewind_audit::{Broken, Mark};
