//! The edge's own checks, and what it makes of failures it sees.

use crate::support::*;
use http::{Response, StatusCode};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use tradewind_model::{
    protocol::edge::Route,
    workload::{HealthCheck, HealthProbe},
};

fn checked(route: &mut Route) {
    route.health = Some(HealthCheck {
        probe: HealthProbe::Http { path: "/healthz".into() },
        interval_ms: 100,
        timeout_ms: 1_000,
        healthy_after: 1,
        unhealthy_after: 1,
    });
}

/// Passes its checks while the flag holds; answers requests in any case.
async fn moody(name: &'static str, well: &Arc<AtomicBool>) -> Instance {
    let well = well.clone();
    Instance::start(move |request| {
        let well = well.clone();
        Box::pin(async move {
            match request.uri().path() {
                "/healthz" if !well.load(SeqCst) => Response::builder().status(500).body(full("")).unwrap(),
                _ => text(name),
            }
        })
    })
    .await
}

async fn healthy(agent: &mut Agent, instance: &Instance, is: bool) {
    let id = instance.id;
    agent.stats("health", |s| s.targets.iter().any(|t| t.instance == id && t.healthy == is)).await;
}

#[tokio::test]
async fn a_target_that_fails_its_checks_is_avoided_until_it_passes_and_never_the_last() {
    let well = [Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true))];
    let (a, b) = (moody("a", &well[0]).await, moody("b", &well[1]).await);
    let edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut route = route_to(&[a.target(), b.target()]);
    checked(&mut route);
    agent.put(table(1, vec![route])).await;
    let mut client = Client::dial(edge.addr).await;
    let who = async |client: &mut Client| {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            seen.insert(client.get("/").await.body);
        }
        seen.into_iter().collect::<Vec<_>>().concat()
    };
    assert_eq!(who(&mut client).await, "ab");
    well[0].store(false, SeqCst);
    healthy(&mut agent, &a, false).await;
    assert_eq!(who(&mut client).await, "b");
    well[1].store(false, SeqCst);
    healthy(&mut agent, &b, false).await;
    assert_eq!(who(&mut client).await, "ab", "when all fail all are tried");
    well[0].store(true, SeqCst);
    healthy(&mut agent, &a, true).await;
    assert_eq!(who(&mut client).await, "a", "a single one is rechecked, too");
}

#[tokio::test]
async fn health_is_remembered_over_a_restart() {
    let well = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true))];
    let (a, b) = (moody("a", &well[0]).await, moody("b", &well[1]).await);
    let mut edge = Edge::start();
    let mut agent = edge.agent().await;
    let mut route = route_to(&[a.target(), b.target()]);
    checked(&mut route);
    // One check a minute: after the restart the first has to be made at once, the second never comes.
    route.health.as_mut().unwrap().interval_ms = 60_000;
    agent.put(table(1, vec![route])).await;
    healthy(&mut agent, &a, false).await;
    let kept = || std::fs::read_to_string(edge.path("edge/table.json")).unwrap();
    let noted = format!("\"failing\":[\"{}\"]", a.id);
    until("it is on disk", || kept().contains(&noted)).await;
    let worker = edge.worker.take().unwrap();
    worker.retire();
    tokio::task::spawn_blocking(|| worker.join()).await.unwrap().unwrap();
    let before = a.requests();
    edge.worker = Some(edge.another(|_| {}, false));
    for _ in 0..10 {
        assert_eq!(edge.get("/").await.body, "b");
    }
    until("it is checked again at once", || a.requests() == before + 1).await;
}

#[tokio::test]
async fn a_target_that_breaks_requests_is_put_aside_but_never_more_than_half() {
    let breaks = raw_instance(|mut stream| async move { drop(read_head(&mut stream).await) }).await;
    let (good, edge) = (Instance::named("good").await, Edge::start());
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[breaks, good.target()])])).await;
    let mut client = Client::dial(edge.addr).await;
    let mut broken = 0;
    for _ in 0..40 {
        broken += u32::from(client.get("/").await.status == StatusCode::BAD_GATEWAY);
    }
    // Three in a row put it aside for a second; the machine may be so slow that it gets another try.
    assert!((3..10).contains(&broken), "{broken} of 40 were broken");

    // The only target of a split goes on being tried.
    agent.put(table(2, vec![route_to(&[breaks])])).await;
    for _ in 0..10 {
        assert_eq!(client.get("/").await.status, StatusCode::BAD_GATEWAY);
    }
    agent.stats("all were tried", |s| s.splits[0].upstream_failures.get("reset") >= Some(&13)).await;
}
