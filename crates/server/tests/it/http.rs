//! What every route shares.

use crate::app::{TestApp, http};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
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
    let mut events = app.client().follow_events(Some(0));
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
