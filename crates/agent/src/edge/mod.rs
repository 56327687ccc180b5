//! The edge as the agent sees it: what it should serve ([`compose`]), what it may still be serving ([`ledger`]), the
//! numbers of its tables ([`versions`]), what it counts for the server ([`units`]) and the socket between them
//! ([`link`]).

pub mod compose;
pub mod ledger;
pub mod link;
pub mod units;
pub mod versions;
