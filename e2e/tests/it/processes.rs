//! Processes of a world, by what `/proc` says of them.

use crate::world::World;
use std::{fs, path::Path};
use tradewind_testkit::rig;

pub fn kill(pid: u32) {
    // It may be gone already; what matters is that it is.
    let _ = rig::kill(pid);
}

/// Runs; one that has ended and waits for its parent does not.
pub fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

fn all() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(|p| runs(*p))
}

/// The command line of a process of Tradewind's own in this world.
fn words_of_ours(world: &World, pid: u32) -> Option<Vec<String>> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> = line.split(|b| *b == 0).map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    let data = world.tradewind.data.to_string_lossy();
    let ours = words[0].rsplit('/').next() == Some("tradewind") && words.iter().any(|w| w.contains(&*data));
    ours.then_some(words)
}

/// Tradewind's own processes of a world whose command line has this word: a role, `shim`, or any.
pub fn ours(world: &World, word: Option<&str>) -> Vec<u32> {
    let has = |words: Vec<String>| word.is_none_or(|word| words.get(1).is_some_and(|w| w == word));
    all().filter(|pid| words_of_ours(world, *pid).is_some_and(has)).collect()
}

/// Whatever works in a folder of the agent and is not Tradewind: instances, jobs and what they left behind. A shim's
/// child that waits for its leave to begin is still Tradewind.
pub fn working_in(world: &World) -> Vec<u32> {
    let agent = world.tradewind.data.join("agent");
    let inside = |pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&agent));
    all().filter(inside).filter(|pid| words_of_ours(world, *pid).is_none()).collect()
}

/// Processes with this word in their command line, wherever they went.
pub fn named(word: &str) -> Vec<u32> {
    let line = |pid: &u32| fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("cmdline"));
    all().filter(|pid| line(pid).is_ok_and(|l| l.contains(word))).collect()
}
