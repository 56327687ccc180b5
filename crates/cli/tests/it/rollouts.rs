use crate::{
    fake::{Answer, Fake, json, list, stream},
    samples::*,
};
use serde_json::json as value;
use tradewind_api::v1::*;
use tradewind_cli::exit::Exit;

fn at(path: &str) -> String {
    format!("{path} /rollouts/{ROLLOUT}")
}

#[tokio::test]
async fn a_rollback_tells_when_traffic_was_back_and_what_was_verified() {
    let fake = Fake::start().await;
    fake.on("GET /services/shop", json(service()))
        .on("POST /services/shop/rollback", json(rollout(RolloutPhase::Running)))
        .on(
            &format!("{}/follow", at("GET")),
            stream(&[rollout(RolloutPhase::Running), rollout(RolloutPhase::Completed)]),
        );
    insta::assert_snapshot!("rollback", fake.run("rollback shop --reason 'orders arrive twice'").await);
    insta::assert_snapshot!("rollback_zh", fake.run_zh("rollback shop --to v2 --env staging --reason 重复下单").await);
    assert_eq!(fake.seen()[1].body, value!({ "env": "production", "reason": "orders arrive twice" }));
    assert_eq!(fake.seen()[3].body, value!({ "env": "staging", "to": "v2", "reason": "重复下单" }));
    assert_eq!((fake.seen()[1].lang.as_str(), fake.seen()[3].lang.as_str()), ("en", "zh-CN"));
    assert_eq!(fake.seen()[1].token.as_deref(), Some("Bearer tw_secret"));
}

#[tokio::test]
async fn in_json_only_the_end_is_printed() {
    let fake = Fake::start().await;
    fake.on("POST /services/shop/rollback", json(rollout(RolloutPhase::Running))).on(
        &format!("{}/follow", at("GET")),
        stream(&[rollout(RolloutPhase::Running), rollout(RolloutPhase::Completed)]),
    );
    let said = fake.run("rollback shop --env production --reason x --json").await;
    assert_eq!(serde_json::from_str::<Rollout>(&said.out).unwrap(), rollout(RolloutPhase::Completed));
    assert_eq!((said.err.as_str(), said.exit), ("", Exit::Ok));
}

#[tokio::test]
async fn a_deploy_that_went_back_fails_and_says_why() {
    let fake = Fake::start().await;
    let mut failed = rollout(RolloutPhase::Failed);
    failed.kind = RolloutKind::Normal;
    failed.reason = Some("v2 never became ready; shop is back on v3".into());
    failed.reason_code = Some("TW-ROLL-002".into());
    failed.sites[0].phase = SitePhase::Returned;
    failed.sites[0].share = 0;
    failed.verification = None;
    fake.on("POST /services/shop/rollouts", json(rollout(RolloutPhase::Running)))
        .on(&format!("{}/follow", at("GET")), stream(&[failed]))
        .on("GET /services/shop/logs?env=production&tail=8&follow=false&release=v2", stream(&last_lines()));
    insta::assert_snapshot!(
        "deploy_failed",
        fake.run("deploy shop --env production --release v2 --ticket OPS-7").await
    );
    assert_eq!(
        fake.seen()[0].body,
        value!({ "env": "production", "release": "v2", "ticket": "OPS-7", "kind": "normal" })
    );
}

fn last_lines() -> Vec<LogUpdate> {
    let line = |second: u8, stream: &str, text: &str| {
        serde_json::from_value(value!({
            "type": "line", "at": format!("2026-11-11T00:08:{second:02}Z"), "site": "default", "host": "shop-1",
            "instance": "01930000-0000-7000-8000-000000000001", "label": "v2", "stream": stream, "text": text
        }))
        .unwrap()
    };
    vec![
        line(1, "system", "started: process 7"),
        line(1, "stdout", "up"),
        line(2, "stderr", "no configuration for the warehouse"),
        line(2, "system", "ended with code 3"),
    ]
}

#[tokio::test]
async fn nobody_has_to_wait() {
    let fake = Fake::start().await;
    fake.on("POST /services/shop/promote", json(rollout(RolloutPhase::Running)));
    insta::assert_snapshot!("promote_no_wait", fake.run("promote shop --from staging --to production --no-wait").await);
    assert_eq!(fake.seen()[0].body, value!({ "from": "staging", "to": "production" }));
}

#[tokio::test]
async fn waiting_ends_where_it_was_told_to_and_says_how_to_look_again() {
    let fake = Fake::start().await;
    // A stream that ends early is asked again, and again it has not ended.
    fake.on("POST /services/shop/promote", json(rollout(RolloutPhase::Running)));
    fake.on(&format!("{}/follow", at("GET")), stream(&[rollout(RolloutPhase::Running)]));
    fake.on(&at("GET"), json(rollout(RolloutPhase::Running)));
    let said = fake.run("promote shop --from staging --to production --timeout 0s").await;
    assert_eq!(said.exit, Exit::TimedOut, "{said}");
    assert!(said.err.contains(&format!("tradewind rollout show {ROLLOUT}")), "{said}");
}

#[tokio::test]
async fn rollouts_are_found_by_id_or_as_the_newest_of_a_service() {
    let fake = Fake::start().await;
    let mut all = vec![rollout(RolloutPhase::Completed)];
    all[0].queue_position = Some(2);
    fake.on("GET /services/shop/rollouts", list(&all)).on(&at("GET"), json(rollout(RolloutPhase::Completed)));
    fake.on("GET /services/none/rollouts", list::<Rollout>(&[]));
    insta::assert_snapshot!("rollout_list", fake.run("rollout list shop").await);
    insta::assert_snapshot!("rollout_list_zh", fake.run_zh("rollout list shop").await);
    insta::assert_snapshot!("rollout_show", fake.run("rollout show shop").await);
    insta::assert_snapshot!("rollout_show_zh", fake.run_zh(&format!("rollout show {ROLLOUT}")).await);
    insta::assert_snapshot!("rollout_none", fake.run("rollout show none").await);
    insta::assert_snapshot!("rollout_list_none", fake.run("rollout list none").await);
}

#[tokio::test]
async fn a_rollout_is_paused_resumed_and_aborted() {
    let fake = Fake::start().await;
    let mut paused = rollout(RolloutPhase::Running);
    paused.phase = RolloutPhase::Paused;
    let mut aborted = rollout(RolloutPhase::Aborted);
    aborted.verification = None;
    fake.on(&at("GET"), json(rollout(RolloutPhase::Running)))
        .on(&format!("{}/pause", at("POST")), json(paused))
        .on(&format!("{}/abort", at("POST")), json(rollout(RolloutPhase::Running)))
        .on(&format!("{}/resume", at("POST")), json(rollout(RolloutPhase::Running)))
        .on(&format!("{}/follow", at("GET")), stream(&[aborted]));
    insta::assert_snapshot!("pause", fake.run(&format!("rollout pause {ROLLOUT} --reason lunch")).await);
    // Aborted is what an abort is for; to a resume it is a failure.
    assert_eq!(fake.run(&format!("rollout abort {ROLLOUT} --reason bad")).await.exit, Exit::Ok);
    assert_eq!(fake.run(&format!("rollout resume {ROLLOUT} --reason go")).await.exit, Exit::Failed);
    assert_eq!(fake.seen()[1].body, value!({ "reason": "lunch" }));
}

#[tokio::test]
async fn an_acknowledged_queue_names_what_goes_on() {
    let fake = Fake::start().await;
    fake.on("GET /services/shop", json(service()));
    fake.on("POST /services/shop/acknowledge", json(value!({ "env": "production", "released": [ROLLOUT] })));
    insta::assert_snapshot!("acknowledge", fake.run("acknowledge shop --note 'disk was full'").await);
    insta::assert_snapshot!("acknowledge_zh", fake.run_zh("acknowledge shop --note 磁盘已清理").await);
}

#[tokio::test]
async fn what_a_canary_is_judged_by_is_told_with_a_picture() {
    let fake = Fake::start().await;
    let arm = |units: u64, events: u64, rate: f64, low: f64, high: f64| value!({ "units": units, "events": events, "rate": rate, "low": low, "high": high });
    let judgement = value!({
        "rollout": ROLLOUT, "verdict": "worse", "e": 2778.0, "e_needed": 100.0, "promotion": 0.01, "promotion_needed": 20.0,
        "sentence": "errors: 6 of 122 customers failed on v3, 0 of 1,093 on v2; found after 25 s",
        "canary": "v3", "baseline": "v2", "began_at": "2026-11-11T00:09:00.100Z", "seconds": 25.0,
        "canary_requests": { "requests": 725, "failed": 6 }, "baseline_requests": { "requests": 7930, "failed": 0 },
        "canary_latency": { "p50_ms": 3.2, "p95_ms": 41.7, "p99_ms": 1312.5 },
        "baseline_latency": { "p50_ms": 2.9, "p95_ms": 7.5, "p99_ms": 9.5 },
        "metrics": [
            { "name": "errors", "label": "errors", "site": null, "e": 5553.0, "promotion": 0.01, "needed": true, "culprit": true,
              "canary": arm(122, 6, 0.0492, 0.01, 0.14), "baseline": arm(1_093, 0, 0.0, 0.0, 0.009),
              "ratio": { "estimate": null, "low": 3.01, "high": null } },
            { "name": "slower_than_250ms", "label": "slower than 250ms", "site": "default", "e": 1.0, "promotion": 2.5, "needed": false,
              "culprit": false, "canary": arm(103, 2, 0.0194, 0.0, 0.1), "baseline": arm(892, 4, 0.0045, 0.0, 0.02),
              "ratio": { "estimate": 4.33, "low": 0.5, "high": 21.0 } },
        ],
        "waves": [{ "number": 1, "site": "default", "share": 1000, "t": 0.0 }],
        "over_time": [{ "t": 1.0, "e": 1.0, "promotion": 1.0 }, { "t": 12.0, "e": 8.0, "promotion": 0.5 }, { "t": 25.0, "e": 2778.0, "promotion": 0.01 }],
        "gaps": { "lost_s": 3, "restarts": 1, "refused": 0, "one_of": 4 },
    });
    fake.on(&at("GET"), json(rollout(RolloutPhase::Failed)))
        .on(&format!("{}/judgement", at("GET")), json(judgement))
        .on(&format!("{}/judgement.svg", at("GET")), Answer::Text("<svg/>".into()));
    insta::assert_snapshot!("explain", fake.run(&format!("judge explain {ROLLOUT}")).await);
    insta::assert_snapshot!("explain_zh", fake.run_zh(&format!("judge explain {ROLLOUT}")).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.svg");
    let done = fake.run(&format!("judge explain {ROLLOUT} --svg {}", file.display())).await;
    assert_eq!(done.exit, Exit::Ok);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "<svg/>");
    let nowhere = fake.run(&format!("judge explain {ROLLOUT} --svg {}/no/such/file", folder.path().display())).await;
    assert_eq!(nowhere.exit, Exit::Refused);
    assert!(nowhere.err.contains("TW-CLI-027"), "{}", nowhere.err);
}

#[tokio::test]
async fn a_person_lets_a_wave_go_on() {
    let fake = Fake::start().await;
    let judged = Rollout { wave: Some(2), ..rollout(RolloutPhase::Running) };
    fake.on(&at("GET"), json(&judged))
        .on(&format!("{}/promote", at("POST")), json(rollout(RolloutPhase::Running)))
        .on(&format!("{}/follow", at("GET")), stream(&[rollout(RolloutPhase::Completed)]));
    assert_eq!(fake.run(&format!("rollout promote {ROLLOUT} --reason seen")).await.exit, Exit::Ok);
    assert_eq!(fake.seen()[1].body, value!({ "wave": 2, "reason": "seen" }), "it names the wave that was seen");
}

#[tokio::test]
async fn a_person_changes_the_share_of_a_wave() {
    let fake = Fake::start().await;
    let mut judged = Rollout { wave: Some(2), strategy: "canary".into(), ..rollout(RolloutPhase::Running) };
    judged.sites[0].phase = SitePhase::Judging;
    judged.sites[0].share = 5_000;
    let mut moving = judged.clone();
    moving.waves[0].set_share = Some(2_000);
    moving.sites[0].phase = SitePhase::Shifting;
    fake.on("GET /services/shop/rollouts", list(&[judged.clone()]))
        .on(&at("GET"), json(&judged))
        .on(&format!("{}/share", at("POST")), json(&moving));
    insta::assert_snapshot!("share", fake.run("rollout share shop 20% --reason 'fewer customers'").await);
    insta::assert_snapshot!(
        "share_zh",
        fake.run_zh(&format!("rollout share {ROLLOUT} '2.55 %' --reason 减少影响")).await
    );
    assert_eq!(fake.seen()[1].body, value!({ "wave": 2, "share": 2_000, "reason": "fewer customers" }));
    assert_eq!(fake.seen()[3].body, value!({ "wave": 2, "share": 255, "reason": "减少影响" }));
    let said = fake.run("rollout share shop 20% --reason x --json").await;
    assert_eq!(serde_json::from_str::<Rollout>(&said.out).unwrap(), moving);
    // What the server refuses is told as it says it: bounds are its own.
    fake.run("rollout share shop 100% --reason x").await;
    assert_eq!(fake.seen()[7].body["share"], 10_000);
}

#[tokio::test]
async fn what_is_no_share_and_what_has_no_wave_is_refused_before_anybody_is_asked() {
    let fake = Fake::start().await;
    for text in ["20", "0.2", "1.005%", "-5%", "%", "2000000%", "half"] {
        let said = fake.run(&format!("rollout share shop --reason x -- {text}")).await;
        assert_eq!(said.exit, Exit::Refused, "{text}: {said}");
        assert!(said.err.contains("TW-CLI-028"), "{text}: {said}");
    }
    assert!(fake.seen().is_empty());
    let mut queued = rollout(RolloutPhase::Running);
    queued.phase = RolloutPhase::Queued;
    fake.on(&at("GET"), json(&queued));
    for verb in [format!("share {ROLLOUT} 20%"), format!("promote {ROLLOUT}")] {
        let said = fake.run(&format!("rollout {verb} --reason x")).await;
        assert!(said.err.contains("TW-ROLL-025"), "{verb}: {said}");
    }
    assert!(fake.seen().iter().all(|asked| asked.body.is_null()), "nothing was changed");
}

fn plan(refused: Option<serde_json::Value>) -> serde_json::Value {
    value!({
        "env": "production", "kind": "normal", "service_kind": "web", "from": release_ref("v3"), "to": release_ref("v4"),
        "refused": refused, "waits": [{ "kind": "approval", "text": "2 approvals by leads" }], "strategy": "canary",
        "judged": true, "outlook": "about 12 minutes until twice as many errors are found",
        "sites": [
            { "site": "shopee-br", "from": release_ref("v3"), "to": release_ref("v4"), "stays": false, "instances_before": 2, "instances": 3 },
            { "site": "shopee-mx", "from": release_ref("v4"), "to": release_ref("v4"), "stays": true, "instances_before": 3, "instances": 3 } ],
        "waves": [
            { "number": 1, "site": "shopee-br", "share": 1000, "instances": 1, "least_ms": 120_000, "most_ms": 3_600_000 },
            { "number": 2, "site": "shopee-br", "share": 10_000, "instances": 3, "least_ms": 0, "most_ms": null } ],
        "verified": true, "soak_ms": 0, "warm_ms": 900_000,
        "variables": [{ "name": "LOG_LEVEL", "before": "info", "after": "debug" }],
        "limits": [{ "name": "memory", "before": "256MiB", "after": null }],
        "secrets": [
            { "variable": "KEY", "name": "SHOPEE_KEY", "change": "renewed", "running": 1, "version": 2 },
            { "variable": "DB", "name": "DB", "change": "same", "running": 1, "version": 1 } ]
    })
}

#[tokio::test]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let fake = Fake::start().await;
    fake.on("GET /services/shop/plan?env=production&release=v4", json(plan(None)));
    let diff = value!({
        "from": release_ref("v3"), "to": release_ref("v4"), "from_commit": "1".repeat(40), "to_commit": "2".repeat(40),
        "files": [{ "path": "app/new.py", "change": "added", "before_bytes": null, "after_bytes": 120 }], "spec": [],
        "history": { "more": false, "undone": [], "added": [
            { "commit": "2".repeat(40), "author": "Li Wei", "at": "2026-11-11T00:07:00Z", "subject": "Count stock" } ] }
    });
    fake.on("GET /services/shop/diff?from=v3&to=v4", json(diff));
    let ask = "deploy shop --env production --release v4 --dry-run";
    insta::assert_snapshot!("dry_run", fake.run(ask).await);
    insta::assert_snapshot!("dry_run_zh", fake.run_zh(ask).await);
    let said = fake.run(&format!("{ask} --json")).await;
    let told: Preview = serde_json::from_str(&said.out).unwrap();
    assert_eq!((told.waves.len(), told.waits.len()), (2, 1));
    let problem = value!({
        "type": "/help/TW-ROLL-020", "code": "TW-ROLL-020", "status": 409,
        "title": "shop/production/default has no earlier revision to go back to", "fix": "deploy something else"
    });
    fake.on("GET /services/shop/plan?env=production&kind=rollback", json(plan(Some(problem))));
    let refused = fake.run("rollback shop --env production --dry-run").await;
    assert_eq!(refused.exit, Exit::Refused);
    assert!(refused.err.contains("TW-ROLL-020"), "{}", refused.err);
    fake.on("GET /services/shop/plan?env=production&from=staging", json(plan(None)));
    assert_eq!(fake.run("promote shop --from staging --to production --dry-run").await.exit, Exit::Ok);
    assert!(fake.seen().iter().all(|s| s.line.starts_with("GET ")), "nothing was asked to be done");
    assert_eq!(
        fake.run("rollback shop --env production").await.exit,
        Exit::Usage,
        "without --dry-run it wants a reason"
    );
}
