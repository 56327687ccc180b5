//! A cron service that is tried shop by shop with the real program: judged by its exit codes, whoever dies meanwhile.

use crate::world::{Service, World, until};
use serde_json::Value;
use std::fs;

/// Takes its shop's lock, and leaves a trace of every run and of every time it could not.
const RUN: &str = "\
import fcntl, os, sys, time
folder, shop = os.environ['TRADEWIND_DATA_DIR'], os.environ['TRADEWIND_SHARDS']
trace = open(folder + '/trace', 'a', buffering=1)
lock = open(folder + '/lock-' + shop, 'w')
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    trace.write('TWO AT ONCE\\n')
    sys.exit(9)
trace.write(os.environ['TRADEWIND_RELEASE'] + ' ' + shop + '\\n')
time.sleep(0.1)
sys.exit(3 if open('how').read().strip() == 'fails' else 0)
";

/// Quick to promote: what is tried here is the way, and not how much evidence is enough.
const SPEC: &str = "\
version: 1
service: reprice
kind: cron
pipeline: none
schedule: { cron: \"* * * * * *\" }
run:
  command: [python3, -S, -u, reprice.py]
  shards: [my, br, us]
  stop: { grace: 5s }
environments: { production: { branch: main } }
strategy: { type: canary, steps: [1, 100%], min: 1s, max: 90s, soak: 100ms, watch: 1s, judge: { floor: 30% } }
";

/// When some of its runs have been counted.
async fn judged(reprice: &Service<'_>, label: &str) {
    let counted = |r: &Value| {
        let evidence = r.pointer("/judgement/promotion").and_then(Value::as_f64).unwrap_or(0.0);
        let over = r["finished_at"].is_string();
        (r["to"]["label"] == label && (over || evidence > 1.05)).then(|| assert!(!over, "too soon: {r:#}"))
    };
    reprice.world.until(&format!("{label} to be judged"), "rollout show reprice", counted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cron_service_goes_up_and_back_by_how_its_runs_end() {
    let world = World::begin().await;
    let reprice = world.service("reprice", SPEC).await;
    reprice.write("reprice.py", RUN);
    reprice.release("v1", "well").await;
    reprice.ended("v1", "completed").await;
    let file = world.tradewind.data.join("agent/data/reprice/production/default/trace");
    let trace = || fs::read_to_string(&file).unwrap_or_default();
    let ran = async |line: &str| {
        let before = trace().lines().count();
        let again = || async { trace().lines().skip(before).any(|l| l == line).then_some(()) };
        until(&format!("another run `{line}`"), again).await;
    };
    for shop in ["v1 my", "v1 br", "v1 us"] {
        ran(shop).await;
    }

    // Agent and server die among the runs; each counts once all the same.
    reprice.release("v2", "well").await;
    for role in ["agent", "server"] {
        judged(&reprice, "v2").await;
        let pid = world.tradewind.kill(role).unwrap();
        world.replaced(role, pid).await;
        world.answers().await;
    }
    let ended = reprice.ended("v2", "completed").await;
    let shares: Vec<u64> =
        ended["waves"].as_array().unwrap().iter().map(|w| w["steps"][0]["share"].as_u64().unwrap()).collect();
    assert_eq!(shares, [3_333, 10_000]);
    let evidence = world.ask("judge explain reprice").await;
    let metric = &evidence["metrics"][0];
    assert_eq!((metric["name"].as_str(), evidence["gaps"]["lost_s"].as_u64()), (Some("runs"), Some(0)), "{evidence:#}");
    let told = metric["canary"]["units"].as_u64().unwrap();
    let have_run = trace().lines().filter(|l| l.starts_with("v2 ")).count() as u64;
    assert!((1..=have_run).contains(&told), "{told} of {have_run}");

    // Every run fails, in the first shop only.
    reprice.write("how", "fails\n");
    let pushed = reprice.push("").await;
    let forecast =
        "10,800 runs an hour, 3,600 of them on the new release in the first wave: one that fails every time is found";
    assert!(pushed.code == Some(0) && pushed.to_string().contains(forecast), "{pushed}");
    let ended = reprice.ended("v3", "failed").await;
    let reason = ended["reason"].as_str().unwrap();
    assert!(reason.contains("v3 is worse than v2: ") && reason.contains("runs failed on v3"), "{reason}");
    ran("v2 my").await;
    let trace = trace();
    assert!(!trace.contains("TWO AT ONCE"), "{trace}");
    let bad: Vec<&str> = trace.lines().filter(|l| l.starts_with("v3 ")).collect();
    assert!(!bad.is_empty() && bad.iter().all(|l| *l == "v3 my"), "{bad:?}");
    world.chain_is_whole().await;
}
