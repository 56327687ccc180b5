//! What happens to a request and its answer on their way.

use crate::support::*;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tradewind_model::protocol::edge::{RouteLimits, Target};

/// Answers with what came to it.
async fn echo() -> Instance {
    Instance::start(|request| {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
            let mut lines: Vec<_> = head.headers.iter().map(|(k, v)| format!("{k}: {}", v.to_str().unwrap())).collect();
            lines.sort();
            let all =
                format!("{} {}\n{}\n\n{}", head.method, head.uri, lines.join("\n"), String::from_utf8_lossy(&body));
            Response::builder()
                .header("x-own", "kept")
                .header("connection", "x-hop")
                .header("x-hop", "dropped")
                .header("keep-alive", "timeout=5")
                .body(full(all))
                .unwrap()
        })
    })
    .await
}

async fn edge_to(targets: &[Target], change: impl FnOnce(&mut RouteLimits)) -> (Edge, Agent) {
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut route = route_to(targets);
    change(&mut route.limits);
    agent.put(table(1, vec![route])).await;
    (edge, agent)
}

#[tokio::test]
async fn a_request_arrives_whole_and_an_answer_returns_whole() {
    let instance = echo().await;
    let (edge, _agent) = edge_to(&[instance.target()], |_| {}).await;
    let mut client = Client::dial(edge.addr).await;
    let request = Request::post("/a/b?c=%20d")
        .header("host", HOST)
        .header("x-forwarded-for", "10.9.8.7")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("connection", "x-secret")
        .header("x-secret", "1")
        .body(full("body"))
        .unwrap();
    let reply = client.send(request).await.unwrap();
    insta::assert_snapshot!(reply.body, @r"
    POST /a/b?c=%20d
    content-length: 4
    host: shop.example.com
    traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
    x-forwarded-for: 127.0.0.1
    x-forwarded-host: shop.example.com
    x-forwarded-proto: http

    body
    ");
    assert_eq!(reply.header("x-own"), Some("kept"));
    for hop in ["x-hop", "keep-alive", "connection"] {
        assert_eq!(reply.header(hop), None);
    }
    // The client's connection and the instance's are both used again.
    assert_eq!(client.get("/").await.status, StatusCode::OK);
    assert_eq!(instance.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_has_no_route_or_no_host_is_told_so() {
    let instance = echo().await;
    let (edge, _agent) = edge_to(&[instance.target()], |_| {}).await;
    let mut client = Client::dial(edge.addr).await;
    let other = Request::get("/").header("host", "other.example.com").body(full("")).unwrap();
    let reply = client.send(other).await.unwrap();
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    insta::assert_snapshot!(reply.body, @r#"{"type":"/help/TW-EDGE-001","code":"TW-EDGE-001","status":404,"title":"no service is routed at this address","fix":"check the host name and path, or add them under `route` in tradewind.yaml"}"#);
    let browser =
        Request::get("/").header("host", "other.example.com").header("accept", "text/html,*/*").body(full("")).unwrap();
    let page = client.send(browser).await.unwrap();
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.contains("No service is routed") && page.body.contains("此地址没有对应的服务"), "{}", page.body);
    for bytes in [
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nhost: other\r\nconnection: close\r\n\r\n"),
        "GET / HTTP/1.1\r\nhost: a/b\r\nconnection: close\r\n\r\n".to_owned(),
    ] {
        let answer = raw(edge.addr, &bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{bytes}{answer}");
    }
    assert_eq!(instance.requests(), 0);
}
