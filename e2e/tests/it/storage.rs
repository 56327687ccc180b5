//! A disk that is full and a database that is damaged: said so, nothing overwritten, nothing served less.

use crate::{
    traffic::Traffic,
    world::{World, until, web},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tradewind_testkit::rig::Postgres;

/// A file system of its own in memory, of this many MiB; none where mounting is not allowed.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, mib: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={mib}m,mode=711");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).status();
        mounted.is_ok_and(|s| s.success()).then_some(Self(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        // The mount kept its place from being removed with the rest.
        let _ = self.0.parent().map(fs::remove_dir_all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_is_new_and_serves_what_is_there() {
    // What is declared first goes last: the disk, after what runs on it.
    let disk: Option<Small>;
    let mut world = World::down();
    let data = world.tradewind.data.clone();
    disk = Small::mount(&data, 96);
    if disk.is_none() {
        eprintln!("skipped: this user may not mount a tmpfs");
        return;
    }
    world.up().await;
    let shop = world.service("shop", &web("shop", "{ type: blue_green, soak: 100ms }")).await;
    shop.release("v1", "well").await;
    shop.ended("v1", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");
    shop.release("v2", "well").await;
    shop.ended("v2", "completed").await;

    let ballast = data.join("ballast");
    let filled = Command::new("dd").args(["if=/dev/zero", "bs=64k"]).arg(format!("of={}", ballast.display())).output();
    assert!(!filled.unwrap().status.success(), "the disk took everything");
    shop.write("VERSION", "lost\n");
    shop.write("load", &"x y z ".repeat(50_000));
    let pushed = shop.push("--timeout 60s").await;
    assert_ne!(pushed.code, Some(0), "{pushed}");
    traffic.served_by("v2").await;
    // There is always room for the way back.
    shop.run("rollback", &["--reason", "the disk is full"]).await;
    traffic.served_by("v1").await;

    // With room again it goes on as if nothing had been.
    fs::remove_file(&ballast).unwrap();
    world.answers().await;
    shop.release("v3", "well").await;
    until("v3 to be live", || async { (shop.status().await["health"] == "healthy").then_some(()) }).await;
    traffic.served_by("v3").await;
    traffic.nothing_lost().await;
    world.chain_is_whole().await;
    drop(shop);
    world.tradewind.down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loop_runs_on_postgresql() {
    let postgres = Postgres::start().unwrap();
    let mut world = World::down();
    fs::create_dir_all(&world.tradewind.data).unwrap();
    let settings = format!("database: {:?}\n", postgres.url("postgres"));
    fs::write(world.tradewind.data.join("config.yaml"), settings).unwrap();
    world.up().await;
    assert!(!world.tradewind.data.join("tradewind.db").exists());
    let shop = world.service("shop", &web("shop", "{ type: blue_green, soak: 100ms }")).await;
    shop.release("v1", "well").await;
    shop.ended("v1", "completed").await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");
    shop.release("v2", "well").await;
    world.tradewind.kill("server").unwrap();
    shop.ended("v2", "completed").await;
    traffic.served_by("v2").await;
    shop.run("rollback", &["--reason", "a test"]).await;
    traffic.served_by("v1").await;
    world.chain_is_whole().await;
    traffic.nothing_lost().await;
    drop(shop);
    world.tradewind.down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_refused_and_left_alone() {
    let mut world = World::begin().await;
    let file = world.tradewind.data.join("tradewind.db");
    {
        let shop = world.service("shop", &web("shop", "{ type: blue_green, soak: 100ms }")).await;
        shop.release("v1", "well").await;
        shop.ended("v1", "completed").await;
    }
    world.tradewind.down().await.unwrap();
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[..4096].fill(0x5a);
    fs::write(&file, &damaged).unwrap();

    let api = world.tradewind.api.to_string();
    let edge = world.tradewind.edge.to_string();
    let data = world.tradewind.data.to_string_lossy().into_owned();
    let mut words = vec!["up", "--detach", "--data", &data, "--listen", &api, "--edge", &edge];
    if !rustix::process::geteuid().is_root() {
        words.push("--insecure-same-user");
    }
    let refused = world.tradewind.attempt(&words, &world.folder).await.unwrap();
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(refused.err.contains("TW-STORE-005") && refused.err.contains("nothing was overwritten"), "{refused}");
    assert!(fs::read(&file).unwrap() == damaged, "the damaged file was written to");

    // With the file as it was, everything is there again.
    fs::write(&file, &whole).unwrap();
    world.up().await;
    let healthy = |page: &Value| (page["items"][0]["health"] == "healthy").then_some(());
    world.until("v1 to run again", "status shop", healthy).await;
    let traffic = Traffic::start(world.tradewind.edge, "shop");
    traffic.served_by("v1").await;
    traffic.nothing_lost().await;
    world.chain_is_whole().await;
}
