//! What the processes of one data folder weigh: PSS, so that shared pages count once.

use anyhow::Result;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A kind of process: how many, and their PSS together in bytes.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Weight {
    pub count: u64,
    pub bytes: u64,
}

impl std::ops::Add for Weight {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { count: self.count + other.count, bytes: self.bytes + other.bytes }
    }
}

struct Process {
    pid: u32,
    parent: u32,
    words: Vec<String>,
}

/// By role: `up`, `server`, `agent`, `edge`, `edge-worker`, `shim`, and `instance` for what shims run.
pub fn weigh(data: &Path) -> Result<BTreeMap<String, Weight>> {
    let data = data.canonicalize()?.to_string_lossy().into_owned();
    let all = processes()?;
    let mut roles: BTreeMap<u32, String> = BTreeMap::new();
    for p in &all {
        let ours = p.words.first().is_some_and(|w| w.rsplit('/').next() == Some("tradewind"));
        if ours && p.words.iter().any(|w| w.contains(&data)) {
            roles.insert(p.pid, p.words.get(1).cloned().unwrap_or_default());
        }
    }
    // What a shim runs is an instance; what others start belongs to them.
    let mut known: BTreeSet<u32> = roles.keys().copied().collect();
    loop {
        let new: Vec<&Process> = all.iter().filter(|p| known.contains(&p.parent) && !known.contains(&p.pid)).collect();
        if new.is_empty() {
            break;
        }
        for p in new {
            let of = roles.get(&p.parent).cloned().unwrap_or_default();
            roles.insert(p.pid, if of == "shim" { "instance".into() } else { of });
            known.insert(p.pid);
        }
    }
    let mut weights: BTreeMap<String, Weight> = BTreeMap::new();
    for (pid, role) in roles {
        if let Some(bytes) = pss(pid) {
            let weight = weights.entry(role).or_default();
            weight.count += 1;
            weight.bytes += bytes;
        }
    }
    Ok(weights)
}

fn processes() -> Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        // Any of these may end while we look.
        let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        let words = line.split(|b| *b == 0).map(|w| String::from_utf8_lossy(w).into_owned()).collect();
        found.push(Process { pid, parent: parent.unwrap_or(0), words });
    }
    Ok(found)
}

/// Bytes; `None` when the process has ended or is not ours to read.
fn pss(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find(|l| l.starts_with("Pss:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[test]
fn this_very_process_weighs_something() {
    assert!(pss(std::process::id()).unwrap() > 100_000);
}
