use crate::{
    fake::{Fake, json, list},
    samples::*,
};
use serde_json::json as value;
use tradewind_api::v1::*;

#[tokio::test]
async fn services_are_listed_and_an_empty_list_says_what_to_do() {
    let fake = Fake::start().await;
    fake.on("GET /services", list::<Service>(&[])).on("GET /services?limit=5", list(&[service()]));
    insta::assert_snapshot!("no_services", fake.run("service list").await);
    insta::assert_snapshot!("no_services_zh", fake.run_zh("service list").await);
    insta::assert_snapshot!("services", fake.run("service list --limit 5").await);
    insta::assert_snapshot!("services_zh", fake.run_zh("service list --limit 5").await);
}

#[tokio::test]
async fn hosts_are_listed_with_who_is_there() {
    let fake = Fake::start().await;
    fake.on("GET /hosts", list::<Host>(&[]));
    insta::assert_snapshot!("no_hosts_zh", fake.run_zh("host list").await);
    let fake = Fake::start().await;
    let host = |name: &str, connected: bool, edge: &[&str]| {
        value!({
            "id": "01930000-0000-7000-8000-000000000001", "name": name, "connected": connected,
            "enrolled_at": "2026-11-10T00:10:00Z", "last_seen_at": "2026-11-11T00:08:12Z",
            "instances": 3, "edge": edge
        })
    };
    let hosts = [host("shop-1", true, &["0.0.0.0:8080"]), host("shop-2", false, &[])];
    fake.on("GET /hosts", list(&hosts));
    insta::assert_snapshot!("hosts", fake.run("host list").await);
    insta::assert_snapshot!("hosts_zh", fake.run_zh("host list").await);
}

#[tokio::test]
async fn a_service_is_shown_with_its_queues() {
    let fake = Fake::start().await;
    fake.on("GET /services/shop", json(service()));
    insta::assert_snapshot!("service", fake.run("service show shop").await);
    insta::assert_snapshot!("service_zh", fake.run_zh("service show shop").await);
    fake.on("PUT /services/shop/owner", json(service()));
    let said = fake.run("service owner shop order-team --reason 'a new team'").await;
    assert_eq!(said.out, "order-team answers for shop from now on.\n");
    assert_eq!(fake.seen().last().unwrap().body, value!({ "owner": "order-team", "reason": "a new team" }));
}

#[tokio::test]
async fn the_next_page_is_named() {
    let fake = Fake::start().await;
    fake.on(
        "GET /services/shop/releases",
        json(Page { items: vec![release("v3", &["production"])], next: Some("c0ffee".into()) }),
    );
    insta::assert_snapshot!("releases", fake.run("release list shop --limit 1").await);
    assert_eq!(fake.seen()[0].line, "GET /services/shop/releases?limit=1");
    fake.run("release list shop --after c0ffee").await;
    assert_eq!(fake.seen()[1].line, "GET /services/shop/releases?after=c0ffee&limit=20");
}

#[tokio::test]
async fn json_is_the_apis_own_type() {
    let fake = Fake::start().await;
    fake.on("GET /services/shop/releases", list(&[release("v3", &["production"])]));
    let said = fake.run("release list shop --json").await;
    let page: Page<Release> = serde_json::from_str(&said.out).unwrap();
    assert_eq!(page.items, [release("v3", &["production"])]);
    assert_eq!((said.err.as_str(), said.exit.code()), ("", 0));
}

#[tokio::test]
async fn a_release_is_shown_with_its_files_or_its_spec() {
    let fake = Fake::start().await;
    let detail = value!({
        "label": "v3", "digest": release_ref("v3").digest, "service": "shop", "commit": "6c1f0b1f4f3a4d1e9c0a7b2d5e8f90123456789a",
        "title": "Count stock", "run": null, "created_at": "2026-11-11T00:08:12Z", "created_by": "li.wei@laptop",
        "bundle": release_ref("v9").digest, "bundle_bytes": 48_213, "files": 2, "live_in": ["staging", "production"],
        "stands": [
            { "env": "production", "site": "shopee-br", "stand": "warm", "possible": true, "why": null, "code": null,
              "completed_at": "2026-11-11T00:08:00Z", "warm_until": "2026-11-11T00:23:00Z" },
            { "env": "staging", "site": "default", "stand": "left", "possible": false,
              "why": "shop/staging/default went back from v3", "code": "TW-ROLL-032",
              "completed_at": "2026-11-11T00:08:00Z", "warm_until": null } ],
        "spec": "version: 1\nservice: shop\n",
        "manifest": [
            { "path": "app/server.py", "digest": release_ref("v7").digest, "bytes": 4096, "executable": true, "link": null },
            { "path": "latest", "digest": null, "bytes": null, "executable": false, "link": "app/server.py" } ]
    });
    fake.on("GET /services/shop/releases/v3", json(detail));
    insta::assert_snapshot!("release", fake.run("release show v3 --service shop --files").await);
    insta::assert_snapshot!("release_zh", fake.run_zh("release show v3 --service shop").await);
    assert_eq!(fake.run("release show v3 --service shop --spec").await.out, "version: 1\nservice: shop\n");
}

#[tokio::test]
async fn a_difference_names_settings_and_files() {
    let fake = Fake::start().await;
    let diff = value!({
        "from": release_ref("v2"), "to": release_ref("v3"),
        "from_commit": "1".repeat(40), "to_commit": "2".repeat(40),
        "files": [
            { "path": "app/new.py", "change": "added", "before_bytes": null, "after_bytes": 120 },
            { "path": "app/server.py", "change": "changed", "before_bytes": 4096, "after_bytes": 5000 } ],
        "spec": [{ "key": "run.env.LOG_LEVEL", "before": "info", "after": null }],
        "history": { "more": false, "undone": [], "added": [
            { "commit": "2".repeat(40), "author": "Li Wei", "at": "2026-11-11T00:07:00Z", "subject": "修复重复下单" } ] },
        "sources": { "more": true, "files": [
            { "path": "app/server.py", "change": "changed", "text": "@@ -1 +1 @@\n-a\n+b\n", "binary": false, "cut": true },
            { "path": "logo.png", "change": "added", "text": null, "binary": true, "cut": false } ] }
    });
    fake.on("GET /services/shop/diff?from=v2&to=v3", json(&diff));
    insta::assert_snapshot!("diff", fake.run("diff v2 v3 --service shop").await);
    insta::assert_snapshot!("diff_zh", fake.run_zh("diff v2 v3 --service shop").await);
    fake.on("GET /services/shop/diff?from=live&to=v3&env=production&text=true", json(&diff));
    assert_eq!(fake.run("diff live v3 --service shop --env production --text").await.exit.code(), 0);
    let mut same = diff;
    same["history"] = value!(null);
    same["sources"] = value!(null);
    same["files"] = value!([]);
    same["spec"] = value!([]);
    fake.on("GET /services/shop/diff?from=v3&to=v3", json(same));
    insta::assert_snapshot!("no_diff", fake.run("diff v3 v3 --service shop").await);
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let fake = Fake::start().await;
    let token = value!({
        "id": RUN, "name": "ci", "scopes": ["read", "deploy"], "created_at": "2026-11-10T00:10:00Z",
        "expires_at": "2026-12-11T00:10:00Z", "last_used_at": null
    });
    let mut made = token.clone();
    made["token"] = value!("tw_0193_verysecret");
    fake.on("GET /tokens", list(&[token]))
        .on("POST /tokens", json(made))
        .on(&format!("DELETE /tokens/{RUN}"), json(value!(null)));
    insta::assert_snapshot!("tokens", fake.run("token list").await);
    insta::assert_snapshot!("token_made", fake.run("token create ci --scope read,deploy --expires 30d").await);
    assert_eq!(fake.seen()[1].body, value!({ "name": "ci", "scopes": ["read", "deploy"], "expires_in_s": 2_592_000 }));
    insta::assert_snapshot!("token_revoked", fake.run(&format!("token revoke {RUN}")).await);
    insta::assert_snapshot!("token_not_an_id", fake.run("token revoke ci").await);
    insta::assert_snapshot!("token_bad_time", fake.run_zh("token create ci --scope read --expires soon").await);
}

#[tokio::test]
async fn events_are_lines_and_their_lines_are_json() {
    let fake = Fake::start().await;
    let event = value!({
        "seq": 41, "id": RUN, "at": "2026-11-11T00:09:00.087Z", "kind": "rollout.completed", "schema": 1,
        "actor": { "type": "user", "name": "li.wei@laptop" }, "subject": format!("rollout/{ROLLOUT}"), "cause": null,
        "service": "shop", "env": "production", "before": null, "after": { "to": "v2" },
        "prev": release_ref("v1").digest, "hash": release_ref("v2").digest
    });
    let events = [event];
    fake.on("GET /events", list(&events)).on("GET /events/stream", crate::fake::stream(&events));
    insta::assert_snapshot!("events", fake.run("events --service shop --after 40").await);
    assert_eq!(fake.seen()[0].line, "GET /events?after=40&limit=50&service=shop");
    fake.run("events").await;
    assert_eq!(fake.seen()[1].line, "GET /events?limit=50&order=newest");
    let followed = fake.run("events -f --json").await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&followed.out).unwrap()["seq"], 41);
    fake.run("events -f --service other --actor li.wei --kind run. --since 2026-01-02T03:04:05Z").await;
    let asked = fake.seen().pop().unwrap().line;
    assert_eq!(asked, "GET /events/stream?service=other&actor=li.wei&kind=run.&since=2026-01-02T03%3A04%3A05.000000Z");
}

#[tokio::test]
async fn a_broken_chain_is_named_and_fails() {
    let fake = Fake::start().await;
    let head = value!({ "seq": 40, "hash": release_ref("v1").digest });
    fake.on(
        "GET /audit/verify",
        json(value!({ "ok": true, "intact": 40, "unsealed": 1, "head": head, "finding": null })),
    );
    fake.on(
        "GET /audit/verify",
        json(value!({ "ok": false, "intact": 6, "unsealed": 0, "head": head,
        "finding": { "seq": 7, "problem": "altered", "detail": "event 7 says something else than it did" } })),
    );
    insta::assert_snapshot!("audit_whole", fake.run("audit verify").await);
    insta::assert_snapshot!("audit_broken", fake.run("audit verify").await);
    insta::assert_snapshot!("audit_broken_zh", fake.run_zh("audit verify").await);
}

#[tokio::test]
async fn the_logs_of_instances_name_their_release() {
    let fake = Fake::start().await;
    let line = |stream: &str, text: &str| value!({ "type": "line", "at": "2026-11-11T00:09:00.087Z", "instance": RUN, "site": "default", "label": "v3", "stream": stream, "text": text });
    let updates = [
        line("stdout", "ready"),
        line("stderr", "slow"),
        line("system", "started"),
        value!({ "type": "notice", "text": "one instance is away" }),
    ];
    fake.on("GET /services/shop", json(service())).on("GET /services/shop/logs", crate::fake::stream(&updates));
    insta::assert_snapshot!("logs", fake.run("logs shop -n 5").await);
    assert_eq!(fake.seen()[1].line, "GET /services/shop/logs?env=production&tail=5&follow=false");
}
