//! The edge at its borders: real sockets, a real control socket, real processes.

mod assignment;
mod forwarding;
mod health;
mod hostile;
mod http2;
mod observing;
mod processes;
mod secure;
mod succession;
mod support;
mod tables;
mod ticks;
mod trial;
mod tunnels;
mod units;
