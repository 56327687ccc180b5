//! What every route shares.

use crate::app::{TestApp, http};
use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Notify, oneshot},
};
use tower::ServiceExt as _;
use tradewind_model::id::Digest;
use tradewind_server::http::{
    Permission, Route, layers,
    route::{self, BadRoute},
};
use tradewind_store::{
    StoreError,
    rows::idempotency::{self, Admission, Request as Noted},
    transact,
};

#[tokio::test]
async fn a_refusal_is_a_problem_in_the_callers_language_with_the_requests_id() {
    let app = TestApp::start().await;
    let answer = http()
        .get(app.url("/api/v1/nothing"))
        .header("accept-language", "zh-CN,zh;q=0.9")
        .header("x-request-id", "abc-1")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["x-request-id"], "abc-1");
    let problem: Value = answer.json().await.unwrap();
    insta::assert_json_snapshot!(problem);

    let answer = http().post(app.url("/healthz")).header("x-request-id", "no good\tid").send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["x-request-id"].len(), 36);
    assert_eq!(answer.json::<Value>().await.unwrap()["title"], "POST is not possible at /healthz");
}

#[tokio::test]
async fn bodies_that_are_wrong_or_too_large_are_told_apart() {
    let app = TestApp::start().await;
    let send = async |body: Vec<u8>| {
        let request = http().post(app.url("/api/v1/tokens")).bearer_auth(&app.admin.token);
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(send(b"{".to_vec()).await, (422, "TW-API-004".into()));
    assert_eq!(send(br#"{"name":"x","scopes":["root"]}"#.to_vec()).await, (422, "TW-API-004".into()));
    assert_eq!(send(vec![b' '; 300 << 10]).await, (413, "TW-API-006".into()));
}

#[tokio::test]
async fn a_repeated_post_is_done_once_and_a_secret_is_not_kept() {
    let app = TestApp::start().await;
    let send = async |key: &str, name: &str| {
        let request = http().post(app.url("/api/v1/tokens")).bearer_auth(&app.admin.token);
        let answer = request.header("idempotency-key", key).json(&json!({ "name": name, "scopes": ["read"] }));
        let answer = answer.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, made) = send("k1", "one").await;
    assert_eq!(status, 201);
    let secret = made["token"].as_str().unwrap();
    let (status, again) = send("k1", "one").await;
    assert_eq!((status, again["code"].as_str()), (409, Some("TW-API-009")));
    let (status, other) = send("k1", "two").await;
    assert_eq!((status, other["code"].as_str()), (422, Some("TW-API-007")));
    assert_eq!(send("", "x").await.0, 422);
    // A refused request may be corrected under its key.
    assert_eq!(send("k2", "").await.0, 422);
    assert_eq!(send("k2", "three").await.0, 201);
    assert_eq!(app.client().tokens(&Default::default()).await.unwrap().items.len(), 3);

    let stored = std::fs::read(app.data().join("tradewind.db")).unwrap();
    let log = std::fs::read(app.data().join("tradewind.db-wal")).unwrap_or_default();
    let secret = secret.rsplit('_').next().unwrap();
    for bytes in [stored, log] {
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "a secret is stored in the clear");
    }
}

#[tokio::test]
async fn an_answer_has_a_tag_and_who_has_it_gets_none() {
    let app = TestApp::start().await;
    let get = async |tag: Option<&str>| {
        let request = http().get(app.url("/api/v1/version"));
        let request = match tag {
            Some(tag) => request.header("if-none-match", tag),
            None => request,
        };
        request.send().await.unwrap()
    };
    let first = get(None).await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let again = get(Some(&tag)).await;
    assert_eq!(again.status(), 304);
    assert!(again.bytes().await.unwrap().is_empty());
    assert_eq!(get(Some("\"other\"")).await.status(), 200);
}

#[tokio::test]
async fn a_help_page_says_what_a_code_means() {
    let app = TestApp::start().await;
    let page = http().get(app.url("/help/tw-auth-001")).header("accept-language", "zh").send().await.unwrap();
    insta::assert_snapshot!(page.text().await.unwrap());
    assert_eq!(http().get(app.url("/help/TW-NONE-999")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_server_stops_with_streams_open_and_requests_half_sent() {
    let app = TestApp::start().await;
    let mut events = app.client().follow_events(&Default::default(), Some(0));
    assert!(events.next().await.unwrap().is_ok());
    let mut slow = TcpStream::connect(app.addr).await.unwrap();
    slow.write_all(b"GET /healthz HTT").await.unwrap();
    let idle = http();
    idle.get(app.url("/healthz")).send().await.unwrap();
    app.stop().await;
}

#[tokio::test]
async fn a_connection_carries_many_requests_and_a_broken_one_harms_nobody() {
    let app = TestApp::start().await;
    let mut raw = TcpStream::connect(app.addr).await.unwrap();
    for _ in 0..2 {
        raw.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut got = Vec::new();
        while !got.ends_with(b"{\"ok\":true}") {
            let mut buffer = [0; 1024];
            let n = tokio::time::timeout(Duration::from_secs(30), raw.read(&mut buffer)).await.unwrap().unwrap();
            assert!(n > 0, "closed after {}", String::from_utf8_lossy(&got));
            got.extend_from_slice(&buffer[..n]);
        }
    }
    raw.write_all(b"\x00\x01 nonsense\r\n\r\n").await.unwrap();
    drop(raw);
    assert!(app.client().version().await.is_ok());
}

#[tokio::test]
async fn a_panic_is_an_opaque_refusal_and_not_an_end() {
    let app = TestApp::start().await;
    let boom =
        Route::get("/boom", Permission::Public, "boom", async || -> String { panic!("the password is swordfish") });
    let router = layers::router(&app.app, vec![boom.about("Test", "Panics")]);
    for _ in 0..2 {
        let request = ::http::Request::get("/boom").body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 500);
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("TW-API-001") && !text.contains("swordfish"), "{text}");
    }
}

#[test]
fn routes_that_are_declared_wrongly_keep_the_server_from_starting() {
    let route = |path, id| Route::get(path, Permission::Public, id, async || "").about("Test", "A route");
    let open = Route::post("/a", Permission::Public, "a", async || "").about("Test", "Changes something");
    assert!(route::check(&[route("/a", "a"), route("/b", "b")]).is_ok());
    assert!(matches!(route::check(&[route("/a", "a"), route("/a", "b")]), Err(BadRoute::Twice(_))));
    assert!(matches!(route::check(&[route("/a", "a"), route("/b", "a")]), Err(BadRoute::SameId("a"))));
    assert!(matches!(route::check(&[open]), Err(BadRoute::OpenToAll(_))));
    let silent = Route::get("/a", Permission::Public, "a", async || "");
    assert!(matches!(route::check(&[silent]), Err(BadRoute::Undocumented(_))));
    assert!(route::check(&tradewind_server::routes::all()).is_ok());
}

#[tokio::test]
async fn what_a_killed_server_may_have_done_is_not_done_again_on_a_guess() {
    let app = TestApp::start().await;
    let body = r#"{"name":"shop"}"#;
    let noted = Noted {
        actor: format!("token/{}", app.admin.info.id),
        key: "k1".into(),
        route: "POST /api/v1/services".into(),
        hash: Digest::of(format!("/api/v1/services\n{body}").as_bytes()),
    };
    // As a server leaves it that dies in the middle.
    let begun: Result<_, StoreError> =
        transact!(app.app.store, tx => idempotency::begin(tx, &noted, Duration::MAX).await);
    assert_eq!(begun.unwrap(), Admission::New);
    let send = async |key: &str| {
        let request = http().post(app.url("/api/v1/services")).bearer_auth(&app.admin.token);
        let request = request.header("idempotency-key", key).header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        let replayed = answer.headers().contains_key("idempotency-replayed");
        (answer.status().as_u16(), replayed, answer.json::<Value>().await.unwrap())
    };
    let (status, _, problem) = send("k1").await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("TW-API-013")));
    let (status, replayed, made) = send("k2").await;
    assert_eq!((status, replayed), (201, false));
    assert_eq!(send("k2").await, (201, true, made), "an answer without a secret is given again");
}

#[tokio::test]
async fn a_post_that_was_begun_is_done_when_its_caller_goes_away() {
    let app = TestApp::start().await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (done, mut ended) = oneshot::channel();
    let done = Arc::new(Mutex::new(Some(done)));
    let work = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        async move || {
            begun.notify_one();
            go_on.notified().await;
            let _ = done.lock().unwrap().take().unwrap().send(());
            ""
        }
    };
    let slow = Route::post("/slow", Permission::Public, "slow", work).about("Test", "Takes its time");
    let router = layers::router(&app.app, vec![slow]);
    let request = ::http::Request::post("/slow").body(Body::empty()).unwrap();
    let asked = tokio::spawn(router.oneshot(request));
    begun.notified().await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert!(ended.try_recv().is_err());
    go_on.notify_one();
    ended.await.unwrap();
}

#[tokio::test]
async fn what_is_no_id_names_nothing_and_is_said_so_in_the_callers_language() {
    let app = TestApp::start().await;
    let ask = async |path: &str, lang: &str| {
        let request = http().get(app.url(path)).bearer_auth(&app.admin.token).header("accept-language", lang);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for (path, en, zh) in [
        ("/api/v1/rollouts/xyz", "there is no rollout `xyz`", "没有发布过程 `xyz`"),
        ("/api/v1/runs/%22%3E%3Cb%3E", "there is no run `\\\"><b>`", "没有流水线运行 `\\\"><b>`"),
    ] {
        for (lang, title) in [("en", en), ("zh-CN", zh)] {
            let (status, problem) = ask(path, lang).await;
            assert_eq!((status, problem["code"].as_str()), (404, Some("TW-API-018")), "{path}");
            assert_eq!(problem["title"].as_str(), Some(title));
        }
    }
    let (status, problem) = ask("/api/v1/services/Bad%20Name", "en").await;
    assert_eq!((status, problem["code"].as_str()), (422, Some("TW-API-005")));
    assert!(!problem["title"].as_str().unwrap().contains("Cannot parse"), "{problem}");
}
