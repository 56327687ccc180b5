//! Pushes that are no good: said so, and nothing of them is left behind.

use crate::{
    processes,
    world::{Service, World, until},
};
use serde_json::Value;

fn spec(pipeline: &str) -> String {
    format!(
        "\
version: 1
service: shop
pipeline: {pipeline}
run:
  command: [python3, -u, service.py]
  health: {{ http: /healthz }}
environments: {{ production: {{ branch: main }} }}
"
    )
}

async fn newest_run(world: &World) -> Value {
    world.ask("run list shop").await["items"][0].clone()
}

/// Pushes with this pipeline; what the push said, and the run that came of it.
async fn built(shop: &Service<'_>, pipeline: &str) -> (String, Value) {
    shop.write(".gitlab-ci.yml", pipeline);
    let pushed = shop.push("").await;
    assert_eq!(pushed.code, Some(1), "{pushed}");
    let run = newest_run(shop.world).await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert!(run["release"].is_null() && run["rollout"].is_null(), "{run:#}");
    (format!("{}{}", pushed.out, pushed.err), run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_built_says_so_and_leaves_nothing_behind() {
    let world = World::begin().await;
    let shop = world.service("shop", "").await;
    shop.write("VERSION", "v1\n");

    // No spec, then a broken one: refused with the place, before anything is built.
    std::fs::remove_file(shop.folder().join("tradewind.yaml")).unwrap();
    let pushed = shop.push("").await;
    assert_ne!(pushed.code, Some(0), "{pushed}");
    assert!(pushed.err.contains("tradewind.yaml"), "{pushed}");
    shop.write("tradewind.yaml", &spec("none").replace("command", "comand"));
    let pushed = shop.push("").await;
    assert_ne!(pushed.code, Some(0), "{pushed}");
    assert!(pushed.err.contains("tradewind.yaml:5:3") && pushed.err.contains("did you mean"), "{pushed}");

    shop.write("tradewind.yaml", &spec(".gitlab-ci.yml"));
    let (said, run) = built(&shop, "unit: { script: [\"echo three tests\", \"exit 7\"] }\n").await;
    assert!(said.contains("three tests"), "{said}");
    assert_eq!(run["jobs"][0]["exit_code"], 7, "{run:#}");

    // One that never ends, and has children that run away from it: none of them survives its time.
    let mark = format!("{}", 300_000 + std::process::id() % 100_000);
    let (_, run) = built(
        &shop,
        &format!(
            "unit:\n  timeout: 2 seconds\n  script:\n    - setsid sleep {mark} < /dev/null > /dev/null 2>&1 &\n    - (setsid nohup sleep {mark} > /dev/null 2>&1 &)\n    - sleep {mark}\n"
        ),
    )
    .await;
    assert!(run["jobs"][0]["message"].is_string(), "{run:#}");
    until("the end of what the job began", || async { processes::named(&mark).is_empty().then_some(()) }).await;

    // One that ends and leaves daemons behind, and prints far more than anyone reads: its log is bounded.
    shop.write(
        ".gitlab-ci.yml",
        &format!(
            "unit:\n  script:\n    - setsid sleep {mark} < /dev/null > /dev/null 2>&1 &\n    - head -c 200000000 /dev/zero | tr '\\0' 'x' | fold -w 200\n    - echo the end\n"
        ),
    );
    shop.write("how", "well\n");
    let pushed = shop.push("--no-wait").await;
    assert_eq!(pushed.code, Some(0), "{pushed}");
    let run = world.tradewind.run_ended("shop", "the loud one").await.unwrap();
    assert_eq!(run["state"], "success", "{run:#}");
    let stored = run["jobs"][0]["log_bytes"].as_u64().unwrap();
    assert!(stored > 0 && stored < 140_000_000, "{stored} bytes of log are stored");
    until("the end of the daemon", || async { processes::named(&mark).is_empty().then_some(()) }).await;
    world.tradewind.rollout("shop", "v1", &["completed"]).await.unwrap();
    world.chain_is_whole().await;
}
