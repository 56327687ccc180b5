//! What happens to a request and its answer on their way.

use crate::support::*;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};
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
    assert_eq!(instance.connections.load(SeqCst), 1);
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

#[tokio::test]
async fn heads_old_clients_and_odd_answers_keep_their_framing() {
    let instance = Instance::start(|request| {
        Box::pin(async move {
            match request.uri().path() {
                "/none" => Response::builder().status(204).body(full("")).unwrap(),
                "/same" => Response::builder().status(304).header("etag", "\"a\"").body(full("")).unwrap(),
                _ => text("hello"),
            }
        })
    })
    .await;
    let (edge, _agent) = edge_to(&[instance.target()], |_| {}).await;
    let ask = |method: &str, path: &str| {
        let bytes = format!("{method} {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
        let addr = edge.addr;
        async move { raw(addr, &bytes).await.to_ascii_lowercase() }
    };
    let head = ask("HEAD", "/").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("content-length: 5\r\n") && head.ends_with("\r\n\r\n"));
    let none = ask("GET", "/none").await;
    assert!(none.starts_with("http/1.1 204") && !none.contains("content-length") && none.ends_with("\r\n\r\n"));
    assert!(ask("GET", "/same").await.contains("etag: \"a\""));

    let old = raw(edge.addr, &format!("GET / HTTP/1.0\r\nhost: {HOST}\r\n\r\n")).await;
    assert!(old.starts_with("HTTP/1.0 200") && old.ends_with("\r\n\r\nhello"), "{old}");
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_passed_on_whole() {
    let target = raw_instance(|mut stream| async move {
        read_head(&mut stream).await;
        let body = "x".repeat(100_000);
        stream.write_all(format!("HTTP/1.0 200 OK\r\n\r\n{body}").as_bytes()).await.unwrap();
    })
    .await;
    let (edge, _agent) = edge_to(&[target], |_| {}).await;
    let mut client = Client::dial(edge.addr).await;
    for _ in 0..2 {
        assert_eq!(client.get("/").await.body.len(), 100_000);
    }
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    const CHUNK: usize = 64 << 10;
    const CHUNKS: usize = 128;
    let instance = Instance::start(|request| {
        Box::pin(async move {
            // Back as it comes: neither end ever holds all of it.
            Response::new(request.into_body().map_err(|e| panic!("{e}")).boxed())
        })
    })
    .await;
    let (edge, _agent) = edge_to(&[instance.target()], |_| {}).await;
    let chunks = futures_util::stream::iter(
        (0..CHUNKS).map(|i| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![i as u8; CHUNK])))),
    );
    let request = Request::post("/").header("host", HOST).body(StreamBody::new(chunks).boxed()).unwrap();
    let reply = Client::dial(edge.addr).await.send_for_bytes(request).await;
    assert_eq!(reply.len(), CHUNK * CHUNKS);
    assert!(reply.chunks(CHUNK).enumerate().all(|(i, c)| c.iter().all(|b| *b == i as u8)));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_declared_or_not() {
    let instance = echo().await;
    let (edge, mut agent) = edge_to(&[instance.target()], |l| l.max_body_bytes = 1_000).await;
    let post = |body: &str| {
        raw(edge.addr, Box::leak(format!("POST / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{body}").into()))
    };
    let declared = post("content-length: 1001\r\n\r\n").await;
    assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
    assert_eq!(instance.requests(), 0, "it was known before anything was sent");
    let chunked = post(&format!("transfer-encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1_001))).await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    let fits = post(&format!("content-length: 1000\r\n\r\n{}", "x".repeat(1_000))).await;
    assert!(fits.starts_with("HTTP/1.1 200 "), "{fits}");
    let stats = agent.stats("three answers", |s| s.splits[0].responses.iter().sum::<u64>() == 3).await;
    assert!(stats.splits[0].upstream_failures.is_empty(), "a client's fault is not the release's: {stats:?}");
}

#[tokio::test]
async fn heads_beyond_measure_are_refused() {
    let instance = echo().await;
    let (edge, _agent) = edge_to(&[instance.target()], |_| {}).await;
    let long = "x".repeat(70_000);
    let answer = raw(edge.addr, &format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nx-long: {long}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many = "x: y\r\n".repeat(1_000);
    let answer = raw(edge.addr, &format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let answer = raw(edge.addr, &format!("GET /{long} HTTP/1.1\r\nhost: {HOST}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 414 ") || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(instance.requests(), 0);
}

/// What the front of the edge reads one way and an instance might read another way must not carry a second request in.
#[tokio::test]
async fn no_request_is_smuggled_past_the_edge() {
    let instance = echo().await;
    let (edge, _agent) = edge_to(&[instance.target()], |_| {}).await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    let after = format!("0\r\n\r\n{hidden}");
    let both = [
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", after.len()),
        format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", after.len()),
    ];
    for (i, headers) in both.iter().enumerate() {
        // The length that `Transfer-Encoding` gives holds, and the connection ends with the answer.
        let answer = raw(edge.addr, &format!("POST / HTTP/1.1\r\nhost: {HOST}\r\n{headers}\r\n{after}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("content-length: 3"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(!answer.contains("hidden"), "{answer}");
        assert_eq!(instance.requests(), i as u64 + 1);
    }
    let refused = [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: +5\r\n",
        "content-length: 5, 6\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding: chunked\r\n : x\r\n",
        "x: a\r\n b\r\n",
        "x: \0\r\n",
    ];
    for headers in refused {
        let answer = raw(edge.addr, &format!("POST / HTTP/1.1\r\nhost: {HOST}\r\n{headers}\r\n{after}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers}{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    assert_eq!(instance.requests(), 2);
}

#[tokio::test]
async fn a_request_without_a_byte_sent_is_sent_elsewhere_whatever_its_method() {
    let instance = Instance::named("alive").await;
    let (edge, mut agent) = edge_to(&[nobody().await, instance.target()], |_| {}).await;
    let mut client = Client::dial(edge.addr).await;
    for _ in 0..10 {
        let post = Request::post("/").header("host", HOST).body(full("order")).unwrap();
        assert_eq!(client.send(post).await.unwrap().body, "alive");
    }
    agent.stats("ten answers", |s| s.splits[0].responses[1] == 10 && s.splits[0].upstream_failures.is_empty()).await;
    assert!(!edge.metrics().await.contains("retries_total{route=\"shop/production/default\",revision=\"00000000-0000-7000-8000-000000000001\",label=\"v1\"} 0"));
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_costs_no_request() {
    // Closes after every answer without saying so.
    let served = Arc::new(AtomicU64::new(0));
    let target = raw_instance({
        let served = served.clone();
        move |mut stream| {
            let served = served.clone();
            async move {
                let head = read_head(&mut stream).await;
                assert!(head.starts_with("POST"), "{head}");
                stream.read_exact(&mut [0; 5]).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                drop(stream);
                served.fetch_add(1, SeqCst);
            }
        }
    })
    .await;
    let (edge, _agent) = edge_to(&[target], |_| {}).await;
    let mut client = Client::dial(edge.addr).await;
    for n in 1..=50 {
        let post = Request::post("/").header("host", HOST).body(full("order")).unwrap();
        let reply = client.send(post).await.unwrap();
        assert_eq!(reply.body, "ok");
        until("the connection is closed", || served.load(SeqCst) == n).await;
    }
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_never_sent_twice() {
    let seen = Arc::new(AtomicU64::new(0));
    let breaks = {
        let seen = seen.clone();
        move |mut stream: TcpStream| {
            let seen = seen.clone();
            async move {
                // The first request of a connection is answered, so that it goes into the pool; the second is read and dropped.
                read_head(&mut stream).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                if !read_head(&mut stream).await.is_empty() {
                    seen.fetch_add(1, SeqCst);
                }
            }
        }
    };
    let (edge, mut agent) = edge_to(&[raw_instance(breaks.clone()).await], |_| {}).await;
    for (n, method) in ["POST", "GET", "PUT"].into_iter().enumerate() {
        let mut client = Client::dial(edge.addr).await;
        let ask = || Request::builder().method(method).uri("/").header("host", HOST).body(full("")).unwrap();
        // Both requests within the time an idle connection is kept: it takes the pool's connection.
        let mut statuses = Vec::new();
        within("a connection used twice", async {
            while statuses.last() != Some(&StatusCode::BAD_GATEWAY) {
                statuses.push(client.send(ask()).await.unwrap().status);
            }
        })
        .await;
        assert_eq!(seen.load(SeqCst), n as u64 + 1, "{method}: {statuses:?}");
    }
    agent.stats("three resets", |s| s.splits[0].upstream_failures.get("reset") == Some(&3)).await;
}

#[tokio::test]
async fn an_instance_that_does_not_answer_is_given_up_in_time() {
    let target = raw_instance(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let (edge, mut agent) = edge_to(&[target], |l| l.response_ms = 50).await;
    assert_eq!(edge.get("/").await.status, StatusCode::GATEWAY_TIMEOUT);
    agent
        .stats("one time-out", |s| {
            s.splits[0].upstream_failures.get("timeout") == Some(&1) && s.targets[0].in_flight == 0
        })
        .await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_not_the_releases_fault_and_frees_the_instance() {
    let target = raw_instance(|mut stream| async move {
        read_head(&mut stream).await;
        // The end of the edge's connection is what this waits for.
        let _ = stream.read_u8().await;
    })
    .await;
    let (edge, mut agent) = edge_to(&[target], |_| {}).await;
    let mut stream = TcpStream::connect(edge.addr).await.unwrap();
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    agent.stats("in flight", |s| s.targets[0].in_flight == 1).await;
    drop(stream);
    let stats = agent.stats("free again", |s| s.targets[0].in_flight == 0).await;
    let split = &stats.splits[0];
    assert_eq!((split.requests, split.client_aborts, split.responses), (1, 1, [0; 5]));
    assert!(split.upstream_failures.is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_at_the_client_too() {
    let target = raw_instance(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    })
    .await;
    let (edge, mut agent) = edge_to(&[target], |_| {}).await;
    let result = Client::dial(edge.addr).await.send(get("/")).await;
    assert!(result.is_err(), "{result:?}");
    agent.stats("a broken body", |s| s.splits[0].upstream_failures.get("body") == Some(&1)).await;
}

#[tokio::test]
async fn more_than_an_instance_may_have_at_once_waits_and_then_is_told() {
    let gate = Arc::new(Semaphore::new(0));
    let instance = Instance::start({
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                text("done")
            })
        }
    })
    .await;
    let (edge, mut agent) = edge_to(&[instance.target()], |l| (l.max_in_flight, l.connect_ms) = (2, 300)).await;
    let ask = || tokio::spawn(Client::dial_and_get(edge.addr, "/"));
    let first = [ask(), ask()];
    until("two are in flight", || instance.requests() == 2).await;
    let refused = ask().await.unwrap();
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(instance.requests(), 2, "it never came to the instance");
    agent.stats("overload", |s| s.splits[0].upstream_failures.get("overload") == Some(&1)).await;
    // Room made in time is used by those who wait.
    gate.add_permits(100);
    for reply in first.into_iter().chain((0..20).map(|_| ask())) {
        assert_eq!(reply.await.unwrap().body, "done");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_its_body_gets_it() {
    let instance = echo().await;
    let (edge, _agent) = edge_to(&[instance.target()], |_| {}).await;
    let mut stream = TcpStream::connect(edge.addr).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(within("leave", read_head(&mut stream)).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"order").await.unwrap();
    let answer = within("an answer", read_head(&mut stream)).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// A client that reads nothing must not hold an instance for ever.
#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_left() {
    let instance = Instance::start(|_| {
        Box::pin(async move {
            let endless = futures_util::stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[b'x'; 64 << 10]))));
            Response::new(StreamBody::new(endless).boxed())
        })
    })
    .await;
    let edge = Edge::with(|c| c.clients.stall = std::time::Duration::from_millis(400));
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[instance.target()])])).await;
    let mut stream = TcpStream::connect(edge.addr).await.unwrap();
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    assert!(within("a head", read_head(&mut stream)).await.starts_with("HTTP/1.1 200 "));
    // As long as it reads, it is served: statistics come once a second, well beyond its time.
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let reader = tokio::spawn(async move {
        while stopped.try_recv().is_err() {
            stream.read_exact(&mut [0; 8 << 10]).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        stream
    });
    agent.stats("in flight", |s| s.targets[0].in_flight == 1).await;
    for _ in 0..3 {
        let stats = agent.stats("any", |_| true).await;
        assert_eq!((stats.targets[0].in_flight, stats.splits[0].client_aborts), (1, 0));
    }
    stop.send(()).unwrap();
    let _stream = within("the reader stops", reader).await.unwrap();
    let stats = agent.stats("left", |s| s.targets[0].in_flight == 0).await;
    assert_eq!(stats.splits[0].client_aborts, 1);
}
