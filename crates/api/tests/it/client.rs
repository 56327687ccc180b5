//! The client against a server that misbehaves: one scripted answer a connection.

use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Mutex,
};
use tradewind_api::{ApiError, Client, v1};
use tradewind_model::{fault::Lang, id::RunId};

struct Script {
    base: String,
    /// Heads of the requests that came.
    seen: Arc<Mutex<Vec<String>>>,
}

/// Answers the n-th connection with the n-th text and closes it; an empty text closes without an answer.
async fn server(answers: Vec<String>) -> Script {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).await.unwrap_or(0) > 0 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            if let Some(length) = head.lines().find_map(|l| l.strip_prefix("content-length: ")) {
                let mut body = vec![0; length.parse().unwrap()];
                socket.read_exact(&mut body).await.unwrap();
            }
            log.lock().await.push(head);
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    Script { base, seen }
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn stream(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}")
}

fn client(base: &str) -> Client {
    Client::new(base).unwrap().with_token("tw_x_y").unwrap()
}

const VERSION: &str = r#"{"version":"1.2.3","api":1,"agent_protocol":1}"#;

#[tokio::test]
async fn a_refusal_is_told_as_the_server_told_it() {
    let body = r#"{"type":"/help/TW-API-001","code":"TW-API-001","status":404,"title":"没有","fix":"看看"}"#;
    let server = server(vec![answer("404 Not Found", "application/problem+json", body)]).await;
    let error = client(&server.base).with_lang(Lang::Zh).version().await.unwrap_err();
    assert_eq!(error.problem().unwrap().title, "没有");
    assert_eq!(error.status(), Some(404));
    let head = server.seen.lock().await[0].clone();
    assert!(head.starts_with("get /api/v1/version http/1.1"), "{head}");
    assert!(head.contains("accept-language: zh-cn") && head.contains("authorization: bearer tw_x_y"), "{head}");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_under_the_same_key() {
    let token = r#"{"token":"tw_a_b","id":"01930000-0000-7000-8000-000000000000","name":"n","scopes":["admin"],
        "created_at":"2026-01-01T00:00:00Z","expires_at":null,"last_used_at":null}"#;
    let server = server(vec![String::new(), answer("200 OK", "application/json", token)]).await;
    let login = v1::Login { code: "K7QW".into(), name: "n".into() };
    let made = client(&server.base).login(&login).await.unwrap();
    assert_eq!(made.info.scopes, [v1::Scope::Admin]);
    let seen = server.seen.lock().await;
    let key = |head: &str| head.lines().find(|l| l.starts_with("idempotency-key: ")).unwrap().to_owned();
    assert_eq!(seen.len(), 2);
    assert_eq!(key(&seen[0]), key(&seen[1]));
}

#[tokio::test]
async fn a_server_that_comes_back_is_waited_for_and_one_that_does_not_is_given_up() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = holder.local_addr().unwrap();
    drop(holder);
    let call = tokio::spawn(async move { client(&format!("http://{addr}")).version().await });
    let refused = client(&format!("http://{addr}")).patience(Duration::ZERO).version().await.unwrap_err();
    assert!(matches!(refused, ApiError::Unreachable { .. }), "{refused}");
    assert_eq!(refused.to_string(), format!("no answer from http://{addr}/api/v1/version"));
    let listener = TcpListener::bind(addr).await.unwrap();
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(answer("200 OK", "application/json", VERSION).as_bytes()).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap().version, "1.2.3");
}

#[tokio::test]
async fn a_stream_resumes_behind_the_last_event_and_ends_when_told() {
    let run: RunId = "01930000-0000-7000-8000-000000000000".parse().unwrap();
    let log = |offset: u64, text: &str| {
        format!(
            r#"{{"type":"log","job":"01930000-0000-7000-8000-000000000001","name":"test","offset":{offset},"text":"{text}"}}"#
        )
    };
    let first = format!("id: a1\ndata: {}\n\nid: a2\ndata: {{\"type\":\"lo", log(0, "one"));
    let second = format!("id: a2\ndata: {}\n\nevent: end\ndata: {{}}\n\n", log(3, "two"));
    let server = server(vec![stream(&first), stream(&second)]).await;
    let mut follow = client(&server.base).follow_run(run);
    let mut texts = Vec::new();
    while let Some(update) = follow.next().await {
        if let v1::RunUpdate::Log { text, offset, .. } = update.unwrap() {
            texts.push((offset, text));
        }
    }
    assert_eq!(texts, [(0, "one".to_owned()), (3, "two".to_owned())]);
    assert_eq!(follow.last_id(), Some("a2"));
    assert!(follow.next().await.is_none());
    let seen = server.seen.lock().await;
    assert!(!seen[0].contains("last-event-id"));
    assert!(seen[1].contains("last-event-id: a1\r\n"), "{}", seen[1]);
}

#[tokio::test]
async fn a_name_from_outside_stays_one_part_of_the_path() {
    let server = server(vec![stream("")]).await;
    let service = "shop".parse().unwrap();
    let error = client(&server.base).release(&service, "../../tokens?x=1").await.unwrap_err();
    assert!(matches!(error, ApiError::Garbled { .. }), "{error}");
    let head = server.seen.lock().await[0].clone();
    assert!(head.starts_with("get /api/v1/services/shop/releases/..%2f..%2ftokens%3fx=1 http"), "{head}");
}

#[tokio::test]
async fn a_stream_that_is_refused_says_why_once() {
    let body = r#"{"type":"/help/TW-API-001","code":"TW-API-001","status":500,"title":"no","fix":"do"}"#;
    let server = server(vec![stream(&format!("event: problem\ndata: {body}\n\n"))]).await;
    let mut follow = client(&server.base).follow_events(&Default::default(), Some(41));
    let error = follow.next().await.unwrap().unwrap_err();
    assert_eq!(error.problem().unwrap().code, "TW-API-001");
    assert!(follow.next().await.is_none());
    assert!(server.seen.lock().await[0].contains("last-event-id: 41\r\n"));
}

#[test]
fn addresses_that_are_none_are_refused_and_a_client_does_not_show_its_token() {
    for bad in ["", "localhost", "ftp://x", "http://", "not a url"] {
        assert!(matches!(Client::new(bad), Err(ApiError::BadAddress { .. })), "{bad}");
    }
    let client = Client::new("http://127.0.0.1:7070/").unwrap().with_token("tw_secret").unwrap();
    assert_eq!(client.base(), "http://127.0.0.1:7070");
    assert!(!format!("{client:?}").contains("secret"));
}
