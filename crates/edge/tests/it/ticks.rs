//! Numbered seconds of a trial's counts: kept, sent again, ended and handed on.

use crate::{
    support::*,
    trial::{Counted, World, by},
};
use http::StatusCode;
use tradewind_model::protocol::{
    edge::{Route, ToEdge},
    trial::{UnitCounts, UnitsTaken},
};

#[tokio::test]
async fn ticks_have_no_gaps_and_are_sent_again_until_they_are_taken() {
    let mut world = World::start(&[100]).await;
    world.until("three seconds", |c| c.0.len() >= 3).await;
    let [epoch] = world.counted.epochs()[..] else { panic!("one epoch") };
    let epoch = epoch.to_owned();
    for (n, tick) in world.counted.0.values().enumerate() {
        assert_eq!(
            (tick.seq, tick.route.as_str(), tick.rollout.as_str()),
            (n as u64 + 1, &*world.route.id, "rollout-1")
        );
        let nothing = UnitCounts { n: vec![0, 0], x: vec![0, 0], ..UnitCounts::default() };
        assert_eq!((&tick.canary, &tick.baseline, tick.sampled), (&nothing, &nothing, 0));
    }
    // Nobody listens for a while.
    world.agent = world.edge.agent().await;
    world.counted = Counted::default();
    world.agent.send(&ToEdge::Table(table(world.version, vec![world.route.clone()]))).await;
    world.until("all of them again and one more", |c| c.0.len() >= 4).await;
    assert_eq!(world.counted.seqs(&epoch)[..4], [1, 2, 3, 4]);
    let taken =
        |route: &str, seq| UnitsTaken { route: route.into(), rollout: "rollout-1".into(), epoch: epoch.clone(), seq };
    let id = world.route.id.clone();
    world.agent.send(&ToEdge::UnitsTaken { taken: vec![taken(&id, 3), taken("other", 9_999)] }).await;
    // Answered in order: what was said before it has been heard.
    world.put(|_| {}).await;
    world.agent = world.edge.agent().await;
    world.counted = Counted::default();
    world.until("what is left", |c| c.0.len() >= 2).await;
    assert_eq!(world.counted.seqs(&epoch)[..2], [4, 5]);
}

#[tokio::test]
async fn counting_ends_with_the_trial_and_begins_anew_with_another() {
    let mut world = World::start(&[]).await;
    world.ask("a", "/fail").await;
    world.until("a's failure", |c| c.failures() == 1).await;
    world.ask("b", "/fail").await;
    let before = world.route.trial.clone();
    world.put(|r| r.trial = None).await;
    world.until("b's failure is not lost", |c| c.failures() == 2).await;
    let seen = world.counted.0.len();
    world.agent.stats("a second", |_| true).await;
    world.agent.stats("and another", |_| true).await;
    world.until("what came meanwhile", |_| true).await;
    assert_eq!(world.counted.0.len(), seen, "nothing is counted without a trial");
    let changes: [&dyn Fn(&mut Route); 4] = [
        // It was forgotten who had failed.
        &|r| r.trial.clone_from(&before),
        &|r| r.salt = "rollout-2".into(),
        &|r| r.trial.as_mut().unwrap().bounds_ms = vec![5],
        &|r| r.trial.as_mut().unwrap().counted = false,
    ];
    for (n, change) in changes.into_iter().enumerate() {
        world.put(change).await;
        let epochs = (n + 2).min(4);
        world.ask("a", "/fail").await;
        if n < 3 {
            world.until("a's failure once more", |c| c.failures() == 3 + n as u64).await;
        } else {
            world.agent.stats("a second", |_| true).await;
            world.agent.stats("and another", |_| true).await;
            world.until("what came meanwhile", |_| true).await;
        }
        assert_eq!(world.counted.epochs().len(), epochs);
    }
    assert_eq!(world.counted.baseline().x[0], 5);
    for epoch in world.counted.epochs() {
        let seqs = world.counted.seqs(epoch);
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_planned_change_of_workers_loses_no_tick_and_knows_who_had_failed() {
    let mut world = World::start(&[100]).await;
    world.ask("a", "/fail").await;
    world.until("a's failure", |c| c.failures() == 1).await;
    let first = world.counted.epochs()[0].to_owned();
    world.ask("b", "/fail").await;
    world.ask("e", "/").await;
    let addr = world.edge.addr;
    let hanging = tokio::spawn(async move { Client::dial(addr).await.send(by("c", "/hang")).await.unwrap().status });
    until("it is there", || world.baseline.requests() == 4).await;
    let next = world.edge.another(|_| {}, true);
    let old = world.edge.worker.replace(next).unwrap();
    world.agent = world.edge.agent().await;
    world.agent.send(&ToEdge::Table(table(world.version, vec![world.route.clone()]))).await;
    world.client = Client::dial(world.edge.addr).await;
    world
        .until("the old worker's last counts, and c's wait", |c| {
            let old = c.sum(|t| if t.epoch == first { &t.baseline } else { &t.canary });
            old.x == [2, 1]
        })
        .await;
    world.until("a new epoch", |c| c.epochs().len() == 2).await;
    for client in ["e", "a", "b", "d"] {
        world.ask(client, "/fail").await;
    }
    world.until("e's and d's failure", |c| c.failures() == 4).await;
    world.gate.add_permits(1);
    assert_eq!(hanging.await.unwrap(), StatusCode::OK);
    // Its last client's answer is counted in its last second, which it does not live to see the end of.
    within("the old worker ends", tokio::task::spawn_blocking(|| old.join())).await.unwrap().unwrap();
    world.settle().await;
    let all = world.counted.baseline();
    assert_eq!((&*all.x, all.new), (&[4, 1][..], 5), "and nobody is new twice");
    let old = world.counted.sum(|t| if t.epoch == first { &t.baseline } else { &t.canary });
    assert_eq!((old.requests, old.n[0]), (4, 4), "{old:?}");
    for epoch in world.counted.epochs() {
        let seqs = world.counted.seqs(epoch);
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "no gaps in {epoch}");
    }
}
