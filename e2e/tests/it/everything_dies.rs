//! The edge's worker, the shims, and in the end all there is are killed at once.

use crate::{
    processes::{kill, ours, runs, working_in},
    traffic::{CLIENTS, Traffic},
    world::{World, until, web},
};

/// Tradewind's own processes. What a role that dies a moment later started meanwhile dies too.
async fn kill_all(world: &World) {
    until("the end of all of it", || async {
        let left = ours(world, None);
        left.iter().for_each(|p| kill(*p));
        left.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_dies_comes_back_and_takes_up_what_lives() {
    let mut world = World::begin().await;
    let gate = world.folder.join("gate");
    let late = format!("late {}", gate.display());
    let spec = web("shop", "{ type: blue_green, soak: 200ms }");
    {
        let shop = world.service("shop", &spec).await;
        shop.release("v1", "well").await;
        shop.ended("v1", "completed").await;

        // The edge's worker: only what was in flight in it, and nobody finds the door closed.
        let traffic = Traffic::start(world.tradewind.edge, "shop");
        const TIMES: u32 = 3;
        for _ in 0..TIMES {
            traffic.served_by("v1").await;
            let worker = world.tradewind.edge_worker().unwrap().expect("a worker serves");
            kill(worker);
            until("another worker", || async { world.tradewind.edge_worker().unwrap().filter(|new| *new != worker) })
                .await;
        }
        traffic.served_by("v1").await;
        let (_, lost) = traffic.finish().await;
        assert!(lost.iter().all(|l| !l.contains("no connection")), "refused:\n{}", lost.join("\n"));
        assert!(lost.len() <= (TIMES * CLIENTS) as usize, "more than was in flight:\n{}", lost.join("\n"));

        // Shims: their instances live on under new ones, and are stopped when their time has come.
        let traffic = Traffic::start(world.tradewind.edge, "shop");
        let instances = shop.ready("v1").await;
        assert_eq!(instances.len(), 2);
        let shims = ours(&world, Some("shim"));
        assert_eq!(shims.len(), 2);
        shims.iter().for_each(|p| kill(*p));
        until("new shims", || async {
            let new = ours(&world, Some("shim"));
            (new.len() == 2 && new.iter().all(|p| !shims.contains(p))).then_some(())
        })
        .await;
        assert!(instances.iter().all(|p| runs(*p)));
        assert_eq!(shop.ready("v1").await, instances);
        shop.release("v2", "well").await;
        shop.ended("v2", "completed").await;
        traffic.served_by("v2").await;
        traffic.nothing_lost().await;

        // All of Tradewind, in the middle of a rollout; instances live on.
        shop.release("v3", &late).await;
        let found = shop.site_phase("v3", "starting").await;
        assert_eq!(found["phase"], "running", "{found:#}");
    }
    let before = working_in(&world);
    kill_all(&world).await;
    assert!(before.iter().all(|p| runs(*p)), "instances ended with their keepers");
    world.up().await;
    {
        let shop = world.service("shop", &spec).await;
        let traffic = Traffic::start(world.tradewind.edge, "shop");
        traffic.served_by("v2").await;
        let adopted = shop.ready("v2").await;
        assert!(adopted.len() == 2 && adopted.iter().all(|p| before.contains(p)), "{adopted:?} of {before:?}");
        std::fs::write(&gate, "").unwrap();
        shop.ended("v3", "completed").await;
        traffic.served_by("v3").await;
        traffic.nothing_lost().await;

        // And instances too, as when the power fails.
        std::fs::remove_file(&gate).unwrap();
        shop.release("v4", &late).await;
        shop.site_phase("v4", "starting").await;
    }
    kill_all(&world).await;
    working_in(&world).into_iter().for_each(kill);
    until("the end of all of it", || async { working_in(&world).is_empty().then_some(()) }).await;
    std::fs::write(&gate, "").unwrap();
    world.up().await;
    let shop = world.service("shop", &spec).await;
    shop.ended("v4", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");
    traffic.served_by("v4").await;
    traffic.nothing_lost().await;
    world.chain_is_whole().await;
    world.tradewind.down().await.unwrap();
    assert_eq!((ours(&world, None), working_in(&world)), (vec![], vec![]));
}
