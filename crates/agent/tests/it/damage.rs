//! Each small record of the agent cut short or overwritten: the agent starts, and nothing else is lost.

use crate::{
    tasks::{has_source, id, job, log, pid_in, task, until_log},
    world::*,
};
use rustix::process::test_kill_process;
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use tradewind_model::{
    id::Digest,
    protocol::agent::{DesiredInstance, InstancePhase, TaskResult, TaskState},
};

/// What is left of a file: nothing, half of it, something else, other JSON, not even a file.
fn damage(path: &Path, how: usize) {
    let whole = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let left = match how {
        0 => Vec::new(),
        1 => whole[..whole.len() / 2].to_vec(),
        2 => vec![0x5a; whole.len()],
        3 => b"[42]".to_vec(),
        _ => return std::fs::remove_file(path).unwrap(),
    };
    std::fs::write(path, left).unwrap();
}

async fn live(w: &mut World) -> (Digest, [DesiredInstance; 2]) {
    let v1 = w.app_release(1);
    let pair = [1, 2].map(|n| desired_instance(n, v1, 1, workload(&[])));
    w.want(|d| {
        d.instances = pair.to_vec();
        d.routes = vec![route(1, &[(1, 10_000)])];
    });
    w.until("live", |o| o.routes.first().is_some_and(|r| r.splits[0].ready_targets == 2)).await;
    (v1, pair)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_damaged_record_costs_an_instance_or_a_request() {
    let mut w = World::new().await;
    let (release, pair) = live(&mut w).await;
    let ids = pair.each_ref().map(|i| i.id);
    let (folder, files) = (w.agent_folder(), w.agent_folder().join("releases").join(release.hex()));
    let record = |n: usize| folder.join("instances").join(ids[n].to_string()).join("instance.json");
    let one = |name: &str| vec![folder.join(name)];
    let mut cases: Vec<Vec<PathBuf>> = vec![
        one("desired.json"),
        one("ports.json"),
        one("edge.json"),
        vec![files.with_extension("json")],
        vec![record(0)],
        vec![record(0), record(1), folder.join("ports.json"), files.with_extension("json")],
    ];
    if folder.join("users.json").exists() {
        cases.push(one("users.json"));
    }
    let seen = w.server.observed.borrow().clone();
    let before = ids.map(|id| instance(&seen, id).unwrap().clone());
    let who = get(before[0].addr.unwrap(), "/who").await;
    let data = folder.join("data/shop/production/default");
    let owner = std::fs::metadata(&data).unwrap().uid();
    let unpacked = std::fs::metadata(&files).unwrap().ino();
    for (case, how) in cases.iter().flat_map(|c| (0..5).map(move |how| (c, how))) {
        w.drop_agent().await;
        case.iter().for_each(|path| damage(path, how));
        w.want(|_| {});
        w.start_agent();
        let both = |o: &_| ids.iter().all(|id| instance(o, *id).is_some_and(|i| i.phase == InstancePhase::Ready));
        let seen = w.until(&format!("both ready after damage {how} to {case:?}"), both).await;
        for (id, before) in ids.iter().zip(&before) {
            let now = instance(&seen, *id).unwrap();
            assert_eq!((now.pid, now.addr), (before.pid, before.addr), "{how}: {case:?}");
        }
        w.until_table("both", |s| s == [(10_000, 2)]).await;
    }
    assert_eq!(w.edge.left(), [], "some table left one out");
    assert_eq!(get(before[0].addr.unwrap(), "/who").await, who);
    assert_eq!(std::fs::metadata(&data).unwrap().uid(), owner);
    assert_eq!(
        std::fs::metadata(&files).unwrap().ino(),
        unpacked,
        "the release was unpacked again below those that use it"
    );

    // What is given out from now on is nobody else's.
    let mut other = desired_instance(3, release, 2, workload(&[]));
    other.place.service = "other".parse().unwrap();
    w.want(|d| d.instances.push(other.clone()));
    let third = w.until_phase(other.id, InstancePhase::Ready).await;
    assert!(before.iter().all(|b| b.addr != third.addr));
    if folder.join("users.json").exists() {
        assert_ne!(get(third.addr.unwrap(), "/who").await.split(' ').nth(2), who.split(' ').nth(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_record_is_damaged_is_stopped_and_not_run_again() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let folder = |w: &World, n| w.agent_folder().join("tasks").join(id(n).to_string());
    let sleeps = job(&["echo $$ > main.pid; echo begun", "sleep 1000"]);
    w.want(|d| d.tasks = (1..3).map(|n| task(n, sleeps.clone())).collect());
    let mut pids = Vec::new();
    for n in 1..3 {
        until_log(&w, n, "begun\n").await;
        pids.push(pid_in(folder(&w, n).join("work/main.pid")).await);
    }
    w.drop_agent().await;
    for (n, file) in [(1, "task.json"), (2, "task.json"), (2, "journal.json")] {
        damage(&folder(&w, n).join(file), n as usize);
    }
    w.want(|_| {});
    w.start_agent();
    for (n, pid) in (1..3).zip(pids) {
        let lost = |s: &TaskState| matches!(s, TaskState::Done(r) if matches!(&**r, TaskResult::Error { code, .. } if code == "TW-AGENT-012"));
        w.until("lost", |o| o.tasks.iter().any(|t| t.id == id(n) && lost(&t.state))).await;
        assert!(test_kill_process(pid).is_err(), "{n} runs on");
        assert_eq!(log(&w, n).lines().filter(|l| *l == "begun").count(), 1);
    }
}
