//! Freezes: set, listed, lifted, and shown wherever someone has to wait.

use crate::{
    fake::{Fake, json, list, stream},
    samples::*,
};
use serde_json::json as value;
use tradewind_api::v1::*;
use tradewind_cli::exit::Exit;

const WAITS: &str = "frozen by li.wei@laptop since 2026-11-10 22:00 UTC: 11.11";

fn place(site: &str, freezes: &[Freeze]) -> PlaceStatus {
    serde_json::from_value(value!({
        "service": "shop", "env": "production", "site": site, "kind": "web", "release": release_ref("v3"), "revision": RUN,
        "since": "2026-11-11T00:08:00Z", "changed_by": "li.wei@laptop", "health": "healthy", "reason": null, "instances": [],
        "traffic": [], "warm": null, "rollout": null, "frozen": null, "freezes": freezes, "routes": []
    }))
    .unwrap()
}

#[tokio::test]
async fn a_freeze_says_what_it_holds_and_how_it_is_lifted() {
    let fake = Fake::start().await;
    fake.on("POST /freezes", json(freeze(1, Some("shop"), Some("production"))));
    fake.on("POST /freezes", json(freeze(2, None, None)));
    insta::assert_snapshot!("freeze", fake.run("freeze shop --env production --reason 11.11 --until 26h").await);
    insta::assert_snapshot!("freeze_zh", fake.run_zh("freeze --all --reason 11.11").await);
    fake.run("freeze --env production --reason 11.11 --until 2026-11-12T08:00:00+08:00").await;
    // A time of day is the caller's.
    fake.run("freeze shop --reason 11.11 --until '2026-11-12 02:00'").await;
    fake.run("freeze shop --reason 11.11 --until 2026-11-13").await;
    let asked: Vec<_> = fake.seen().into_iter().map(|s| s.body).collect();
    assert_eq!(asked[0], value!({ "service": "shop", "env": "production", "reason": "11.11", "for_s": 93_600 }));
    assert_eq!(asked[1], value!({ "all": true, "reason": "11.11" }));
    assert_eq!(asked[2], value!({ "env": "production", "reason": "11.11", "until": "2026-11-12T00:00:00.000000Z" }));
    assert_eq!(asked[3], value!({ "service": "shop", "reason": "11.11", "until": "2026-11-12T02:00:00.000000Z" }));
    assert_eq!(asked[4], value!({ "service": "shop", "reason": "11.11", "until": "2026-11-13T00:00:00.000000Z" }));
}

#[tokio::test]
async fn nothing_is_frozen_by_leaving_something_out() {
    let fake = Fake::start().await;
    for args in ["freeze --reason x", "freeze shop --all --reason x", "freeze shop", "unfreeze --reason x"] {
        assert_eq!(fake.run(args).await.exit, Exit::Usage, "{args}");
    }
    insta::assert_snapshot!("freeze_bad_end", fake.run("freeze shop --reason x --until soon").await);
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn freezes_are_listed() {
    let fake = Fake::start().await;
    let on = [freeze(1, Some("shop"), Some("production")), freeze(2, None, Some("staging")), freeze(3, None, None)];
    fake.on("GET /freezes", list(&on)).on("GET /freezes", list(&on)).on("GET /freezes", list::<Freeze>(&[]));
    insta::assert_snapshot!("freezes", fake.run("freezes").await);
    insta::assert_snapshot!("freezes_zh", fake.run_zh("freezes").await);
    insta::assert_snapshot!("freezes_none", fake.run("freezes").await);
}

#[tokio::test]
async fn one_is_lifted_by_its_id_or_by_what_it_covers_and_what_stays_is_told() {
    let fake = Fake::start().await;
    let (one, other) = (freeze(1, Some("shop"), Some("production")), freeze(2, None, Some("production")));
    let lift = |f: &Freeze| format!("POST /freezes/{}/lift", f.id);
    let far = freeze(4, None, Some("staging"));
    fake.on("GET /freezes", list(&[other.clone(), far.clone()])).on(&lift(&one), json(&one));
    insta::assert_snapshot!("unfreeze", fake.run(&format!("unfreeze {} --reason 'sales are over'", one.id)).await);
    insta::assert_snapshot!("unfreeze_zh", fake.run_zh(&format!("unfreeze {} --reason 大促结束", one.id)).await);
    assert_eq!(fake.seen()[0].body, value!({ "reason": "sales are over" }));

    fake.on(&lift(&far), json(&far));
    assert_eq!(fake.run("unfreeze --env staging --reason x").await.exit, Exit::Ok);
    insta::assert_snapshot!("unfreeze_none", fake.run("unfreeze shop --env production --reason x").await);
    let twice = Fake::start().await;
    twice.on("GET /freezes", list(&[freeze(1, None, None), freeze(2, None, None)]));
    insta::assert_snapshot!("unfreeze_which", twice.run("unfreeze --all --reason x").await);
}

#[tokio::test]
async fn who_has_to_wait_is_told_why() {
    let fake = Fake::start().await;
    let mut queued = rollout(RolloutPhase::Queued);
    queued = Rollout { reason: Some(WAITS.into()), finished_at: None, verification: None, timeline: vec![], ..queued };
    let mut running = Rollout { reason: None, ..rollout(RolloutPhase::Running) };
    running.kind = RolloutKind::Normal;
    queued.kind = RolloutKind::Normal;
    let done = Rollout { kind: RolloutKind::Normal, ..rollout(RolloutPhase::Completed) };
    fake.on("POST /services/shop/rollouts", json(&queued)).on("POST /services/shop/promote", json(&queued));
    fake.on(&format!("GET /rollouts/{ROLLOUT}/follow"), stream(&[queued.clone(), queued.clone(), running, done]));
    let deploy = "deploy shop --env production --release v2";
    insta::assert_snapshot!("deploy_frozen", fake.run(&format!("{deploy} --no-wait")).await);
    insta::assert_snapshot!("deploy_frozen_followed", fake.run(deploy).await);
    let promote = "promote shop --from staging --to production --no-wait";
    insta::assert_snapshot!("promote_frozen_zh", fake.run_zh(promote).await);

    fake.on(&format!("GET /runs/{RUN}"), json(run(RunState::Running)));
    let waits = RunUpdate::RolloutStarted {
        id: ROLLOUT.parse().unwrap(),
        env: "production".parse().unwrap(),
        url: String::new(),
        outlook: None,
        waits_for: Some(WAITS.into()),
    };
    let end = RunUpdate::Finished { run: Box::new(run(RunState::Success)) };
    fake.on(&format!("GET /runs/{RUN}/follow"), stream(&[waits, end]));
    insta::assert_snapshot!("build_frozen", fake.run(&format!("run logs {RUN} -f")).await);
}

#[tokio::test]
async fn status_names_each_freeze_once() {
    let fake = Fake::start().await;
    let (all, one) = (freeze(1, None, None), freeze(2, Some("shop"), Some("production")));
    fake.on(
        "GET /status",
        list(&[place("shopee-br", &[all.clone(), one.clone()]), place("amazon-us", &[all.clone(), one])]),
    );
    insta::assert_snapshot!("status_frozen", fake.run("status").await);
    insta::assert_snapshot!("status_frozen_zh", fake.run_zh("status").await);
    let mut frozen = service();
    for env in &mut frozen.environments {
        env.freezes = vec![all.clone()];
    }
    fake.on("GET /services/shop", json(frozen));
    insta::assert_snapshot!("service_frozen", fake.run("service show shop").await);
}
