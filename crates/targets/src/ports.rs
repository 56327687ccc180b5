//! Ports for instances on 127.0.0.1. An instance keeps its port over restarts of itself and of the agent.

use crate::numbers::Numbers;
use std::{
    hash::{BuildHasher, RandomState},
    io,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    path::Path,
};

/// Below the ports that Linux gives to outgoing connections (32768 and up), which would come and take ours.
pub const RANGE: Range<u16> = 20_000..30_000;

const NUMBERS: Range<u32> = RANGE.start as u32..RANGE.end as u32;

#[derive(Debug)]
pub struct Ports(Numbers);

#[derive(Debug, thiserror::Error)]
pub enum PortError {
    #[error("the record of ports: {0}")]
    Record(#[from] io::Error),
    #[error("no port is free from {from} to {to}")]
    NoneFree { from: u16, to: u16 },
}

impl Ports {
    /// `path` is the file that remembers them; a damaged one is an error of the kind `InvalidData`.
    pub fn open(path: &Path) -> io::Result<Self> {
        Numbers::open(path, NUMBERS).map(|numbers| Self::from(numbers, path))
    }

    /// Puts a damaged file aside and begins with nobody; those who are known to have a port [`keep`](Self::keep) it.
    pub fn renew(path: &Path) -> io::Result<Self> {
        Numbers::renew(path, NUMBERS).map(|numbers| Self::from(numbers, path))
    }

    fn from(numbers: Numbers, path: &Path) -> Self {
        // Two agents on one machine would otherwise walk through the same ports in step, and one's instance could answer
        // for the other's between the look and the bind.
        let anywhere = RandomState::new().hash_one(path) % u64::from(RANGE.end - RANGE.start);
        Self(numbers.beginning_at(u32::from(RANGE.start) + anywhere as u32))
    }

    /// The port `owner` has (whether or not somebody listens on it), or one that was free just now.
    pub fn assign(&self, owner: &str) -> Result<u16, PortError> {
        let number = self.0.assign(owner, |n| u16::try_from(n).is_ok_and(|port| !in_use(port)))?;
        let none = PortError::NoneFree { from: RANGE.start, to: RANGE.end - 1 };
        number.and_then(|n| u16::try_from(n).ok()).ok_or(none)
    }

    pub fn get(&self, owner: &str) -> Option<u16> {
        self.0.get(owner).and_then(|n| u16::try_from(n).ok())
    }

    /// Records the port that `owner` is known to have, unless another has it.
    pub fn keep(&self, owner: &str, port: u16) -> io::Result<()> {
        self.0.keep(owner, u32::from(port))
    }

    pub fn release(&self, owner: &str) -> io::Result<()> {
        self.0.release(owner)
    }

    /// Gives back the ports of all whom `keep` does not name.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> io::Result<()> {
        self.0.retain(keep)
    }
}

/// Somebody listens on the port, on 127.0.0.1 or on all addresses. Connections that are only being forgotten do not
/// count, as they do not for a server that starts.
pub fn in_use(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}
