//! Certificates on their way to the edge: fetched with their keys, kept for the agent alone, never in the desired state.

use crate::world::*;
use std::os::unix::fs::PermissionsExt;
use tradewind_model::{
    id::Digest,
    protocol::edge::{Challenge, KeyedChain},
};

const KEY: &str = "the private part of it";

fn chain(n: u8) -> KeyedChain {
    KeyedChain { chain: format!("chain {n}"), key: format!("{KEY} {n}") }
}

fn offer(w: &World, n: u8) -> Digest {
    let chain = chain(n);
    let digest = chain.digest();
    w.server.stored.lock().unwrap().certificates.insert(digest, chain);
    digest
}

fn challenge() -> Challenge {
    Challenge { host: "shop.example.com".into(), token: "token".into(), authorization: "token.thumb".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_reach_the_edge_and_are_reported_when_it_shows_them() {
    let mut w = World::new().await;
    let first = offer(&w, 1);
    w.want(|d| {
        d.certificates = vec![first];
        d.challenges = vec![challenge()];
    });
    w.until("shown", |o| o.certificates == [first] && o.challenges == ["token"]).await;
    let shown = w.edge.certificates().borrow().clone();
    assert_eq!((shown.chains, shown.challenges), (vec![chain(1)], vec![challenge()]));
    let folder = w.agent_folder();
    let kept = folder.join("certificates").join(format!("{}.json", first.hex()));
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let desired = std::fs::read_to_string(folder.join("desired.json")).unwrap();
    assert!(desired.contains(&first.to_string()) && !desired.contains(KEY));
    // Another takes its place; the old key does not stay behind.
    let second = offer(&w, 2);
    w.want(|d| d.certificates = vec![second]);
    w.until("the other is shown", |o| o.certificates == [second]).await;
    until_gone(&kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_and_an_agent_that_return_have_them_without_the_server() {
    let mut w = World::new().await;
    let digest = offer(&w, 1);
    w.want(|d| d.certificates = vec![digest]);
    w.until("shown", |o| o.certificates == [digest]).await;
    w.drop_agent().await;
    w.server.down();
    w.edge.down();
    w.edge = crate::edge::FakeEdge::start(&w.dir.path().join("edge.sock"));
    let mut certificates = w.edge.certificates();
    w.start_agent();
    tokio::time::timeout(GUARD, certificates.wait_for(|c| c.chains == [chain(1)])).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_fetched_holds_up_nothing_else() {
    let mut w = World::new().await;
    let (there, missing) = (offer(&w, 1), chain(2).digest());
    w.want(|d| {
        d.certificates = vec![there, missing];
        d.challenges = vec![challenge()];
    });
    w.until("the rest is shown", |o| o.certificates == [there] && o.challenges == ["token"]).await;
    assert_eq!(w.edge.certificates().borrow().missing, [missing], "the edge may have it");
    offer(&w, 2);
    w.until("that one, too", |o| o.certificates == [there, missing]).await;
}
