//! The agent against a server and an edge made for the tests, with real processes under real shims.

mod deploy;
mod edge;
mod restarts;
mod server;
mod tasks;
mod trouble;
mod world;
