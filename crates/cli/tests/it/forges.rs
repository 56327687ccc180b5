//! Links to forges on the command line: what is secret is typed or piped, and shown once.

use crate::fake::{Fake, json, list};
use serde_json::json as value;
use tradewind_api::v1::*;

fn delivery(state: &str, why: Option<&str>, tries: u32) -> serde_json::Value {
    value!({
        "id": "01930000-0000-7000-8000-000000000001", "delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "branch": "main",
        "after": "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", "pusher": "li-wei", "state": state, "why": why, "tries": tries,
        "received_at": "2026-11-11T00:00:00Z"
    })
}

fn link(kind: &str, more: serde_json::Value) -> ForgeLink {
    let mut link = value!({
        "service": "shop", "kind": kind, "url": "https://github.com/haixin/shop", "api": "https://api.github.com",
        "hook_path": "/hooks/0123456789abcdef", "account": "forge.github.1f3a5c2b", "has_token": false,
        "linked_at": "2026-11-10T22:00:00Z", "linked_by": "li.wei", "refused": 0
    });
    for (name, value) in more.as_object().unwrap() {
        link[name] = value.clone();
    }
    serde_json::from_value(link).unwrap()
}

fn linked(kind: &str, more: serde_json::Value) -> LinkedForge {
    LinkedForge { link: link(kind, more), secret: Some("whsec_c2hvd24gb25jZQ==".into()) }
}

#[tokio::test]
async fn a_link_says_what_to_do_in_the_forge() {
    let fake = Fake::start().await;
    fake.on("PUT /services/shop/forge", json(linked("github", value!({}))));
    insta::assert_snapshot!("forge_linked", fake.run("forge link shop --url https://github.com/haixin/shop").await);
    assert_eq!(fake.seen()[0].body, value!({ "url": "https://github.com/haixin/shop" }));
    let full = value!({ "has_token": true, "hook_url": "https://deploy.haixin.example/hooks/0123456789abcdef" });
    for kind in ForgeKind::ALL {
        let fake = Fake::start().await;
        fake.on("PUT /services/shop/forge", json(linked(kind.as_str(), full.clone())));
        let args =
            format!("forge link shop --url https://git.example.com/a/shop --kind {kind} --token-stdin --secret-stdin");
        let typed = || *fake.input.lock().unwrap() = "glpat-x\nwhsec_c2hvd24gb25jZQ==\n".into();
        typed();
        insta::assert_snapshot!(format!("forge_linked_{kind}"), fake.run(&args).await);
        typed();
        insta::assert_snapshot!(format!("forge_linked_{kind}_zh"), fake.run_zh(&args).await);
        let seen = fake.seen().remove(1).body;
        assert_eq!((&seen["token"], &seen["secret"]), (&value!("glpat-x"), &value!("whsec_c2hvd24gb25jZQ==")));
    }
    *fake.input.lock().unwrap() = "\n".into();
    let none = fake.run("forge link shop --url https://git.example.com/a/shop --token-stdin").await;
    insta::assert_snapshot!("forge_no_token", none);
    let kind = fake.run("forge link shop --url https://git.example.com/a/shop --kind svn").await;
    assert!(kind.to_string().contains("gitea"), "{kind}");
}

#[tokio::test]
async fn how_a_link_fares_is_shown() {
    let fake = Fake::start().await;
    let troubled = value!({
        "last": delivery("failed", Some("TW-GIT-002: the commit has no tradewind.yaml\nadd one"), 0), "has_token": true,
        "refused": 7, "refused_at": "2026-11-11T00:00:00Z", "refused_why": "it bore neither signature nor token",
        "status_problem": "401: Bad credentials"
    });
    fake.on("GET /services/shop/forge", json(link("github", troubled.clone())));
    insta::assert_snapshot!("forge_troubled", fake.run("forge show shop").await);
    insta::assert_snapshot!("forge_troubled_zh", fake.run_zh("forge show shop").await);
    insta::assert_snapshot!("forge_json", fake.run("forge show shop --json").await);
    let fake = Fake::start().await;
    fake.on("GET /services/shop/forge", json(link("gitea", value!({}))));
    insta::assert_snapshot!("forge_quiet", fake.run("forge show shop").await);
    let waiting = value!({ "last": delivery("waiting", None, 2) });
    fake.on("GET /forges", list(&[link("github", troubled), link("gitee", waiting), link("gitlab", value!({}))]));
    insta::assert_snapshot!("forges", fake.run("forge list").await);
    let fake = Fake::start().await;
    fake.on("GET /forges", list::<ForgeLink>(&[]));
    insta::assert_snapshot!("forges_none", fake.run("forge list").await);
    let all: Vec<ForgeDelivery> = [
        delivery("waiting", None, 0),
        delivery("waiting", Some("it could not be fetched: git fetch ended with 128"), 3),
        delivery("done", None, 0),
        delivery("stale", Some("by then the branch was at 1111111111"), 0),
        delivery("ignored", Some("the branch was removed"), 0),
        delivery("failed", Some("TW-GIT-009: this looks like a key\nmore"), 0),
    ]
    .into_iter()
    .map(|d| serde_json::from_value(d).unwrap())
    .collect();
    fake.on("GET /services/shop/forge/deliveries?limit=20", list(&all));
    insta::assert_snapshot!("forge_deliveries", fake.run("forge deliveries shop").await);
    insta::assert_snapshot!("forge_deliveries_zh", fake.run_zh("forge deliveries shop").await);
}

#[tokio::test]
async fn a_secret_is_made_anew_and_a_link_ends() {
    let fake = Fake::start().await;
    fake.on("PUT /services/shop/forge/secret", json(linked("gitlab", value!({ "has_token": true }))));
    insta::assert_snapshot!("forge_secret", fake.run("forge rotate-secret shop").await);
    assert_eq!(fake.seen()[0].body, value!({}));
    fake.on("DELETE /services/shop/forge", crate::fake::Answer::Json(204, value!(null)));
    insta::assert_snapshot!("forge_unlinked", fake.run("forge unlink shop").await);
}

#[tokio::test]
async fn a_run_says_who_pushed_on_the_forge() {
    let fake = Fake::start().await;
    let push = value!({ "kind": "gitee", "delivery": "1794190504000-ab", "pusher": "陈静" });
    let run = Run { forge: Some(serde_json::from_value(push).unwrap()), ..crate::samples::run(RunState::Success) };
    fake.on(&format!("GET /runs/{}", run.id), json(&run));
    let said = fake.run(&format!("run show {}", run.id)).await.to_string();
    assert!(said.contains("  pushed by 陈静 on Gitee\n"), "{said}");
}
