//! The control plane's HTTP: routes and their permissions, authentication, git over HTTP, streams.
//!
//! Architecture invariants: a route cannot be declared without its permission; handlers decide nothing; no secret is
//! logged or stored in the clear; nothing here knows an agent's address, because nothing here dials one.

pub mod agent;
mod app;
pub mod auth;
pub mod backup;
pub mod config;
mod console;
pub mod faults;
pub mod git;
pub mod hooks;
pub mod http;
pub mod plane;
pub mod routes;
mod start;
mod tls;

pub use app::App;
pub use auth::admin;
pub use config::{ListenTls, ServerConfig};
pub use start::{ServeError, Server, serve};
pub use tls::authority_fingerprint;
pub use tradewind_control::secrets::vault::KeySource;
