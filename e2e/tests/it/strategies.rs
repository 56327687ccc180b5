//! Rolling and all-at-once under traffic, and an abort in the middle of each.

use crate::{
    traffic::Traffic,
    world::{Service, World, web},
};

/// Held at its start, then taken back by a person: the old release serves on, and nothing is lost.
async fn abort_in_the_middle(service: &Service<'_>, traffic: &Traffic, label: &str, before: &str) {
    service.release(label, "late /nowhere").await;
    let rollout = service.site_phase(label, "starting").await;
    assert_eq!(rollout["phase"], "running", "{rollout:#}");
    service
        .world
        .tradewind
        .run(&["rollout", "abort", service.name, "--reason", "wrong day"], service.folder())
        .await
        .unwrap();
    let rollout = service.ended(label, "aborted").await;
    let reason = rollout["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("wrong day"), "{reason}");
    assert_eq!(rollout["sites"][0]["phase"], "returned", "{rollout:#}");
    traffic.served_by(before).await;
    assert_eq!(traffic.ledger.tally(label).sent, 0);
    assert_eq!(service.status().await["release"]["label"], before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_strategy_loses_a_request_and_each_can_be_aborted_and_goes_back_without_the_source() {
    let world = World::begin().await;
    let rolling = world.service("rolls", &web("rolls", "{ type: rolling, max_surge: 1, soak: 100ms, warm: 1s }")).await;
    let at_once = world.service("jumps", &web("jumps", "{ type: all_at_once, soak: 100ms }")).await;
    let beside = world.service("swaps", &web("swaps", "{ type: blue_green, soak: 100ms }")).await;
    for service in [&rolling, &at_once, &beside] {
        service.release("v1", "well").await;
    }
    let mut all = Vec::new();
    for service in [&rolling, &at_once, &beside] {
        service.ended("v1", "completed").await;
        all.push((service, Traffic::start(world.tradewind.edge, service.name)));
    }
    for (service, _) in &all {
        service.release("v2", "well").await;
    }
    for (service, traffic) in &all {
        service.ended("v2", "completed").await;
        traffic.served_by("v2").await;
        assert_eq!(service.status().await["release"]["label"], "v2");
    }
    for (service, traffic) in &all {
        abort_in_the_middle(service, traffic, "v3", "v2").await;
    }
    // The way back needs neither the source nor the bundles, whether what it leads to is warm or has to start.
    for folder in ["git", "blobs"] {
        std::fs::rename(world.tradewind.data.join(folder), world.folder.join(folder)).unwrap();
    }
    for (service, traffic) in &all {
        service.run("rollback", &["--reason", "and further back"]).await;
        traffic.served_by("v1").await;
    }
    for (_, traffic) in all {
        traffic.nothing_lost().await;
    }
    world.chain_is_whole().await;
}
