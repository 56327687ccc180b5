//! A freeze with the real program: pushes wait under it, a rollback does not, and the server may die meanwhile.

use crate::{
    traffic::Traffic,
    world::{World, web},
};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_freeze_a_push_waits_and_a_rollback_goes_through_whoever_dies_meanwhile() {
    let world = World::begin().await;
    let shop = world.service("shop", &web("shop", "{ type: blue_green, soak: 100ms }")).await;
    for label in ["v1", "v2"] {
        shop.release(label, "well").await;
        shop.ended(label, "completed").await;
    }
    let traffic = Traffic::start(world.tradewind.edge, "shop");
    shop.run("freeze", &["--env", "production", "--reason", "11.11"]).await;
    shop.write("VERSION", "v3\n");
    let pushed = shop.push("").await;
    assert_eq!(pushed.code, Some(0), "{pushed}");
    assert!(pushed.to_string().contains("waits: frozen by "), "{pushed}");
    let waits = shop.rollout("v3", &["queued"]).await;
    let id = waits["id"].as_str().unwrap();

    let pid = world.tradewind.kill("server").unwrap();
    world.replaced("server", pid).await;
    world.answers().await;
    assert_eq!(shop.status().await["freezes"][0]["reason"], "11.11");
    shop.run("rollback", &["--reason", "orders arrive twice"]).await;
    traffic.served_by("v1").await;
    shop.run("acknowledge", &["--env", "production", "--note", "seen"]).await;
    let waits: Value = world.ask(&format!("rollout show {id}")).await;
    assert_eq!(waits["phase"], "queued");
    assert!(waits["reason"].as_str().unwrap().ends_with(": 11.11"), "{waits:#}");

    shop.run("unfreeze", &["--env", "production", "--reason", "sales are over"]).await;
    world.until("v3 to be live", &format!("rollout show {id}"), |r| (r["phase"] == "completed").then_some(())).await;
    traffic.served_by("v3").await;
    traffic.nothing_lost().await;
    assert_eq!(world.ask("freezes").await["items"].as_array().unwrap().len(), 0);
    world.chain_is_whole().await;
}
