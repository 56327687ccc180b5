//! Who is sent where, and stays there.

use crate::support::*;
use http::{Request, StatusCode};
use std::collections::HashMap;
use tradewind_model::protocol::edge::{FULL_SHARE, Route, Sticky};

const CLIENTS: usize = 400;

struct Two {
    edge: Edge,
    agent: Agent,
    old: Instance,
    new: Instance,
    version: u64,
}

impl Two {
    async fn start() -> Self {
        let edge = Edge::start();
        let agent = edge.agent().await;
        let (old, new) = (Instance::named("old").await, Instance::named("new").await);
        Self { edge, agent, old, new, version: 0 }
    }

    async fn share(&mut self, new: u32, change: impl FnOnce(&mut Route)) {
        self.version += 1;
        let mut route =
            route(vec![split(1, FULL_SHARE - new, &[self.old.target()]), split(2, new, &[self.new.target()])]);
        change(&mut route);
        self.agent.put(table(self.version, vec![route])).await;
    }
}

fn cookie(route: &mut Route) {
    route.sticky = Sticky::Cookie { name: "tw_client".into(), max_age_s: 86_400, secure: true };
}

fn with_cookie(value: &str) -> Request<http_body_util::combinators::BoxBody<bytes::Bytes, std::convert::Infallible>> {
    let mut request = get("/");
    request.headers_mut().insert("cookie", format!("a=b; {value}; c=d").parse().unwrap());
    request
}

#[tokio::test]
async fn a_client_without_an_id_gets_one_that_names_no_release_and_keeps_its_side() {
    let mut two = Two::start().await;
    two.share(5_000, cookie).await;
    let mut client = Client::dial(two.edge.addr).await;
    let first = client.get("/").await;
    let set = first.header("set-cookie").expect("a cookie").to_owned();
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure");
    assert_eq!(pair.len(), "tw_client=".len() + 43);
    for _ in 0..20 {
        let again = client.send(with_cookie(pair)).await.unwrap();
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("set-cookie"), None, "it has an id");
    }
    // An id that is not ours is replaced, not believed.
    let mut forged = pair.to_owned();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.insert(forged.len() - 5, last);
    assert!(client.send(with_cookie(&forged)).await.unwrap().header("set-cookie").is_some());
}

#[tokio::test]
async fn raising_the_share_moves_clients_one_way_and_in_proportion() {
    let mut two = Two::start().await;
    two.share(0, cookie).await;
    let mut client = Client::dial(two.edge.addr).await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let reply = client.get("/").await;
        assert_eq!(reply.body, "old", "also a client without a cookie is assigned by its id");
        clients.push(reply.header("set-cookie").unwrap().split_once(';').unwrap().0.to_owned());
    }
    let mut on_new = HashMap::new();
    for share in [100, 1_000, 2_500, 5_000, 10_000] {
        two.share(share, cookie).await;
        let mut count = 0;
        for id in &clients {
            let is_new = client.send(with_cookie(id)).await.unwrap().body == "new";
            let was_new = on_new.insert(id.clone(), is_new).unwrap_or(false);
            assert!(is_new || !was_new, "a client went back at {share}");
            count += u32::from(is_new);
        }
        let expected = f64::from(share) / f64::from(FULL_SHARE) * CLIENTS as f64;
        let slack = 5.0 * (expected * (1.0 - f64::from(share) / f64::from(FULL_SHARE))).sqrt() + 1e-9;
        assert!((f64::from(count) - expected).abs() <= slack.max(5.0), "{count} of {CLIENTS} at {share}");
    }
    // Back to nothing takes everyone, and at once.
    two.share(0, cookie).await;
    for id in &clients {
        assert_eq!(client.send(with_cookie(id)).await.unwrap().body, "old");
    }
}

#[tokio::test]
async fn a_header_may_name_the_client() {
    let mut two = Two::start().await;
    two.share(5_000, |r| r.sticky = Sticky::Header { name: "X-Shop-Id".into() }).await;
    let mut client = Client::dial(two.edge.addr).await;
    let mut sides = HashMap::new();
    for shop in 0..40 {
        for _ in 0..3 {
            let mut request = get("/");
            request.headers_mut().insert("x-shop-id", format!("shop-{shop}").parse().unwrap());
            let reply = client.send(request).await.unwrap();
            assert_eq!(reply.header("set-cookie"), None);
            assert_eq!(sides.entry(shop).or_insert_with(|| reply.body.clone()), &reply.body);
        }
    }
    assert!(sides.values().any(|s| s == "old") && sides.values().any(|s| s == "new"));
    // Without it each request is for itself.
    let mut seen = std::collections::HashSet::new();
    within("both sides", async {
        while seen.len() < 2 {
            seen.insert(client.get("/").await.body);
        }
    })
    .await;
}

#[tokio::test]
async fn only_a_verification_chooses_and_sees_who_served_it() {
    let mut two = Two::start().await;
    two.share(0, |_| {}).await;
    let mut client = Client::dial(two.edge.addr).await;
    let ask = |token: &str, want: &str| {
        let mut request = get("/");
        request.headers_mut().insert("x-tradewind-probe", token.parse().unwrap());
        if !want.is_empty() {
            request.headers_mut().insert("x-tradewind-want", want.parse().unwrap());
        }
        request
    };
    let reply = client.send(ask(PROBE, &revision(2).to_string())).await.unwrap();
    assert_eq!(reply.body, "new", "it has no weight and is reached all the same");
    assert_eq!(reply.header("x-tradewind-revision"), Some(&*revision(2).to_string()));
    assert_eq!(reply.header("x-tradewind-instance"), Some(&*two.new.id.to_string()));
    let reply = client.send(ask(PROBE, "")).await.unwrap();
    assert_eq!((reply.body.as_str(), reply.header("x-tradewind-instance")), ("old", Some(&*two.old.id.to_string())));
    for unknown in [revision(9).to_string(), "v2".to_owned()] {
        assert_eq!(client.send(ask(PROBE, &unknown)).await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
    }
    for token in ["", "probe-tokem", "probe-token-and-more"] {
        let reply = client.send(ask(token, &revision(2).to_string())).await.unwrap();
        assert_eq!((reply.body.as_str(), reply.header("x-tradewind-revision")), ("old", None), "{token:?}");
    }
    // Verifications are not traffic.
    let stats = two.agent.stats("three requests", |s| s.splits[0].requests == 3).await;
    assert_eq!(stats.splits[1].requests, 0);
}

#[tokio::test]
async fn a_split_without_instances_loses_nobody_and_one_without_weight_takes_nobody() {
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let old = Instance::named("old").await;
    let splits = |old_weight, new_weight| vec![split(1, old_weight, &[old.target()]), split(2, new_weight, &[])];
    agent.put(table(1, vec![route(splits(5_000, 5_000))])).await;
    let mut client = Client::dial(edge.addr).await;
    for _ in 0..50 {
        assert_eq!(client.get("/").await.body, "old");
    }
    agent.put(table(2, vec![route(splits(0, FULL_SHARE))])).await;
    assert_eq!(client.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    agent.put(table(3, vec![route(splits(0, 0))])).await;
    let reply = client.get("/").await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    let metrics = edge.metrics().await;
    assert!(metrics.contains("label=\"v2\"} "), "{metrics}");
    let spilled = metrics.lines().find(|l| l.starts_with("tradewind_edge_spilled_total") && l.contains("v2")).unwrap();
    assert!(!spilled.ends_with(" 0"), "{spilled}");
}
