//! A worker that is tried shop by shop, from its spec to what its instances are told.

use crate::world::{World, asker};
use std::{collections::BTreeMap, time::Duration};
use tradewind_control::{
    Error,
    agents::Stay,
    rollouts::{intervene, reconcile},
};
use tradewind_model::{id::RolloutId, protocol::agent::DesiredPhase, rollout::state::State};

fn spec(shards: &str) -> String {
    format!(
        "version: 1\nservice: shop\nkind: worker\nrun: {{ command: [sync], shards: {shards} }}\n\
         strategy: {{ type: canary, steps: [1, 50%, 100%], promote: manual, min: 1s, soak: 1s, watch: 1s }}\n\
         environments:\n  production: {{ branch: main }}\n"
    )
}

const SHOPS: &str = "[my, br, th, us]";

/// Who works each shop, as the host is told; nobody during a handover.
async fn worked(w: &World) -> BTreeMap<String, String> {
    let mut worked = BTreeMap::new();
    for i in w.desired().await.instances.into_iter().filter(|i| i.phase == DesiredPhase::Run) {
        for shop in i.workload.env["TRADEWIND_SHARDS"].split(',') {
            let other = worked.insert(shop.to_owned(), i.label.clone());
            assert_eq!(other, None, "{shop} has two workers");
        }
    }
    worked
}

/// Shops per release.
async fn counts(w: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for label in worked(w).await.into_values() {
        *counts.entry(label).or_default() += 1;
    }
    counts
}

async fn seconds(w: &mut World, stay: &Stay<'_>, n: u32) {
    for _ in 0..n {
        w.obey(stay).await;
        reconcile::once(&w.ctx).await.unwrap();
        worked(w).await;
        w.pass(Duration::from_secs(1));
    }
}

async fn state(w: &World, id: RolloutId) -> State {
    w.rollout(id).await.state.read().unwrap()
}

#[tokio::test]
async fn shops_change_over_one_wave_after_another_and_back() {
    let mut w = World::new().await;
    let v1 = w.release(1, &spec(SHOPS)).await;
    let v2 = w.release(2, &spec(SHOPS)).await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    let id = w.deploy(&v1).await;
    w.see_through(&stay, id).await;
    assert_eq!(counts(&w).await, [("v1".to_owned(), 4)].into());

    let id = w.deploy(&v2).await;
    seconds(&mut w, &stay, 10).await;
    assert_eq!(worked(&w).await["my"], "v2", "the first of the list goes first");
    assert_eq!(counts(&w).await, [("v1".to_owned(), 3), ("v2".to_owned(), 1)].into());
    match intervene::set_share(&w.ctx, id, 0, 5_000, "half of them", &asker()).await.unwrap_err() {
        Error::Refused(fault) => assert_eq!(fault.code.id, "TW-ROLL-028"),
        Error::Store(e) => panic!("{e}"),
    }
    intervene::promote(&w.ctx, id, 0, "the first shop looks well", &asker()).await.unwrap();
    seconds(&mut w, &stay, 10).await;
    assert_eq!(counts(&w).await, [("v1".to_owned(), 2), ("v2".to_owned(), 2)].into());
    assert_eq!(state(&w, id).await.wave, 1);

    let back = w.rollback().await;
    let row = w.see_through(&stay, back).await;
    assert_eq!((row.phase.as_str(), counts(&w).await), ("completed", [("v1".to_owned(), 4)].into()));
}

#[tokio::test]
async fn a_release_that_deals_shops_out_otherwise_changes_over_whole() {
    let mut w = World::new().await;
    let v1 = w.release(1, &spec(SHOPS)).await;
    let v2 = w.release(2, &spec("[us, my, br, th, sg]")).await;
    let v3 = w.release(3, &spec("[us, my, br, th, sg, ph]")).await;
    let agents = w.ctx.agents.clone();
    let (stay, _rx) = w.connect(&agents);
    for label in [&v1, &v2] {
        let id = w.deploy(label).await;
        let row = w.see_through(&stay, id).await;
        assert_eq!(row.phase, "completed", "nobody is asked");
    }
    assert_eq!(counts(&w).await, [("v2".to_owned(), 5)].into());
    w.deploy(&v3).await;
    seconds(&mut w, &stay, 10).await;
    assert_eq!(counts(&w).await, [("v2".to_owned(), 4), ("v3".to_owned(), 1)].into(), "appended: one by one");
}
