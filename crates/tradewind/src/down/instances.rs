//! Instances, jobs and the agent's other runs: every folder in which a shim was told to start something.

use super::Report;
use crate::folder::Folder;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::task::JoinSet;
use tradewind_model::protocol::agent::Desired;
use tradewind_targets::process::{Adopted, ProcessTarget};

/// For those that no stop policy is known of, jobs among them.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
struct Stop {
    signal: i32,
    grace: Duration,
}

/// Stops all of them side by side: the longest grace counts, not their sum.
pub fn stop_all(folder: &Folder, report: &mut Report) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let policies = policies(folder);
    runtime.block_on(async {
        let target = ProcessTarget::new("/proc/self/exe", ["shim"]);
        let mut stops = JoinSet::new();
        for Run { kind, id, dir } in runs(&folder.agent()) {
            let stop = policies.get(&id).copied().unwrap_or(Stop { signal: libc::SIGTERM, grace: GRACE });
            let target = target.clone();
            stops.spawn(async move {
                match target.adopt(&dir).await {
                    Ok(Adopted::Running(process)) => {
                        process.stop(stop.signal, stop.grace).await;
                        Some(kind)
                    }
                    // What cannot be read is left to the search in /proc.
                    Ok(Adopted::Exited(_) | Adopted::NeverStarted) | Err(_) => None,
                }
            });
        }
        while let Some(stopped) = stops.join_next().await {
            match stopped {
                Ok(Some(Kind::Instance)) => report.instances += 1,
                Ok(Some(Kind::Job)) => report.jobs += 1,
                Ok(None) | Err(_) => {}
            }
        }
    });
    Ok(())
}

#[derive(Clone, Copy)]
enum Kind {
    Instance,
    /// A task of a run, or the preparation of a release.
    Job,
}

struct Run {
    kind: Kind,
    /// The instance's, where it is one's.
    id: String,
    dir: PathBuf,
}

/// The folders below the agent's that a shim wrote `started.json` into: an owner's own, or one in it.
fn runs(agent: &Path) -> Vec<Run> {
    let mut found = Vec::new();
    for (place, kind) in [("instances", Kind::Instance), ("tasks", Kind::Job), ("releases", Kind::Job)] {
        for owner in children(&agent.join(place)) {
            let id = owner.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let dirs = std::iter::once(owner.clone()).chain(children(&owner));
            let started = dirs.filter(|d| d.join("started.json").exists());
            found.extend(started.map(|dir| Run { kind, id: id.clone(), dir }));
        }
    }
    found
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).map(|e| e.path()).collect()
}

/// How each instance wants to be stopped, from the state the agent kept.
fn policies(folder: &Folder) -> HashMap<String, Stop> {
    let kept = fs::read(folder.agent().join("desired.json")).unwrap_or_default();
    let desired: Desired = serde_json::from_slice(&kept).unwrap_or_default();
    desired
        .instances
        .into_iter()
        .map(|i| {
            let stop = Stop { signal: i.workload.stop.signal, grace: Duration::from_millis(i.workload.stop.grace_ms) };
            (i.id.to_string(), stop)
        })
        .collect()
}
