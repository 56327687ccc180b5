//! Workers shop by shop with the real program: on by the evidence of their own counters, back from the first shop, back
//! without the server; and no shop ever worked by two.

use crate::{
    processes::{kill, ours},
    world::{Service, World, until},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs};

const SHOPS: [&str; 3] = ["shopee-br", "lazada-th", "amazon-us"];

/// Quick to promote: what is tried here is the way, and not how much evidence is enough.
const QUICK: &str =
    "type: canary, steps: [1, 2, 100%], min: 1s, soak: 100ms, watch: 1s, judge: { beta: 20%, floor: 10% }";

fn spec(strategy: &str) -> String {
    format!(
        "\
version: 1
service: sync
kind: worker
pipeline: none
run:
  command: [python3, -u, worker.py]
  port: auto
  health: {{ http: /healthz, interval: 100ms }}
  stop: {{ grace: 5s }}
  shards: [{}]
metrics:
  interval: 1s
  judge:
    orders: {{ kind: business, count: orders_written_total, of: orders_found_total, required: true }}
    failures: {{ kind: error, count: cycles_failed_total, of: cycles_total }}
environments: {{ production: {{ branch: main }} }}
strategy: {{ {strategy} }}
",
        SHOPS.join(", ")
    )
}

async fn sync<'a>(world: &'a World, strategy: &str) -> Service<'a> {
    let sync = world.service("sync", &spec(strategy)).await;
    sync.write("worker.py", include_str!("worker.py"));
    sync
}

/// Who worked a shop, cycle by cycle: release and pid.
fn trace(world: &World, shop: &str) -> Vec<(String, u32)> {
    let file = world.tradewind.data.join(format!("agent/data/sync/production/default/{shop}.trace"));
    let text = fs::read_to_string(file).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |l: &str| {
        let mut words = l.split(' ');
        (words.next().unwrap().to_owned(), words.next().unwrap().parse().unwrap())
    };
    whole.lines().map(line).collect()
}

/// The releases that worked a shop, one after the other.
fn releases(world: &World, shop: &str) -> Vec<String> {
    let mut releases: Vec<String> = trace(world, shop).into_iter().map(|(release, _)| release).collect();
    releases.dedup();
    releases
}

async fn at_work(world: &World, wanted: [&str; 3]) {
    until(&format!("{wanted:?} at work"), || async {
        let works = |(shop, release): (&&str, &str)| trace(world, shop).last().is_some_and(|(last, _)| last == release);
        SHOPS.iter().zip(wanted).all(works).then_some(())
    })
    .await;
}

/// Whoever has worked a shop once and is followed by another process never works it again.
fn assert_one_at_a_time(world: &World) {
    for shop in SHOPS {
        let mut pids: Vec<u32> = trace(world, shop).into_iter().map(|(_, pid)| pid).collect();
        pids.dedup();
        let once: BTreeSet<u32> = pids.iter().copied().collect();
        assert_eq!(pids.len(), once.len(), "{shop} had two at work: {pids:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_is_tried_shop_by_shop_and_no_shop_has_two() {
    let world = World::begin().await;
    let sync = sync(&world, QUICK).await;
    for release in ["v1", "v2"] {
        sync.release(release, "well").await;
        sync.ended(release, "completed").await;
    }
    let shown = world.ask("rollout show sync").await;
    let waves = shown["waves"].as_array().unwrap();
    let shares: Vec<u64> = waves.iter().map(|w| w["steps"][0]["share"].as_u64().unwrap()).collect();
    assert_eq!(shares, [3_333, 6_666, 10_000], "{shown:#}");
    let evidence = world.ask("judge explain sync").await;
    let metrics = evidence["metrics"].as_array().unwrap();
    for name in ["orders", "failures"] {
        let own = metrics.iter().find(|m| m["name"] == name).unwrap_or_else(|| panic!("{evidence:#}"));
        assert!(own["canary"]["units"].as_u64() > Some(0), "{own:#}");
    }

    // Every check is green, and half of the orders are left out.
    sync.release("v3", "skips").await;
    let ended = sync.ended("v3", "failed").await;
    assert!(ended["reason"].as_str().unwrap().contains("orders"), "{ended:#}");
    at_work(&world, ["v2"; 3]).await;
    assert_eq!(releases(&world, SHOPS[0]), ["v1", "v2", "v3", "v2"]);
    for shop in &SHOPS[1..] {
        assert_eq!(releases(&world, shop), ["v1", "v2"], "{shop} was not tried");
    }
    assert_eq!(sync.status().await["release"]["label"], "v2");
    assert_one_at_a_time(&world);
    world.chain_is_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_fails_while_the_server_is_away_gives_its_shop_back() {
    let mut world = World::begin().await;
    const LIMITED: &str = "type: canary, steps: [1, 100%], promote: manual, soak: 100ms, watch: 0s, \
                           limits: { error_rate: 5%, for: 2s, min_requests: 20 }";
    {
        let sync = sync(&world, LIMITED).await;
        sync.release("v1", "well").await;
        sync.ended("v1", "completed").await;
        sync.release("v2", "ill").await;
        at_work(&world, ["v2", "v1", "v1"]).await;
        let judged = |r: &Value| (r["to"]["label"] == "v2" && r["sites"][0]["phase"] == "judging").then_some(());
        world.until("v2 to be judged", "rollout show sync", judged).await;
    }
    // Nobody is left to start the server again.
    until("the end of the server", || async {
        let left = [ours(&world, Some("up")), ours(&world, Some("server"))].concat();
        left.iter().for_each(|p| kill(*p));
        left.is_empty().then_some(())
    })
    .await;
    fs::write(world.tradewind.data.join("agent/data/sync/production/default/ill"), "").unwrap();
    at_work(&world, ["v1"; 3]).await;
    assert!(ours(&world, Some("server")).is_empty());

    // The server hears of it and follows: of the host that gave up, or of the counts that it kept.
    world.up().await;
    let sync = sync(&world, LIMITED).await;
    let ended = sync.ended("v2", "failed").await;
    assert!(ended["reason"].as_str().unwrap().contains("failures"), "{ended:#}");
    assert_eq!(sync.status().await["release"]["label"], "v1");
    assert_eq!(releases(&world, SHOPS[0]), ["v1", "v2", "v1"]);
    for shop in &SHOPS[1..] {
        assert_eq!(releases(&world, shop), ["v1"], "{shop} was not tried");
    }
    assert_one_at_a_time(&world);
    world.chain_is_whole().await;
}
