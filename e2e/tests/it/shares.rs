//! A person's hand on a canary with the real program: more traffic, less of it, and on from there, whoever dies meanwhile.

use crate::{
    traffic::Traffic,
    world::{Service, World, web},
};
use serde_json::Value;

const STRATEGY: &str =
    "{ type: canary, steps: [20%, 60%, 100%], promote: manual, min: 1s, max: 90s, soak: 100ms, watch: 1s }";

/// When the edge has this share and the wave is judged by it.
async fn judged_at(shop: &Service<'_>, share: u32) -> Value {
    let words = format!("rollout show {}", shop.name);
    let reached = |r: &Value| {
        let there = r["to"]["label"] == "v2" && r["sites"][0]["share"] == share && r["sites"][0]["phase"] == "judging";
        (there || r["finished_at"].is_string()).then(|| r.clone())
    };
    let rollout = shop.world.until(&format!("v2 to be judged at {share}"), &words, reached).await;
    assert!(rollout["finished_at"].is_null(), "too soon: {rollout:#}");
    rollout
}

async fn say(shop: &Service<'_>, words: &[&str]) {
    let args: Vec<&str> = ["rollout"].into_iter().chain(words.iter().copied()).collect();
    shop.world.tradewind.run(&args, shop.folder()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_moves_a_canarys_share_up_and_down_and_no_request_is_lost() {
    let world = World::begin().await;
    let shop = world.service("shop", &web("shop", STRATEGY)).await;
    shop.release("v1", "well").await;
    shop.ended("v1", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");
    shop.release("v2", "well").await;
    judged_at(&shop, 2_000).await;
    assert_eq!(shop.ready("v2").await.len(), 1, "20 % of two instances");

    say(&shop, &["share", "shop", "55%", "--reason", "more customers"]).await;
    let pid = world.tradewind.kill("server").unwrap();
    world.replaced("server", pid).await;
    world.answers().await;
    judged_at(&shop, 5_500).await;
    assert_eq!(shop.ready("v2").await.len(), 2);

    say(&shop, &["share", "shop", "5%", "--reason", "fewer"]).await;
    let pid = world.tradewind.kill("agent").unwrap();
    world.replaced("agent", pid).await;
    judged_at(&shop, 500).await;

    // 60 % is less than it has then: on to all of it.
    say(&shop, &["share", "shop", "70.5%", "--reason", "the evening's traffic"]).await;
    let judged = judged_at(&shop, 7_050).await;
    assert_eq!((&judged["wave"], &judged["waves"][0]["set_share"]), (&1.into(), &7_050.into()));
    say(&shop, &["promote", "shop", "--reason", "seen", "--no-wait"]).await;
    let ended = shop.ended("v2", "completed").await;
    let skipped: Vec<bool> = ended["waves"].as_array().unwrap().iter().map(|w| w["skipped"] == true).collect();
    assert_eq!(skipped, [false, true, false], "{ended:#}");
    traffic.served_by("v2").await;
    traffic.nothing_lost().await;
    world.chain_is_whole().await;
}
