//! What the edge counted goes to the server, and the word that it arrived goes back.

use crate::world::{GUARD, World};
use std::collections::BTreeSet;
use tradewind_model::{
    protocol::{
        agent::{FromAgent, ToAgent},
        edge::FromEdge,
        trial::{UnitCounts, UnitTick, UnitsTaken},
    },
    time::Timestamp,
};

fn tick(seq: u64) -> UnitTick {
    let counts = UnitCounts { n: vec![10], x: vec![1], new: 1, requests: 12, failed: 2, latency: vec![0, 12] };
    UnitTick {
        route: "shop/production/default".into(),
        rollout: "r".into(),
        epoch: "worker-1".into(),
        seq,
        at: Timestamp(seq as i64 * 1_000_000),
        feed: Default::default(),
        sampled: 0,
        canary: counts.clone(),
        baseline: counts,
    }
}

fn taken(seq: u64) -> UnitsTaken {
    UnitsTaken { route: "shop/production/default".into(), rollout: "r".into(), epoch: "worker-1".into(), seq }
}

/// Numbers of ticks the server hears until it has all of these.
async fn heard(world: &mut World, want: &[u64]) {
    let mut seen = BTreeSet::new();
    let all = async {
        while !want.iter().all(|w| seen.contains(w)) {
            if let FromAgent::Units { ticks } = world.heard.recv().await.unwrap() {
                for t in ticks {
                    assert_eq!(t, tick(t.seq), "as it came");
                    seen.insert(t.seq);
                }
            }
        }
    };
    if tokio::time::timeout(GUARD, all).await.is_err() {
        panic!("{seen:?} instead of {want:?}");
    }
}

async fn session(world: &mut World) {
    let greeted = async { while !matches!(world.heard.recv().await.unwrap(), FromAgent::Hello { .. }) {} };
    tokio::time::timeout(GUARD, greeted).await.expect("a session");
}

#[tokio::test]
async fn counts_go_up_and_the_word_that_they_are_safe_comes_down() {
    let mut world = World::new().await;
    session(&mut world).await;
    world.want(|_| {});
    world.until("an edge", |o| o.edge.is_some()).await;
    world.edge.say(FromEdge::Units { ticks: vec![tick(1), tick(2)] });
    heard(&mut world, &[1, 2]).await;

    // What comes while the server is away, and what it did not answer, it hears when it is back.
    world.server.down();
    world.edge.say(FromEdge::Units { ticks: vec![tick(3)] });
    world.server.up().await;
    heard(&mut world, &[1, 2, 3]).await;

    let mut edge_taken = world.edge.taken();
    world.server.ask(ToAgent::UnitsTaken { taken: vec![taken(2)] });
    tokio::time::timeout(GUARD, edge_taken.wait_for(|all| *all == [taken(2)])).await.unwrap().unwrap();
    // A new session hears what is left, and no more.
    world.server.down();
    world.server.up().await;
    let rest = async {
        loop {
            if let FromAgent::Units { ticks } = world.heard.recv().await.unwrap() {
                return ticks;
            }
        }
    };
    assert_eq!(tokio::time::timeout(GUARD, rest).await.unwrap(), [tick(3)]);
}

#[tokio::test]
async fn an_agent_that_was_killed_has_them_from_the_edge_again() {
    let mut world = World::new().await;
    world.want(|_| {});
    world.until("an edge", |o| o.edge.is_some()).await;
    world.server.down();
    world.edge.say(FromEdge::Units { ticks: vec![tick(1)] });
    world.drop_agent().await;
    world.start_agent();
    world.server.up().await;
    world.want(|_| {});
    world.until("an edge again", |o| o.edge.is_some()).await;
    // As the edge does when an agent speaks.
    world.edge.say(FromEdge::Units { ticks: vec![tick(1), tick(2)] });
    heard(&mut world, &[1, 2]).await;
}
