use crate::{
    fake::{Fake, list},
    samples::*,
};
use serde_json::json;
use tradewind_api::v1::*;

fn place() -> PlaceStatus {
    let instance = |n: u32, label: &str, phase: &str| {
        json!({ "id": format!("0193a1b2-0000-7000-8000-00000000020{n}"), "release": release_ref(label), "phase": phase,
                "since": "2026-11-11T00:08:00Z", "addr": format!("127.0.0.1:2000{n}"), "pid": 4000 + n, "restarts": n,
                "last_exit": null, "message": (phase == "unhealthy").then_some("GET /healthz: 503"), "host": "web1" })
    };
    serde_json::from_value(json!({
        "service": "shop", "env": "production", "site": "default", "kind": "web", "release": release_ref("v3"), "revision": RUN,
        "since": "2026-11-11T00:08:00Z", "changed_by": "li.wei@laptop", "health": "degraded", "reason": "1 of 2 instances is ready",
        "instances": [instance(1, "v3", "ready"), instance(2, "v3", "unhealthy"), instance(3, "v2", "ready")],
        "traffic": [{ "release": release_ref("v3"), "share": 9000, "ready_instances": 1 }, { "release": release_ref("v2"), "share": 1000, "ready_instances": 1 }],
        "warm": { "release": release_ref("v2"), "until": "2026-11-11T00:23:00Z" }, "rollout": ROLLOUT,
        "frozen": { "since": "2026-11-11T00:05:00Z", "reason": "v4 never became ready", "rollout": null },
        "routes": ["shop.example.com/"]
    }))
    .unwrap()
}

#[tokio::test]
async fn status_says_what_runs_where_since_when_how_healthy_and_who_changed_it() {
    let fake = Fake::start().await;
    fake.on("GET /status", list(&[place()]));
    insta::assert_snapshot!("status", fake.run("status").await);
    insta::assert_snapshot!("status_zh", fake.run_zh("status").await);
    insta::assert_snapshot!("status_one", fake.run("status shop").await);
    let seen = fake.seen();
    assert_eq!(seen.last().unwrap().line, "GET /status?service=shop", "of one service, nothing else is asked");
}

#[tokio::test]
async fn where_nothing_runs_the_next_step_is_named() {
    let fake = Fake::start().await;
    fake.on("GET /status", list::<PlaceStatus>(&[]));
    insta::assert_snapshot!("status_empty", fake.run("status").await);
    insta::assert_snapshot!("status_empty_zh", fake.run_zh("status shop").await);
    assert_eq!(fake.run("status --json").await.out, "{\n  \"items\": [],\n  \"next\": null\n}\n");
}

#[tokio::test]
async fn what_will_go_wrong_by_itself_is_told_to_those_who_may_know() {
    let fake = Fake::start().await;
    fake.on("GET /status", list(&[place()]));
    let certificate = |name: &str, expiring: bool| -> Certificate {
        serde_json::from_value(serde_json::json!({
            "id": format!("sha256:{}", "a".repeat(64)), "names": [name], "origin": "uploaded",
            "valid_from": "2026-09-01T00:00:00Z", "valid_until": "2026-11-20T00:00:00Z", "days_left": 9,
            "expiring": expiring, "by": "li.wei", "added_at": "2026-09-01T00:00:00Z", "shown_on": 1
        }))
        .unwrap()
    };
    fake.on("GET /certificates", list(&[certificate("a.example.com", true), certificate("b.example.com", false)]));
    let sink = |name: &str, since: Option<&str>| {
        serde_json::json!({ "name": name, "target": "https://audit.example.com/", "delivered": 7, "delivered_at": null,
            "failing_since": since, "error": since.map(|_| "connection refused\u{1b}[2J") })
    };
    let status: AuditStatus = serde_json::from_value(serde_json::json!({
        "log": null, "head": null, "pruned": 0, "checkpoint": null, "key": "k", "keep_s": null,
        "sinks": [sink("webhook", Some("2026-11-10T00:00:00Z")), sink("file", None)]
    }))
    .unwrap();
    fake.on("GET /audit/status", crate::fake::json(&status));
    insta::assert_snapshot!("status_warned", fake.run("status").await);
    insta::assert_snapshot!("status_warned_zh", fake.run_zh("status").await);
}
