//! Every route, a file a subject. Handlers parse, call a use case and show its answer; nothing is decided here.

mod access;
mod audit;
mod backup;
mod certificates;
mod events;
mod export;
mod forges;
mod freezes;
mod help;
mod hooks;
mod hosts;
mod logs;
mod me;
mod overview;
mod people;
mod plane;
mod policies;
mod rollouts;
mod runs;
mod search;
mod secrets;
mod services;
mod system;

pub use crate::http::route::Route;
pub use help::catalog;

/// What the server serves. The router and the OpenAPI document are both made from this.
pub fn all() -> Vec<Route> {
    [
        system::routes(),
        help::routes(),
        access::routes(),
        me::routes(),
        people::routes(),
        policies::routes(),
        services::routes(),
        overview::routes(),
        search::routes(),
        hosts::routes(),
        runs::routes(),
        rollouts::routes(),
        certificates::routes(),
        freezes::routes(),
        forges::routes(),
        hooks::routes(),
        secrets::routes(),
        logs::routes(),
        events::routes(),
        audit::routes(),
        backup::routes(),
        plane::routes(),
        crate::git::routes::routes(),
        crate::agent::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
