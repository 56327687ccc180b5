//! The protocols between the processes: server and agent ([`agent`]), agent and edge ([`edge`]), agent and shim
//! ([`shim`]). [`trial`] is what server, agent and edge say of a canary. All carry one JSON value a line. Each names its version first; N-1 is supported; unknown fields and
//! unknown message types are ignored by the older side.

pub mod agent;
pub mod command;
pub mod edge;
pub mod machine;
pub mod scrape;
pub mod secret;
pub mod shim;
pub mod trial;
