//! One worker taking over from another within one process; between processes it is the same sockets.

use crate::support::*;
use http::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};
use tokio::sync::Semaphore;
use tradewind_model::protocol::edge::{FromEdge, ToEdge};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_workers_take_over_from_each_other() {
    let instance = Instance::named("up").await;
    let mut edge = Edge::start();
    edge.agent().await.put(table(1, vec![route_to(&[instance.target()])])).await;
    let stop = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..8)
        .map(|n| {
            let (addr, stop, served) = (edge.addr, stop.clone(), served.clone());
            tokio::spawn(async move {
                let mut client = Client::dial(addr).await;
                while !stop.load(SeqCst) {
                    let reply = client.send(get("/")).await.expect("an answer");
                    assert_eq!(reply.status, StatusCode::OK);
                    served.fetch_add(1, SeqCst);
                    // Some keep their connections, some do not; all leave when they are asked to.
                    if n % 2 == 0 || reply.header("connection") == Some("close") {
                        client = Client::dial(addr).await;
                    }
                }
            })
        })
        .collect();
    for _ in 0..5 {
        let before = served.load(SeqCst);
        let next = edge.another(|_| {}, true);
        let old = edge.worker.replace(next).unwrap();
        within("the old worker ends", tokio::task::spawn_blocking(|| old.join())).await.unwrap().unwrap();
        within("some load", async {
            while served.load(SeqCst) < before + 100 && !clients.iter().any(|c| c.is_finished()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    stop.store(true, SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(edge.agent().await.greeted, 1);
}

#[tokio::test]
async fn while_the_old_worker_has_clients_tables_hold_and_instances_drain_in_both() {
    let gate = Arc::new(Semaphore::new(0));
    let old_instance = Instance::start({
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
    let new_instance = Instance::named("new").await;
    let mut edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[old_instance.target()])])).await;
    // One request in flight and one idle connection, both on the old worker.
    let slow = tokio::spawn(Client::dial_and_get(edge.addr, "/"));
    gate.add_permits(2);
    let mut idle = Client::dial(edge.addr).await;
    assert_eq!(idle.get("/").await.body, "old");
    assert_eq!(slow.await.unwrap().body, "old");
    let slow = tokio::spawn(Client::dial_and_get(edge.addr, "/"));
    until("it is in flight", || old_instance.requests() == 3).await;

    let next = edge.another(|_| {}, true);
    let old_worker = edge.worker.replace(next).unwrap();
    within("the agent is hung up on", async { while agent.next().await.is_some() {} }).await;
    let mut agent = edge.agent().await;
    assert_eq!(agent.greeted, 1);
    agent.put(table(2, vec![route_to(&[new_instance.target()])])).await;
    // The old worker follows the new table with what it still has, and lets its clients go.
    let reply = idle.get("/").await;
    assert_eq!((reply.body.as_str(), reply.header("connection")), ("new", Some("close")));
    agent
        .wait("both workers' targets", |m| match m {
            FromEdge::Stats(s) => s
                .targets
                .iter()
                .any(|t| (t.instance, t.in_flight, t.draining) == (old_instance.id, 1, true))
                .then_some(()),
            _ => None,
        })
        .await;
    assert!(!agent.heard.iter().any(|m| matches!(m, FromEdge::Drained { .. })));
    for message in &agent.heard {
        if let FromEdge::Stats(s) = message {
            assert!(
                s.targets.iter().any(|t| t.instance == old_instance.id),
                "who is not named is taken to be free: {s:?}"
            );
        }
    }
    gate.add_permits(1);
    assert_eq!(slow.await.unwrap().body, "old");
    agent.drained(old_instance.id).await;
    within("the old worker ends", tokio::task::spawn_blocking(|| old_worker.join())).await.unwrap().unwrap();
    agent.send(&ToEdge::Table(table(3, vec![route_to(&[new_instance.target()])]))).await;
    agent.acked(3).await;
}

/// What drains when the workers change drains on, and the agent hears of it from the new one.
#[tokio::test]
async fn an_instance_that_drains_through_a_succession_is_named_until_it_is_drained() {
    let gate = Arc::new(Semaphore::new(0));
    let leaving = Instance::start({
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                text("left")
            })
        }
    })
    .await;
    let staying = Instance::named("stays").await;
    let mut edge = Edge::start();
    let mut agent = edge.agent().await;
    agent.put(table(1, vec![route_to(&[leaving.target()])])).await;
    let slow = tokio::spawn(Client::dial_and_get(edge.addr, "/"));
    until("it is in flight", || leaving.requests() == 1).await;
    agent.put(table(2, vec![route_to(&[staying.target()])])).await;
    let next = edge.another(|_| {}, true);
    let old_worker = edge.worker.replace(next).unwrap();
    let mut agent = edge.agent().await;
    assert_eq!(agent.greeted, 2);
    for _ in 0..3 {
        let stats = agent.stats("any", |_| true).await;
        let named = stats.targets.iter().find(|t| t.instance == leaving.id);
        assert!(named.is_some_and(|t| t.draining), "{stats:?}");
    }
    gate.add_permits(1);
    assert_eq!(slow.await.unwrap().body, "left");
    agent.drained(leaving.id).await;
    agent.stats("not named any more", |s| !s.targets.iter().any(|t| t.instance == leaving.id)).await;
    within("the old worker ends", tokio::task::spawn_blocking(|| old_worker.join())).await.unwrap().unwrap();
}
