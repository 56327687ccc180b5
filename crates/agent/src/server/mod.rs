//! The server as the agent sees it: one stream it dialled ([`session`]) and plain requests beside it ([`requests`]).

mod requests;
mod session;

pub use requests::{RequestError, Server, ServerUrl};
pub use session::{FromServer, Greeting, Outbox, keep_session};
