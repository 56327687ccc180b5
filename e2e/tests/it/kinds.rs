//! Workers and cron services: a worker's move is stop, then start; a cron service's runs are written down.

use crate::world::{World, until};
use serde_json::Value;
use std::fs;

/// Takes the data folder's lock for itself, and leaves a trace of every time it could not.
const WORKER: &str = "\
import fcntl, os, signal, sys, time
folder = os.environ['TRADEWIND_DATA_DIR']
trace = open(folder + '/trace', 'a', buffering=1)
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), trace.write('end ' + os.environ['TRADEWIND_RELEASE'] + '\\n'), os._exit(0)))
lock = open(folder + '/lock', 'w')
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    trace.write('TWO AT ONCE\\n')
    sys.exit(1)
trace.write('begin ' + os.environ['TRADEWIND_RELEASE'] + '\\n')
while True:
    time.sleep(0.05)
";

const WORKS: &str = "\
version: 1
service: sync
kind: worker
pipeline: none
run:
  command: [python3, -u, worker.py]
  stop: { grace: 5s }
environments: { production: { branch: main } }
strategy: { soak: 100ms }
";

const CRON: &str = "\
version: 1
service: nightly
kind: cron
pipeline: none
schedule: { cron: \"* * * * *\" }
run:
  command: [sh, -c, \"echo counted >> $TRADEWIND_DATA_DIR/counts\"]
environments: { production: { branch: main } }
strategy: { soak: 100ms }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_never_runs_twice_and_a_cron_service_keeps_its_history() {
    let world = World::begin().await;
    let nightly = world.service("nightly", CRON).await;
    nightly.release("v1", "well").await;
    nightly.ended("v1", "completed").await;

    let sync = world.service("sync", WORKS).await;
    sync.write("worker.py", WORKER);
    sync.release("v1", "well").await;
    sync.ended("v1", "completed").await;
    let folder = world.tradewind.data.join("agent/data/sync/production/default");
    let trace = || fs::read_to_string(folder.join("trace")).unwrap_or_default();
    let begun = async |label: &str| {
        let wanted = format!("begin {label}");
        until(&wanted, || async { (trace().lines().last() == Some(&wanted)).then_some(()) }).await;
    };
    begun("v1").await;
    for (label, role) in [("v2", "server"), ("v3", "agent")] {
        sync.release(label, "well").await;
        // In the middle of the move.
        world.tradewind.kill(role).unwrap();
        world.answers().await;
        sync.ended(label, "completed").await;
        begun(label).await;
    }
    world.answers().await;
    sync.run("rollback", &["--reason", "orders arrive twice"]).await;
    begun("v2").await;
    // One that cannot run is taken back, and its predecessor works again.
    sync.write("worker.py", "raise SystemExit(4)\n");
    sync.release("v4", "well").await;
    let rollout = sync.ended("v4", "failed").await;
    assert!(rollout["reason"].as_str().unwrap_or_default().contains("exit code 4"), "{rollout:#}");
    begun("v2").await;
    assert_eq!(sync.status().await["release"]["label"], "v2");
    let trace = trace();
    assert!(!trace.contains("TWO AT ONCE"), "{trace}");
    let lines: Vec<&str> = trace.lines().collect();
    for pair in lines.windows(2) {
        let (was, is) = (pair[0].split(' ').next(), pair[1].split(' ').next());
        assert_ne!(was, is, "{trace}");
    }

    let counts = world.tradewind.data.join("agent/data/nightly/production/default/counts");
    until("the cron service to have run", || async { counts.is_file().then_some(()) }).await;
    let run: Value = until("its run to be written down", || async { recorded(&world) }).await;
    assert!(run["started_at"].is_number() && run["finished_at"].is_number(), "{run}");
}

/// What the agent keeps of a run that has ended.
fn recorded(world: &World) -> Option<Value> {
    let instances = fs::read_dir(world.tradewind.data.join("agent/instances")).ok()?;
    let kept = instances.flatten().filter_map(|e| fs::read(e.path().join("instance.json")).ok());
    let runs = kept.filter_map(|text| serde_json::from_slice::<Value>(&text).ok()?["runs"]["runs"].as_array().cloned());
    runs.flatten().find(|run| run["outcome"]["type"] == "succeeded")
}
