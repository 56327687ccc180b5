//! What Tradewind says over HTTP: the wire types of `/api/v1` with their OpenAPI schemas ([`v1`]), and the typed
//! client that the command line and the tests use ([`client`]).
//!
//! Wire types are their own: neither the store's rows nor the core's state are ever serialized to a client, so both may
//! change without breaking one.

pub mod client;
pub mod v1;

pub use client::{ApiError, Client, EventQuery, Follow, Lines, LogQuery, Paging, Shown, shown_by};
