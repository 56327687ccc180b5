//! What the figures were taken on, and what processes cost there.

use anyhow::{Context, Result};
use std::{collections::BTreeSet, fs, process::Command, time::Duration};

/// One line: processor, cores, kernel.
pub fn describe() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or(": unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    let model = model.trim_start_matches([' ', '\t', ':']).trim();
    Ok(format!("{model}, {cores} cores, Linux {}", kernel.trim()))
}

/// `nginx/1.22.1`: the first line a program says about its version.
pub fn version(program: &str, argument: &str) -> Result<String> {
    let out =
        Command::new(program).arg(argument).output().with_context(|| format!("{program}: scripts/setup bench"))?;
    let said = [out.stdout, out.stderr].concat();
    Ok(String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned())
}

/// A process and all below it.
pub fn family(pid: u32) -> BTreeSet<u32> {
    let mut all = BTreeSet::from([pid]);
    let mut look = vec![pid];
    while let Some(parent) = look.pop() {
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|c| c.parse().ok()) {
            if all.insert(child) {
                look.push(child);
            }
        }
    }
    all
}

/// Processor time a family has used, user and system.
pub fn cpu_time(pid: u32) -> Duration {
    let ticks = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let total: u64 = family(pid).into_iter().filter_map(ticks).sum();
    // The kernel reports to user space in hundredths of a second.
    Duration::from_millis(total * 10)
}

#[test]
fn this_process_is_in_its_family() {
    assert!(family(std::process::id()).contains(&std::process::id()));
}
