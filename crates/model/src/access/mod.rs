//! Who may do what: actions, the roles that allow them, and where a role holds. Nothing is allowed that no grant allows.
//!
//! A person's rights are the sum of their grants; a token takes a part of its owner's. See ADR 0008.

mod action;
mod principal;
mod rights;
mod role;
mod subject;

pub use action::{Action, Ceiling};
pub use principal::{BadPrincipal, Principal};
pub use rights::{Cap, Grant, Refused, Rights};
pub use role::{Role, UnknownRole};
pub use subject::{Bounds, Part, Subject};
