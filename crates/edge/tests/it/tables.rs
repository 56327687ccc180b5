//! Tables: taken, refused, put in force, and let go of without a request lost.

use crate::support::*;
use http::StatusCode;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};
use tokio::sync::Semaphore;
use tradewind_edge::{Sockets, Worker, WorkerConfig};
use tradewind_model::protocol::edge::{FromEdge, Mode, ToEdge};

/// Answers with its number, after a turn of the runtime or a few.
async fn numbered(n: u64) -> Instance {
    Instance::start(move |_| {
        Box::pin(async move {
            for _ in 0..n % 4 {
                tokio::task::yield_now().await;
            }
            text(n.to_string())
        })
    })
    .await
}

/// Swaps under load, each old instance killed the moment it is said to be drained: nothing is lost, and no request that
/// began after an acknowledgement is served by an older table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_or_follows_an_older_table_through_swaps_under_load() {
    const SWAPS: u64 = 40;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut current = numbered(1).await;
    agent.put(table(1, vec![route_to(&[current.target()])])).await;
    let acked = Arc::new(AtomicU64::new(1));
    let stop = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..12)
        .map(|_| {
            let (addr, acked, stop, served) = (edge.addr, acked.clone(), stop.clone(), served.clone());
            tokio::spawn(async move {
                let mut client = Client::dial(addr).await;
                while !stop.load(SeqCst) {
                    let at_least = acked.load(SeqCst);
                    let reply = client.send(get("/")).await.expect("an answer");
                    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
                    let by: u64 = reply.body.parse().unwrap();
                    assert!(by >= at_least, "served by {by} after {at_least} was acknowledged");
                    served.fetch_add(1, SeqCst);
                }
            })
        })
        .collect();
    for version in 2..2 + SWAPS {
        let next = numbered(version).await;
        let before = served.load(SeqCst);
        agent.put(table(version, vec![route_to(&[next.target()])])).await;
        acked.store(version, SeqCst);
        agent.drained(current.id).await;
        current.stop().await;
        current = next;
        within("some load", async {
            while served.load(SeqCst) < before + 50 && !clients.iter().any(|c| c.is_finished()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    stop.store(true, SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let stats = agent.stats("all of it", |s| s.splits[0].requests == served.load(SeqCst)).await;
    assert_eq!(stats.splits[0].responses, [0, served.load(SeqCst), 0, 0, 0]);
    assert!(stats.splits[0].upstream_failures.is_empty(), "{stats:?}");
    assert_eq!(stats.splits[0].latency.iter().sum::<u64>(), served.load(SeqCst));
}

#[tokio::test]
async fn what_is_in_flight_when_its_instance_leaves_is_waited_for() {
    let gate = Arc::new(Semaphore::new(0));
    let old = Instance::start({
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                text("old")
            })
        }
    })
    .await;
    let new = Instance::named("new").await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[old.target()])])).await;
    let slow = tokio::spawn(Client::dial_and_get(edge.addr, "/"));
    until("it is in flight", || old.requests() == 1).await;
    agent.put(table(2, vec![route_to(&[new.target()])])).await;
    assert_eq!(edge.get("/").await.body, "new");
    let stats = agent.stats("draining", |s| s.targets.iter().any(|t| t.draining)).await;
    let draining = stats.targets.iter().find(|t| t.draining).unwrap();
    assert_eq!((draining.instance, draining.in_flight), (old.id, 1));
    assert!(!agent.heard.iter().any(|m| matches!(m, FromEdge::Drained { .. })));
    gate.add_permits(1);
    assert_eq!(slow.await.unwrap().body, "old");
    agent.drained(old.id).await;
}

#[tokio::test]
async fn what_outlasts_the_drain_time_is_closed_and_counted() {
    let old = Instance::start(|_| Box::pin(std::future::pending())).await;
    let new = Instance::named("new").await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut route = route_to(&[old.target()]);
    route.limits.drain_ms = 20;
    agent.put(table(1, vec![route])).await;
    let slow = tokio::spawn(Client::dial_and_get(edge.addr, "/"));
    until("it is in flight", || old.requests() == 1).await;
    agent.put(table(2, vec![route_to(&[new.target()])])).await;
    let reply = slow.await.unwrap();
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert!(reply.body.contains("TW-EDGE-012"), "{}", reply.body);
    agent.drained(old.id).await;
    let metrics = edge.metrics().await;
    assert!(
        metrics.lines().any(|l| l.starts_with("tradewind_edge_drain_cut_total{") && l.ends_with(" 1")),
        "{metrics}"
    );
}

#[tokio::test]
async fn an_instance_that_returns_while_it_drains_is_not_said_to_be_drained() {
    let gate = Arc::new(Semaphore::new(0));
    let a = Instance::start({
        let gate = gate.clone();
        move |request| {
            let gate = gate.clone();
            Box::pin(async move {
                if request.uri().path() == "/slow" {
                    gate.acquire().await.unwrap().forget();
                }
                text("a")
            })
        }
    })
    .await;
    let b = Instance::named("b").await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[a.target()])])).await;
    let slow = tokio::spawn(Client::dial_and_get(edge.addr, "/slow"));
    until("it is in flight", || a.requests() == 1).await;
    agent.put(table(2, vec![route_to(&[b.target()])])).await;
    agent.put(table(3, vec![route_to(&[a.target()])])).await;
    agent.drained(b.id).await;
    gate.add_permits(1);
    assert_eq!(slow.await.unwrap().body, "a");
    assert_eq!(edge.get("/").await.body, "a");
    agent.put(table(4, vec![route_to(&[b.target()])])).await;
    agent.drained(a.id).await;
    let again = agent.heard.iter().filter(|m| matches!(m, FromEdge::Drained { .. })).count();
    assert_eq!(again, 0, "each was said once, when it was so");
}

#[tokio::test]
async fn a_bad_or_old_table_is_refused_and_the_one_served_stays() {
    let instance = Instance::named("good").await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    assert_eq!(agent.greeted, 0);
    agent.put(table(5, vec![route_to(&[instance.target()])])).await;
    let mut bad = route_to(&[instance.target()]);
    bad.splits[0].weight = 1;
    let mut reasons = Vec::new();
    agent.send(&ToEdge::Table(table(6, vec![bad]))).await;
    reasons.push(agent.refused().await);
    agent.send(&ToEdge::Table(table(4, vec![]))).await;
    reasons.push(agent.refused().await);
    agent.send_line(r#"{"type":"table","version":7,"routes":[{"id":1}],"probe_token":""}"#).await;
    reasons.push(agent.refused().await);
    agent.send_line("no json").await;
    reasons.push(agent.refused().await);
    insta::assert_snapshot!(reasons.join("\n"), @r"
    TW-EDGE-102: route `shop/production/default`: weights sum to 1, not to 10000 or 0
    TW-EDGE-101: table 4 is older than 5, which is being served
    TW-EDGE-103: not a message of this protocol: invalid type: integer `1`, expected a string at line 1 column 45
    TW-EDGE-103: not a message of this protocol: expected ident at line 1 column 2
    ");
    // What a newer agent may say is not answered; and the same table again is acknowledged again.
    agent.send_line(r#"{"type":"of_the_future","x":1}"#).await;
    agent.put(table(5, vec![])).await;
    assert_eq!(edge.get("/").await.body, "good");
    assert!(!agent.heard.iter().any(|m| matches!(m, FromEdge::Refused { .. })));
}

#[tokio::test]
async fn the_newest_agent_is_listened_to_and_hears_what_the_one_before_missed() {
    let (a, b) = (Instance::named("a").await, Instance::named("b").await);
    let edge = Edge::start();
    let mut first = edge.agent().await;
    first.put(table(1, vec![route_to(&[a.target()])])).await;
    first.put(table(2, vec![route_to(&[b.target()])])).await;
    first.drained(a.id).await;
    let mut second = edge.agent().await;
    assert_eq!(second.greeted, 2);
    second.drained(a.id).await;
    within("the first is hung up on", async { while first.next().await.is_some() {} }).await;
    drop(second);
    // Nobody is there, and everything is served.
    assert_eq!(edge.get("/").await.body, "b");
}

#[tokio::test]
async fn a_paused_route_holds_requests_and_lets_them_go_where_the_next_table_says() {
    let (old, new) = (Instance::named("old").await, Instance::named("new").await);
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut paused = route_to(&[old.target()]);
    paused.mode = Mode::Pause { max_ms: HANG.as_millis() as u64, max_requests: 3 };
    agent.put(table(1, vec![paused.clone()])).await;
    let held: Vec<_> = (0..3).map(|_| tokio::spawn(Client::dial_and_get(edge.addr, "/"))).collect();
    within("three are held", async {
        while !edge.metrics().await.contains("tradewind_edge_held{route=\"shop/production/default\"} 3\n") {}
    })
    .await;
    // One more than may wait is told at once.
    let reply = edge.get("/").await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    assert_eq!(old.requests(), 0);
    agent.put(table(2, vec![route_to(&[new.target()])])).await;
    for reply in held {
        assert_eq!(reply.await.unwrap().body, "new");
    }
    paused.mode = Mode::Pause { max_ms: 20, max_requests: 3 };
    agent.put(table(3, vec![paused])).await;
    let reply = edge.get("/").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reply.body.contains("TW-EDGE-007"), "{}", reply.body);
}

#[tokio::test]
async fn a_route_under_maintenance_says_so_in_both_languages_and_lets_verifications_in() {
    let instance = Instance::named("up").await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut route = route_to(&[instance.target()]);
    route.mode = Mode::Maintenance { retry_after_s: 120 };
    agent.put(table(1, vec![route])).await;
    let mut client = Client::dial(edge.addr).await;
    let ask = |headers: &[(&'static str, &str)]| {
        let mut request = get("/");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request
    };
    let page = client.send(ask(&[("accept", "text/html")])).await.unwrap();
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("120")));
    insta::assert_snapshot!(page.body, @r#"
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>503</title>
    <style>body{font:16px/1.6 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.5rem;color:#1d2733}h1{font-size:1.25rem;margin:0 0 .25rem}p{margin:0 0 1.5rem;color:#51606f}small{color:#8795a3}@media(prefers-color-scheme:dark){body{background:#12181f;color:#e6edf3}p{color:#9fb0c0}}</style></head>
    <body><h1>The service is under maintenance</h1><p>Try again later.</p>
    <div lang="zh"><h1>该服务正在维护</h1><p>请稍后再试。</p></div>
    <small>503 · TW-EDGE-008</small></body></html>
    "#);
    let problem = client.send(ask(&[("accept-language", "zh-CN")])).await.unwrap();
    insta::assert_snapshot!(problem.body, @r#"{"type":"/help/TW-EDGE-008","code":"TW-EDGE-008","status":503,"title":"该服务正在维护","fix":"请稍后再试"}"#);
    assert_eq!(instance.requests(), 0);
    assert_eq!(client.send(ask(&[("x-tradewind-probe", PROBE)])).await.unwrap().body, "up");
}

#[tokio::test]
async fn hosts_and_paths_find_their_routes() {
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut routes = Vec::new();
    let mut instances = HashMap::new();
    for (name, hosts, path) in [
        ("shop", vec!["shop.example.com"], "/"),
        ("api", vec!["shop.example.com", "api.example.com"], "/api"),
        ("wild", vec!["*.example.com"], "/"),
        ("any", vec![], "/"),
    ] {
        let instance = Instance::named(name).await;
        let mut route = route_to(&[instance.target()]);
        (route.id, route.hosts, route.path_prefix) =
            (name.into(), hosts.into_iter().map(String::from).collect(), path.into());
        routes.push(route);
        instances.insert(name, instance);
    }
    agent.put(table(1, routes)).await;
    for (host, path, expected) in [
        ("shop.example.com", "/", "shop"),
        ("SHOP.example.com:8080", "/apis?x=/api", "shop"),
        ("shop.example.com.", "/api/orders", "api"),
        ("api.example.com", "/api", "api"),
        ("api.example.com", "/", "wild"),
        ("a.b.example.com", "/", "any"),
        ("127.0.0.1:1", "/", "any"),
    ] {
        let mut client = Client::dial(edge.addr).await;
        let mut request = get(path);
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(client.send(request).await.unwrap().body, expected, "{host}{path}");
    }
}

#[tokio::test]
async fn an_acknowledged_table_is_on_disk_and_served_after_a_restart() {
    let instance = Instance::named("kept").await;
    let mut edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(7, vec![route_to(&[instance.target()])])).await;
    let kept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(edge.path("edge/table.json")).unwrap()).unwrap();
    assert_eq!(kept["table"]["version"], 7);
    let worker = edge.worker.take().unwrap();
    worker.retire();
    tokio::task::spawn_blocking(|| worker.join()).await.unwrap().unwrap();
    edge.worker = Some(edge.another(|_| {}, false));
    assert_eq!(edge.get("/").await.body, "kept");
    assert_eq!(edge.agent().await.greeted, 7);
}

#[tokio::test]
async fn a_kept_table_that_cannot_be_read_is_no_reason_not_to_start() {
    let mut edge = Edge::start();
    let worker = edge.worker.take().unwrap();
    worker.retire();
    tokio::task::spawn_blocking(|| worker.join()).await.unwrap().unwrap();
    std::fs::write(edge.path("edge/table.json"), b"{\"table\":{\"ver").unwrap();
    edge.worker = Some(edge.another(|_| {}, false));
    let mut agent = edge.agent().await;
    assert_eq!(agent.greeted, 0);
    let instance = Instance::named("new").await;
    agent.put(table(1, vec![route_to(&[instance.target()])])).await;
    assert_eq!(edge.get("/").await.body, "new");
}

#[tokio::test]
async fn the_control_socket_and_what_is_kept_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![])).await;
    for name in ["run/edge.sock", "run/edge-holder.sock", "edge/client-id.key", "edge/table.json"] {
        let mode = std::fs::metadata(edge.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_deep_data_folder_has_room_for_its_sockets() {
    let root = tempfile::tempdir().unwrap();
    let deep = root.path().join("x".repeat(90 - 1 - root.path().as_os_str().len()));
    let sockets = Sockets::bind(&["127.0.0.1:0".parse().unwrap()], None).unwrap();
    let start = |succeed| {
        let config = WorkerConfig::new(&deep, Vec::new());
        Worker::start(config, sockets.try_clone().unwrap(), succeed).unwrap()
    };
    let first = start(false);
    let second = start(true);
    within("the first ends", tokio::task::spawn_blocking(|| first.join())).await.unwrap().unwrap();
    assert_eq!(Agent::dial(&deep.join("run/edge.sock")).await.greeted, 0);
    second.retire();
    within("the second ends", tokio::task::spawn_blocking(|| second.join())).await.unwrap().unwrap();
}
