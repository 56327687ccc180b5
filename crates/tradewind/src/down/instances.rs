//! Instances, jobs and the agent's other runs: every folder in which a shim was told to start something.

use super::Report;
use crate::folder::Folder;
use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::task::JoinSet;
use tradewind_model::protocol::agent::Desired;
use tradewind_targets::process::{Adopted, ProcessTarget};

/// For those that no stop policy is known of, jobs among them.
const GRACE: Duration = Duration::from_secs(10);

/// What a shim writes when it has started something.
const STARTED: &str = "started.json";

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

/// The folders below the agent's in which a shim was told to start something: by their names and their owner, which
/// only the agent gives. A job's workspace and a release hold whatever was pushed, and a shim that found its records
/// there would obey them with our own rights.
fn runs(agent: &Path) -> Vec<Run> {
    let us = rustix::process::geteuid().as_raw();
    let is_run = |dir: &Path| {
        fs::symlink_metadata(dir).is_ok_and(|m| m.uid() == us) && dir.join(STARTED).symlink_metadata().is_ok()
    };
    let mut found = Vec::new();
    for owner in children(&agent.join("instances")) {
        let dirs = [owner.clone(), owner.join("process")].into_iter().filter(|d| is_run(d));
        found.extend(dirs.map(|dir| Run { kind: Kind::Instance, id: name(&owner), dir }));
    }
    let of_tasks = children(&agent.join("tasks")).iter().flat_map(|task| children(task)).collect::<Vec<_>>();
    let steps = of_tasks.into_iter().filter(|d| name(d).ends_with(".process"));
    let preparations = children(&agent.join("releases")).into_iter().filter(|d| name(d).ends_with(".prepare"));
    let jobs = steps.chain(preparations).filter(|d| is_run(d));
    found.extend(jobs.map(|dir| Run { kind: Kind::Job, id: String::new(), dir }));
    found
}

fn name(dir: &Path) -> String {
    dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_agents_own_folders_are_taken_for_runs() {
        let tmp = tempfile::tempdir().unwrap();
        let pushed = ["tasks/1/work", "tasks/1/home", "releases/ab", "releases/ab/x.prepare", "instances/2/other"];
        let ours = ["instances/2/process", "instances/3", "tasks/1/script.process", "releases/ab.prepare"];
        for dir in pushed.iter().chain(&ours) {
            let dir = tmp.path().join(dir);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join(STARTED), "{}").unwrap();
        }
        fs::create_dir_all(tmp.path().join("instances/4/process")).unwrap();
        let mut found: Vec<PathBuf> = runs(tmp.path()).into_iter().map(|r| r.dir).collect();
        found.sort();
        let mut expected = ours.map(|d| tmp.path().join(d));
        expected.sort();
        assert_eq!(found, expected);
    }
}
