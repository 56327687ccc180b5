//! Numbers for tables, rising across restarts, and the probe token. Kept in one small file.
//!
//! Numbers are reserved on disk in blocks, so that sending a table costs no write.

use crate::disk::{self, Outlives, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const BLOCK: u64 = 1_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    probe_token: String,
    /// No table ever had this number or a higher one.
    reserved: u64,
}

#[derive(Debug)]
pub struct Versions {
    path: PathBuf,
    probe_token: String,
    next: u64,
    reserved: u64,
}

impl Versions {
    pub fn open(path: PathBuf) -> Result<Self> {
        let kept = disk::read_json::<Kept>(&path).unwrap_or_else(|error| {
            tracing::error!(%error, "the edge's numbers are lost; the edge's own will be taken up");
            None
        });
        let (probe_token, reserved) = kept.map_or_else(|| (random_token(), 1), |k| (k.probe_token, k.reserved));
        let mut versions = Self { path, probe_token, next: reserved, reserved };
        versions.reserve(reserved)?;
        Ok(versions)
    }

    pub fn probe_token(&self) -> &str {
        &self.probe_token
    }

    /// The edge says it serves this one: ours continue above it.
    pub fn seen(&mut self, version: u64) {
        self.next = self.next.max(version.saturating_add(1));
    }

    pub fn take(&mut self) -> Result<u64> {
        if self.next >= self.reserved {
            self.reserve(self.next)?;
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// The next number even where none can be reserved: the edge tells a later agent what it serves.
    pub fn take_unreserved(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn reserve(&mut self, from: u64) -> Result<()> {
        let reserved = from.saturating_add(BLOCK);
        let kept = Kept { probe_token: self.probe_token.clone(), reserved };
        disk::write_json(&self.path, &kept, Outlives::Machine)?;
        self.reserved = reserved;
        Ok(())
    }
}

fn random_token() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_across_restarts_and_above_what_the_edge_has_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("edge.json");
        let mut last = 0;
        for _ in 0..3 {
            let mut versions = Versions::open(path.clone()).unwrap();
            for _ in 0..1_500 {
                let next = versions.take().unwrap();
                assert!(next > last);
                last = next;
            }
        }
        let mut versions = Versions::open(path.clone()).unwrap();
        let token = versions.probe_token().to_owned();
        versions.seen(1_000_000);
        assert_eq!(versions.take().unwrap(), 1_000_001);
        drop(versions);
        let mut again = Versions::open(path).unwrap();
        assert!(again.take().unwrap() > 1_000_001);
        assert_eq!(again.probe_token(), token);
    }
}
