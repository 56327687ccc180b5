//! What a few typed words find, and what stays hidden.

use crate::{
    app::{TestApp, http, until},
    git::Work,
    host::Host,
    rights::account,
};
use serde_json::Value;
use tradewind_api::v1::{CreateService, Found, RunState, Scope};
use tradewind_model::access::{Bounds, Grant, Role};

async fn asked(app: &TestApp, token: &str, words: &str) -> Found {
    let coded: String = words.bytes().map(|b| format!("%{b:02X}")).collect();
    let url = app.url(&format!("/api/v1/search?q={coded}"));
    let answer = http().get(url).bearer_auth(token).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn found(app: &TestApp, words: &str) -> Found {
    asked(app, &app.admin.token, words).await
}

fn services(found: &Found) -> Vec<&str> {
    found.services.iter().map(|s| s.name.as_str()).collect()
}

async fn with_services(app: &TestApp, all: &[&str]) {
    for name in all {
        app.client().create_service(&CreateService { name: name.parse().unwrap() }).await.unwrap();
    }
}

#[tokio::test]
async fn services_are_found_by_parts_of_their_names_the_likeliest_first() {
    let app = TestApp::start().await;
    assert_eq!(services(&found(&app, "").await), Vec::<&str>::new());
    with_services(&app, &["cart", "ads", "edge-cart", "cart-eu", "depot"]).await;
    assert_eq!(services(&found(&app, "").await), ["ads", "cart", "cart-eu", "depot", "edge-cart"]);
    assert_eq!(services(&found(&app, "CART").await), ["cart", "cart-eu", "edge-cart"]);
    assert_eq!(services(&found(&app, "cart eu").await), ["cart-eu"]);
    for pattern in ["%", "_", r"\", "cart v1 nothing"] {
        assert_eq!(services(&found(&app, pattern).await), Vec::<&str>::new(), "{pattern} is a text and no pattern");
    }
}

#[tokio::test]
async fn a_release_and_a_run_are_found_by_number_and_commit() {
    let app = TestApp::start().await;
    let _host = Host::start(&app).await;
    with_services(&app, &["stock-eu"]).await;
    let work = Work::new(&app, "stock", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", "version: 1\nservice: stock\nkind: worker\nrun: { command: [./serve] }\n");
    work.write(".gitlab-ci.yml", "stages: [build]\ncompile: { stage: build, script: [print compiling] }\n");
    let commit = work.commit("Count what is left").await;
    assert!(work.push(&["main"]).await.ok);
    let all = until("a release", async || {
        let found = found(&app, "stock v1").await;
        (!found.releases.is_empty()).then_some(found)
    })
    .await;
    assert_eq!((all.releases[0].service.as_str(), all.releases[0].release.label.as_str()), ("stock", "v1"));
    assert_eq!(all.releases[0].title.as_deref(), Some("Count what is left"));
    assert_eq!(all.runs, [], "a label is not a run's number");

    until("the run's end", async || (found(&app, "stock #1").await.runs[0].state == RunState::Success).then_some(()))
        .await;
    let by_commit = found(&app, &commit[..7]).await;
    assert_eq!((by_commit.releases.len(), by_commit.runs.len()), (1, 1));
    assert_eq!(by_commit.runs[0].commit.as_str(), commit);
    let elsewhere = found(&app, &format!("stock-eu {}", &commit[..7])).await;
    assert_eq!((elsewhere.releases, elsewhere.runs), (vec![], vec![]), "all words have to fit");
    let three = found(&app, &commit[..3]).await;
    assert_eq!((three.releases, three.runs), (vec![], vec![]), "too few digits to tell commits apart");
    assert_eq!(found(&app, "#1").await.runs, [], "a number alone is of no service");

    let one = found(&app, "stock-eu").await;
    assert_eq!((services(&one), one.releases.len(), one.runs.len()), (vec!["stock-eu"], 0, 0));
    let both = found(&app, "stock 1").await;
    assert_eq!((both.releases.len(), both.runs.len()), (1, 1));

    // Whoever sees one service finds nothing of another.
    let bounds = Bounds { service: Some("stock-eu".parse().unwrap()), ..Bounds::default() };
    let stranger = account(&app.app.store, "stranger", Some(Grant { role: Role::Viewer, bounds })).await;
    for words in ["", "stock", "stock v1", &commit[..7], "stock #1"] {
        let seen = asked(&app, &stranger, words).await;
        assert_eq!((seen.releases, seen.runs, seen.rollouts), (vec![], vec![], vec![]), "{words}");
        assert!(seen.services.iter().all(|s| s.name.as_str() == "stock-eu"), "{words}");
    }
}

#[tokio::test]
async fn too_long_a_question_is_refused() {
    let app = TestApp::start().await;
    let url = app.url(&format!("/api/v1/search?q={}", "a".repeat(201)));
    let answer = http().get(url).bearer_auth(&app.admin.token).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "TW-API-005");
}
