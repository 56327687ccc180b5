//! Connections that leave HTTP.

use crate::support::*;
use http::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Speaks a protocol of its own after the upgrade: everything comes back in capitals.
async fn upgrading() -> Instance {
    Instance::start(|mut request| {
        Box::pin(async move {
            if request.headers().get("upgrade").is_none_or(|v| v != "shout") {
                return text("plain");
            }
            tokio::spawn(async move {
                let mut io = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
                let mut buffer = [0; 1024];
                while let Ok(n @ 1..) = io.read(&mut buffer).await {
                    io.write_all(&buffer[..n].to_ascii_uppercase()).await.unwrap();
                }
            });
            let response = Response::builder().status(101).header("upgrade", "shout").header("connection", "upgrade");
            response.body(full("")).unwrap()
        })
    })
    .await
}

async fn tunnel(edge: &Edge) -> TcpStream {
    let mut stream = TcpStream::connect(edge.addr).await.unwrap();
    let ask = format!("GET /ws HTTP/1.1\r\nhost: {HOST}\r\nconnection: keep-alive, Upgrade\r\nupgrade: shout\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let head = within("an upgrade", read_head(&mut stream)).await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("upgrade: shout\r\n") && head.contains("connection: upgrade\r\n"), "{head}");
    stream
}

async fn shout(stream: &mut TcpStream) {
    stream.write_all(b"hello").await.unwrap();
    let mut back = [0; 5];
    within("an echo", stream.read_exact(&mut back)).await.unwrap();
    assert_eq!(&back, b"HELLO");
}

#[tokio::test]
async fn a_tunnel_keeps_its_instance_from_being_drained_until_it_ends() {
    let (old, new) = (upgrading().await, Instance::named("new").await);
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[old.target()])])).await;
    let mut stream = tunnel(&edge).await;
    shout(&mut stream).await;
    agent.put(table(2, vec![route_to(&[new.target()])])).await;
    shout(&mut stream).await;
    let stats = agent.stats("draining", |s| s.targets.iter().any(|t| t.draining)).await;
    assert_eq!(stats.targets.iter().find(|t| t.draining).map(|t| (t.instance, t.in_flight)), Some((old.id, 1)));
    drop(stream);
    agent.drained(old.id).await;
}

#[tokio::test]
async fn a_tunnel_has_the_whole_drain_time_and_is_then_closed_and_counted() {
    let (old, new) = (upgrading().await, Instance::named("new").await);
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut route = route_to(&[old.target()]);
    route.limits.drain_ms = 300;
    agent.put(table(1, vec![route])).await;
    let mut stream = tunnel(&edge).await;
    let asked = std::time::Instant::now();
    agent.put(table(2, vec![route_to(&[new.target()])])).await;
    let mut rest = Vec::new();
    within("the end of the tunnel", stream.read_to_end(&mut rest)).await.expect("an orderly end");
    assert!(asked.elapsed().as_millis() >= 300, "not before its time");
    agent.drained(old.id).await;
    let metrics = edge.metrics().await;
    assert!(
        metrics.lines().any(|l| l.starts_with("tradewind_edge_drain_cut_total{") && l.ends_with(" 1")),
        "{metrics}"
    );
}

#[tokio::test]
async fn an_upgrade_the_instance_does_not_take_is_a_plain_answer() {
    let instance = upgrading().await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[instance.target()])])).await;
    let mut request = get("/");
    request.headers_mut().insert("connection", "upgrade".parse().unwrap());
    request.headers_mut().insert("upgrade", "other".parse().unwrap());
    let mut client = Client::dial(edge.addr).await;
    assert_eq!(client.send(request).await.unwrap().body, "plain");
    assert_eq!(client.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_instance_cannot_switch_protocols_unasked() {
    let target = raw_instance(|mut stream| async move {
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read_u8().await;
    })
    .await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[target])])).await;
    assert_eq!(edge.get("/").await.status, StatusCode::BAD_GATEWAY);
}
