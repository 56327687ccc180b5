//! Canaries with the real program: up by evidence whoever dies meanwhile, back by evidence, held where there is none.

use crate::{
    traffic::Traffic,
    world::{Service, World, web},
};
use serde_json::Value;

/// Quick to promote: what is tried here is the way, and not how much evidence is enough.
const STRATEGY: &str = "{ type: canary, steps: [20%, 60%, 100%], min: 1s, max: 90s, soak: 100ms, watch: 1s, \
                        judge: { beta: 20%, floor: 10%, latency: [] } }";

fn units(rollout: &Value) -> f64 {
    rollout.pointer("/judgement/promotion").and_then(Value::as_f64).unwrap_or(0.0)
}

/// When the evidence of the first wave has begun to grow.
async fn judged(shop: &Service<'_>, label: &str) -> Value {
    shop.world
        .until(&format!("{label} to be judged"), "rollout show shop", |r| {
            let over = r["finished_at"].is_string();
            (r["to"]["label"] == label && (over || units(r) > 1.05)).then(|| r.clone())
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_goes_up_by_evidence_and_back_by_evidence() {
    let world = World::begin().await;
    let shop = world.service("shop", &web("shop", STRATEGY)).await;
    shop.release("v1", "well").await;
    let first = shop.ended("v1", "completed").await;
    assert_eq!(first["waves"].as_array().unwrap().len(), 1, "a first release has nothing to be compared with");
    let traffic = Traffic::start(world.tradewind.edge, "shop");

    // Server and agent die among the evidence; what was counted counts on.
    shop.release("v2", "well").await;
    for role in ["server", "agent"] {
        let before = judged(&shop, "v2").await;
        assert!(before["finished_at"].is_null(), "too soon: {before:#}");
        let pid = world.tradewind.kill(role).unwrap();
        world.replaced(role, pid).await;
        world.answers().await;
    }
    let ended = shop.ended("v2", "completed").await;
    let shares: Vec<u64> =
        ended["waves"].as_array().unwrap().iter().map(|w| w["steps"][0]["share"].as_u64().unwrap()).collect();
    assert_eq!(shares, [2_000, 6_000, 10_000]);
    let evidence = world.ask("judge explain shop").await;
    assert_eq!(evidence["gaps"]["lost_s"], 0, "{evidence:#}");
    assert_eq!(evidence["waves"].as_array().unwrap().len(), 3);
    traffic.served_by("v2").await;

    // Every health check is green, and every second order fails.
    traffic.ledger.blame("v3");
    shop.release("v3", "fails").await;
    let ended = shop.ended("v3", "failed").await;
    let reason = ended["reason"].as_str().unwrap();
    assert!(reason.contains("v3 is worse than v2"), "{reason}");
    assert_eq!(ended["judgement"]["verdict"], "worse");
    traffic.served_by("v2").await;
    let evidence = world.ask("judge explain shop").await;
    let blamed: Vec<&Value> = evidence["metrics"].as_array().unwrap().iter().filter(|m| m["culprit"] == true).collect();
    assert_eq!(blamed[0]["name"], "errors", "{evidence:#}");
    let picture = world.folder.join("evidence.svg");
    let file = picture.to_str().unwrap();
    let told = world.tradewind.run(&["judge", "explain", "shop", "--svg", file], &world.folder).await.unwrap();
    assert!(told.contains("v3 beside v2: worse"), "{told}");
    assert!(std::fs::read_to_string(&picture).unwrap().starts_with("<svg"));

    // Nobody comes: held, until a person says so.
    traffic.nothing_lost().await;
    shop.run("acknowledge", &["--note", "every second order"]).await;
    shop.write("tradewind.yaml", &web("shop", &STRATEGY.replace("max: 90s", "max: 1s")));
    shop.release("v4", "well").await;
    for share in [2_000, 6_000] {
        let asks = |r: &Value| {
            let waits = r["to"]["label"] == "v4" && r["judgement"]["verdict"] == "inconclusive";
            (waits && r["sites"][0]["share"] == share).then_some(())
        };
        world.until(&format!("v4 to ask at {share}"), "rollout show shop", asks).await;
        world
            .tradewind
            .run(&["rollout", "promote", "shop", "--reason", "seen", "--no-wait"], &world.folder)
            .await
            .unwrap();
    }
    shop.ended("v4", "completed").await;
    world.chain_is_whole().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_are_lost_behind_good_answers_are_missed() {
    let world = World::begin().await;
    let metrics =
        "metrics:\n  interval: 1s\n  judge:\n    orders: { kind: business, count: orders_total, required: true }\n";
    let spec = format!("{}{metrics}", web("shop", STRATEGY));
    let shop = world.service("shop", &spec).await;
    shop.release("v1", "well").await;
    shop.ended("v1", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");
    shop.release("v2", "well").await;
    shop.ended("v2", "completed").await;
    let evidence = world.ask("judge explain shop").await;
    let orders = evidence["metrics"].as_array().unwrap().iter().find(|m| m["name"] == "orders").unwrap().clone();
    for arm in ["canary", "baseline"] {
        let seen = ["events", "units"].map(|of| orders[arm][of].as_u64());
        assert!(seen.iter().all(|n| *n > Some(0)), "{orders:#}");
    }

    // Every answer is a 200, and of five orders four are never written down.
    shop.release("v3", "loses").await;
    let ended = shop.ended("v3", "failed").await;
    assert!(ended["reason"].as_str().unwrap().contains("orders"), "{ended:#}");
    let evidence = world.ask("judge explain shop").await;
    let blamed = |m: &Value| (m["culprit"] == true).then(|| m["name"].as_str().unwrap().to_owned());
    let blamed: Vec<String> = evidence["metrics"].as_array().unwrap().iter().filter_map(blamed).collect();
    assert_eq!(blamed, ["orders"], "{evidence:#}");

    // Nobody can read it: it waits, and says why.
    shop.run("acknowledge", &["--note", "orders were lost"]).await;
    shop.release("v4", "mute").await;
    let said = |j: &Value| {
        let unread = j["unread"].as_array()?.first()?.as_str()?;
        (unread == "v4: GET /metrics answered 503 Service Unavailable").then_some(())
    };
    world.until("v4 to be unreadable", "judge explain shop", said).await;
    let shown = world.ask("rollout show shop").await;
    assert_eq!(shown["sites"][0]["share"], 2_000, "{shown:#}");
    let abort = ["rollout", "abort", "shop", "--reason", "no counts"];
    world.tradewind.run(&abort, &world.folder).await.unwrap();
    shop.ended("v4", "aborted").await;
    traffic.served_by("v2").await;
    traffic.nothing_lost().await;
}
