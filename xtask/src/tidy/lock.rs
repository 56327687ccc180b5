//! The lock file names the public registry and nothing else, so that it means the same on every machine.

use super::Findings;
use anyhow::Result;
use std::path::Path;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub fn check(root: &Path, findings: &mut Findings) -> Result<()> {
    findings.wrong.extend(foreign(&std::fs::read_to_string(root.join("Cargo.lock"))?));
    Ok(())
}

fn foreign(lock: &str) -> Vec<String> {
    let sources = lock.lines().filter_map(|l| l.strip_prefix("source = ")).map(|s| s.trim_matches('"'));
    let mut found: Vec<String> =
        sources.filter(|s| *s != REGISTRY).map(|s| format!("Cargo.lock takes a crate from {s}")).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn other_registries_are_found() {
    assert!(foreign(&format!("source = \"{REGISTRY}\"\n")).is_empty());
    assert_eq!(
        foreign("source = \"sparse+https://example.com/\"\nsource = \"sparse+https://example.com/\"\n").len(),
        1
    );
}
