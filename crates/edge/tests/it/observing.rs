//! What the edge says about its traffic.

use crate::support::*;
use http::Request;
use tradewind_edge::AccessLog;
use tradewind_model::protocol::edge::LATENCY_BOUNDS;

#[tokio::test]
async fn statistics_come_at_once_after_a_table_and_count_what_was_served() {
    let (old, new) = (Instance::named("old").await, Instance::named("new").await);
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[old.target()])])).await;
    let mut client = Client::dial(edge.addr).await;
    for _ in 0..5 {
        client.get("/").await;
    }
    let before = agent.stats("five", |s| s.splits[0].requests == 5).await;
    assert_eq!(before.splits[0].latency.len(), LATENCY_BOUNDS.len() + 1);
    assert_eq!(before.splits[0].latency.iter().sum::<u64>(), 5);
    let splits = vec![split(1, 0, &[old.target()]), split(2, 10_000, &[new.target()])];
    agent.put(table(2, vec![route(splits)])).await;
    // The first statistics after the acknowledgement are of the new table.
    let after = agent.stats("any", |_| true).await;
    assert_eq!((after.table, after.epoch), (2, before.epoch));
    assert_eq!(after.splits[0].last_request_at, before.splits[0].last_request_at);
    client.get("/").await;
    let later = agent.stats("one more", |s| s.splits[1].requests == 1).await;
    assert!(later.splits[1].last_request_at > later.splits[0].last_request_at);
}

#[tokio::test]
async fn metrics_are_in_prometheus_text() {
    let instance = Instance::named("up").await;
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[instance.target()])])).await;
    let mut client = Client::dial(edge.addr).await;
    client.get("/").await;
    let other = Request::get("/").header("host", "nowhere").body(full("")).unwrap();
    client.send(other).await.unwrap();
    let page = edge.metrics().await;
    // Everything but the figures that differ from run to run.
    let steady: Vec<_> = page
        .lines()
        .filter(|l| !l.contains("_bucket{") && !l.contains("_sum{"))
        .map(|l| l.replace(&instance.id.to_string(), "INSTANCE"))
        .collect();
    insta::assert_snapshot!(steady.join("\n"), @r#"
    # HELP tradewind_edge_requests_total Requests answered, by route, revision and class of the answer.
    # TYPE tradewind_edge_requests_total counter
    tradewind_edge_requests_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1",code="1xx"} 0
    tradewind_edge_requests_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1",code="2xx"} 1
    tradewind_edge_requests_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1",code="3xx"} 0
    tradewind_edge_requests_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1",code="4xx"} 0
    tradewind_edge_requests_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1",code="5xx"} 0
    # HELP tradewind_edge_assigned_total Requests assigned to a revision.
    # TYPE tradewind_edge_assigned_total counter
    tradewind_edge_assigned_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1"} 1
    # HELP tradewind_edge_request_duration_seconds From a request's head to its answer's head.
    # TYPE tradewind_edge_request_duration_seconds histogram
    tradewind_edge_request_duration_seconds_count{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1"} 1
    # HELP tradewind_edge_upstream_failures_total Instances that gave no whole answer, by cause.
    # TYPE tradewind_edge_upstream_failures_total counter
    # HELP tradewind_edge_client_aborts_total Clients that went away before their answer was whole.
    # TYPE tradewind_edge_client_aborts_total counter
    tradewind_edge_client_aborts_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1"} 0
    # HELP tradewind_edge_retries_total Requests sent again because not one byte of them had been.
    # TYPE tradewind_edge_retries_total counter
    tradewind_edge_retries_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1"} 0
    # HELP tradewind_edge_drain_cut_total Requests closed because the drain time of their instance was over.
    # TYPE tradewind_edge_drain_cut_total counter
    tradewind_edge_drain_cut_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1"} 0
    # HELP tradewind_edge_spilled_total Requests that went to another revision because theirs had no instance.
    # TYPE tradewind_edge_spilled_total counter
    tradewind_edge_spilled_total{route="shop/production/default",revision="00000000-0000-7000-8000-000000000001",label="v1"} 0
    # HELP tradewind_edge_in_flight Requests in flight, by instance.
    # TYPE tradewind_edge_in_flight gauge
    tradewind_edge_in_flight{instance="INSTANCE",draining="false"} 0
    # HELP tradewind_edge_instance_healthy 1 when an instance passes the edge's checks.
    # TYPE tradewind_edge_instance_healthy gauge
    tradewind_edge_instance_healthy{instance="INSTANCE"} 1
    # HELP tradewind_edge_held Requests that wait for a paused route.
    # TYPE tradewind_edge_held gauge
    tradewind_edge_held{route="shop/production/default"} 0
    # HELP tradewind_edge_trial_clients Clients remembered for a route's trial.
    # TYPE tradewind_edge_trial_clients gauge
    # HELP tradewind_edge_trial_share_looked_at Part of the clients a route's trial looks at: 1 is all.
    # TYPE tradewind_edge_trial_share_looked_at gauge
    # HELP tradewind_edge_unrouted_total Requests that came to no revision.
    # TYPE tradewind_edge_unrouted_total counter
    tradewind_edge_unrouted_total 1
    # HELP tradewind_edge_connections Client connections that are open.
    # TYPE tradewind_edge_connections gauge
    tradewind_edge_connections 1
    # HELP tradewind_edge_connections_total Client connections accepted.
    # TYPE tradewind_edge_connections_total counter
    tradewind_edge_connections_total 1
    # HELP tradewind_edge_connections_refused_total Client connections that were not taken.
    # TYPE tradewind_edge_connections_refused_total counter
    tradewind_edge_connections_refused_total 0
    # HELP tradewind_edge_tunnels Connections that left HTTP and are open.
    # TYPE tradewind_edge_tunnels gauge
    tradewind_edge_tunnels 0
    # HELP tradewind_edge_instances_drained_total Instances that left the table and were drained.
    # TYPE tradewind_edge_instances_drained_total counter
    tradewind_edge_instances_drained_total 0
    # HELP tradewind_edge_tls_handshake_failures_total Clients with which no TLS came about.
    # TYPE tradewind_edge_tls_handshake_failures_total counter
    tradewind_edge_tls_handshake_failures_total 0
    # HELP tradewind_edge_certificate_expiry_seconds When a certificate ends, in seconds since 1970.
    # TYPE tradewind_edge_certificate_expiry_seconds gauge
    # HELP tradewind_edge_table_version The table being served.
    # TYPE tradewind_edge_table_version gauge
    tradewind_edge_table_version 1
    "#);
    let buckets: Vec<u64> = page
        .lines()
        .filter(|l| l.starts_with("tradewind_edge_request_duration_seconds_bucket"))
        .map(|l| l.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect();
    assert_eq!((buckets.len(), buckets.last()), (LATENCY_BOUNDS.len() + 1, Some(&1)));
    assert!(buckets.is_sorted());
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_request_and_no_query() {
    let instance = Instance::named("up").await;
    let mut edge = Edge::with(|c| c.access_log = AccessLog::On);
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[instance.target()])])).await;
    let mut client = Client::dial(edge.addr).await;
    client.get("/a?token=secret").await;
    let other = Request::get("/b").header("host", "nowhere").body(full("")).unwrap();
    client.send(other).await.unwrap();
    drop(client);
    let worker = edge.worker.take().unwrap();
    worker.retire();
    tokio::task::spawn_blocking(|| worker.join()).await.unwrap().unwrap();
    let log = std::fs::read_to_string(edge.path("log/edge-access.log")).unwrap();
    assert!(!log.contains("secret"), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let told: Vec<_> = lines
        .iter()
        .map(|l| {
            format!(
                "{} {} {} {} {} {} {}",
                l["client"], l["method"], l["host"], l["path"], l["status"], l["bytes"], l["label"]
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "127.0.0.1" "GET" "shop.example.com" "/a" 200 2 "v1"
    "127.0.0.1" "GET" "nowhere" "/b" 404 0 null
    "#);
    assert_eq!(lines[0]["instance"], instance.id.to_string());
}
