//! What proves the event log: the hash of an event, the chain, signed checkpoints of it, and the forms it is exported in.
//! No async, files, SQL, clock or source of chance: whoever holds the log or an export of it verifies with the same code.
//!
//! [`record`] is an event as it is stored and the bytes its hash is over; [`chain`] walks events and names the first
//! thing that does not fit; [`note`] is the form of what is signed, [`checkpoint`] what is said in it, [`key`] who signs;
//! [`line`] and [`csv`] are the forms of an export.

pub mod chain;
pub mod checkpoint;
pub mod csv;
pub mod faults;
pub mod key;
pub mod line;
pub mod note;
pub mod record;

pub use chain::{Broken, Chain, Link, Mark};
pub use checkpoint::{Checkpoint, Introduction};
pub use key::{Signer, Verifier};
pub use note::Note;
pub use record::{Record, Sealed};
