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

/// How users and groups are called: 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter.
pub fn is_handle(text: &str) -> bool {
    let b = text.as_bytes();
    (1..=64).contains(&b.len())
        && b[0].is_ascii_lowercase()
        && b.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'_' | b'-'))
}
