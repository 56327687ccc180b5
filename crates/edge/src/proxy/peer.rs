//! A client connection, or one stream of it: what it adds to its requests, and where the one under way is.

use super::{origin::Origin, timer::Timer};
use crate::clients::ClientRules;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

pub struct Peer {
    pub origin: Origin,
    /// Its word on where its requests come from is taken.
    pub is_trusted: bool,
    /// The connection's.
    pub timer: Arc<Timer>,
    /// In milliseconds of uptime; 0 before the first.
    last_request_ms: AtomicU64,
    turn: AtomicU8,
    /// Pieces of answers that were handed over for sending.
    handed: AtomicU32,
}

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Nothing is asked, or the answer is whole and what is left of it waits to be sent.
    Nobody,
    /// The instance has to say something.
    Instance,
    /// The client has to take what it was sent, before it is sent more.
    Client,
}

impl Peer {
    pub fn new(addr: SocketAddr, is_secure: bool, rules: &ClientRules) -> Self {
        let ip = crate::registry::header(&addr.ip().to_canonical().to_string());
        Self {
            origin: Origin { ip, is_secure },
            is_trusted: rules.trusts(addr.ip()),
            timer: Arc::default(),
            last_request_ms: AtomicU64::new(0),
            turn: AtomicU8::new(Turn::Nobody as u8),
            handed: AtomicU32::new(0),
        }
    }

    /// For one of several requests at once on this connection.
    pub fn stream(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            is_trusted: self.is_trusted,
            timer: self.timer.clone(),
            last_request_ms: AtomicU64::new(0),
            turn: AtomicU8::new(Turn::Nobody as u8),
            handed: AtomicU32::new(0),
        }
    }

    pub fn asked(&self, at_ms: u64) {
        self.last_request_ms.store(at_ms.max(1), Relaxed);
        self.pass(Turn::Instance);
    }

    pub fn last_request_ms(&self) -> Option<u64> {
        Some(self.last_request_ms.load(Relaxed)).filter(|ms| *ms > 0)
    }

    pub fn pass(&self, turn: Turn) {
        if turn == Turn::Client {
            // One thread drives the connection: there is nobody to add at the same time.
            self.handed.store(self.handed().wrapping_add(1), Relaxed);
        }
        self.turn.store(turn as u8, Relaxed);
    }

    pub fn turn(&self) -> Turn {
        match self.turn.load(Relaxed) {
            0 => Turn::Nobody,
            1 => Turn::Instance,
            _ => Turn::Client,
        }
    }

    pub fn handed(&self) -> u32 {
        self.handed.load(Relaxed)
    }
}
