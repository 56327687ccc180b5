//! The edge at its borders: real sockets, a real control socket, real processes.

mod assignment;
mod forwarding;
mod support;
mod tables;
