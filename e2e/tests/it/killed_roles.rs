//! Deploys and rollbacks under traffic while server and agent are killed at many points: nobody notices.

use crate::{
    traffic::Traffic,
    world::{World, web},
};
use std::time::Duration;

const KILLED: [&[&str]; 3] = [&["server"], &["agent"], &["server", "agent"]];

fn kill(world: &World, roles: &[&str]) {
    for role in roles {
        // One that was just killed may not have registered again.
        let _ = world.tradewind.kill(role);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_whichever_role_dies_at_whichever_step() {
    let world = World::begin().await;
    let gate = world.folder.join("gate");
    let shop = world.service("shop", &web("shop", "{ type: blue_green, soak: 400ms }")).await;
    shop.release("v1", "well").await;
    shop.ended("v1", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");

    // Held at its start: every role dies there, and the rollout goes on.
    shop.release("v2", &format!("late {}", gate.display())).await;
    for roles in KILLED {
        let found = shop.site_phase("v2", "starting").await;
        assert_eq!(found["phase"], "running", "{found:#}");
        let pids = roles.iter().map(|role| world.tradewind.pid_of(role).unwrap()).collect::<Vec<_>>();
        kill(&world, roles);
        for (role, pid) in roles.iter().zip(pids) {
            world.replaced(role, pid).await;
        }
        world.answers().await;
    }
    std::fs::write(&gate, "").unwrap();
    shop.ended("v2", "completed").await;
    traffic.served_by("v2").await;

    // And at points spread over fetching, starting, shifting, verifying and soaking, there and back.
    for round in 0..6_u32 {
        let version = format!("v{}", 3 + round);
        shop.release(&version, "well").await;
        tokio::time::sleep(Duration::from_millis(160) * round).await;
        kill(&world, KILLED[round as usize % KILLED.len()]);
        shop.ended(&version, "completed").await;
        traffic.served_by(&version).await;

        world.answers().await;
        shop.run("rollback", &["--reason", "a test", "--no-wait"]).await;
        tokio::time::sleep(Duration::from_millis(30) * round).await;
        kill(&world, KILLED[(round as usize + 1) % KILLED.len()]);
        let back = shop.ended("v2", "completed").await;
        assert_eq!(back["kind"], "rollback");
        traffic.served_by("v2").await;
    }
    traffic.nothing_lost().await;
    assert_eq!(shop.status().await["release"]["label"], "v2");
    world.chain_is_whole().await;
}
