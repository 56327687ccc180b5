//! Releases that are no good: refused with the reason while the old one serves, and the queue waits for a person.

use crate::{
    processes,
    traffic::Traffic,
    world::{Service, World, until, web},
};
use serde_json::Value;
use std::net::TcpListener;

const STRATEGY: &str = "{ type: blue_green, soak: 100ms, warm: 1s }";

fn says(rollout: &Value, words: &[&str]) {
    let reason = rollout["reason"].as_str().unwrap_or_default();
    for word in words {
        assert!(reason.contains(word), "the reason does not say `{word}`: {rollout:#}");
    }
}

async fn refused(shop: &Service<'_>, traffic: &Traffic, version: &str, how: &str, words: &[&str]) {
    shop.release(version, how).await;
    let rollout = shop.ended(version, "failed").await;
    says(&rollout, words);
    assert_eq!(rollout["sites"][0]["phase"], "returned", "{rollout:#}");
    traffic.served_by("v1").await;
    assert_eq!(traffic.ledger.tally(version).sent, 0);
    shop.run("acknowledge", &["--note", "seen"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_serve_is_refused_and_says_why() {
    let world = World::begin().await;
    let gate = world.folder.join("gate");
    let spec = web("shop", STRATEGY).replace("  instances: 2", "  instances: 2\n  start_timeout: 3s");
    let shop = world.service("shop", &spec).await;
    shop.release("v1", "well").await;
    shop.ended("v1", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");

    // Never ready. Its queue is closed until a person has looked; the next release waits for that.
    shop.release("v2", "never").await;
    let rollout = shop.ended("v2", "failed").await;
    says(&rollout, &["v2 was not ready", "503"]);
    shop.release("v3", "well").await;
    let waiting = shop.rollout("v3", &["queued", "running", "completed"]).await;
    assert_eq!(waiting["phase"], "queued", "{waiting:#}");
    says(&waiting, &["frozen"]);
    assert!(shop.status().await["frozen"].is_object());
    traffic.served_by("v1").await;
    shop.run("acknowledge", &["--note", "the health check was wrong"]).await;
    shop.ended("v3", "completed").await;
    traffic.served_by("v3").await;
    shop.run("rollback", &["--reason", "back to the first"]).await;
    traffic.served_by("v1").await;

    refused(&shop, &traffic, "v4", "exit", &["v4", "exit code 3"]).await;
    for words in [&["rollout", "show", "shop"][..], &["logs", "shop", "--release", "v4"]] {
        let told = world.tradewind.run(words, &world.folder).await.unwrap();
        assert!(told.contains("no configuration for the warehouse"), "what v4 wrote: {told}");
    }

    // Opens its port late: waited for, and not asked before.
    shop.write("tradewind.yaml", &web("shop", STRATEGY));
    shop.release("v5", &format!("late {}", gate.display())).await;
    let rollout = shop.site_phase("v5", "starting").await;
    assert_eq!(rollout["phase"], "running", "{rollout:#}");
    traffic.served_by("v1").await;
    std::fs::write(&gate, "").unwrap();
    shop.ended("v5", "completed").await;
    traffic.served_by("v5").await;

    // Ignores SIGTERM: killed when its grace is over.
    shop.release("v6", "deaf").await;
    shop.ended("v6", "completed").await;
    let deaf = shop.ready("v6").await;
    assert_eq!(deaf.len(), 2);
    shop.release("v7", "well").await;
    shop.ended("v7", "completed").await;
    until("the deaf instances to end", || async { deaf.iter().all(|p| !processes::runs(*p)).then_some(()) }).await;
    traffic.served_by("v7").await;
    traffic.nothing_lost().await;
    world.chain_is_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_named_and_the_old_release_serves_on() {
    let world = World::begin().await;
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = stranger.local_addr().unwrap().port();
    let own = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let spec = |port: u16| {
        let spec = web("till", "{ type: all_at_once, soak: 100ms }");
        let one = format!("  instances: 1\n  port: {port}\n  start_timeout: 4s");
        spec.replace("  instances: 2", &one)
    };
    let till = world.service("till", &spec(own)).await;
    till.release("v1", "well").await;
    till.ended("v1", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "till");
    // The same port again: the old release leaves it before the new one needs it.
    till.release("v2", "well").await;
    till.ended("v2", "completed").await;
    traffic.served_by("v2").await;
    till.write("tradewind.yaml", &spec(taken));
    till.release("v3", "well").await;
    let rollout = till.ended("v3", "failed").await;
    says(&rollout, &["v3", &taken.to_string()]);
    traffic.served_by("v2").await;
    traffic.nothing_lost().await;
}
