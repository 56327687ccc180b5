//! Requests to addresses that people or other systems name: webhooks, object stores, notifications, commit statuses.
//!
//! Such an address must not lead back inside. So: `http` and `https` only; the name is resolved once, every address it has
//! is looked at ([`Guard`]), and the connection goes to an address that was looked at, never to what a second question to
//! the name server would answer; each redirect starts over; time and size have ends; no proxy is taken from the
//! environment; certificates are checked, always, against the machine's own authorities.

mod client;
mod error;
pub mod faults;
mod guard;
mod resolve;

pub use client::{Outbound, Reply, Request};
pub use error::OutboundError;
pub use guard::{BadNet, Guard, Net, Refusal};
pub use resolve::{Resolve, System};
