//! One version back and one version on: a folder that the version before has left, and one that the next version has changed.

use crate::{
    checkout::Checkout,
    harness::{Folder, text, until},
};
use std::{fs, sync::Arc};
use tradewind_model::time::SystemClock;
use tradewind_store::{
    Store, events,
    migrate::{FLOOR, STEPS, Schema, Step},
};

/// Made by the version before with `cargo xtask record-upgrade-fixture`: its own program, pushed to, rolled back, frozen.
const FOLDER: &[u8] = include_bytes!("fixtures/folder-before.tar.zst");

const SPEC: &str = "version: 1\nservice: sync\nkind: worker\nrun:\n  command: [sleep, '100000']\n  env: { VERSION: three }\n\
    environments:\n  production:\n    branch: main\n    strategy: { type: all_at_once, soak: 0s }\n";
const PIPELINE: &str = "test:\n  script: [echo all is well]\n";

fn lives(checkout: &Checkout<'_>, release: &str) {
    until(&format!("{release} is live and healthy"), || {
        let (status, _) = checkout.tradewind("status sync");
        let is = |line: &str| line.starts_with("sync ") && line.contains(release) && line.contains("healthy");
        status.lines().any(is).then_some(())
    });
}

#[test]
fn a_folder_of_the_version_before_is_brought_up_to_date_with_a_copy_kept_and_all_of_it_works() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).unwrap();
    tar::Archive::new(zstd::Decoder::new(FOLDER).unwrap()).unpack(folder.data()).unwrap();
    fs::create_dir(folder.data().join("run")).unwrap();
    let up = folder.up();
    let copy = folder.data().join(format!("tradewind.db.before-step-{}", FLOOR + 1));
    assert!(copy.is_file(), "the database as it was is kept under a name that says so");

    let checkout = Checkout::new(&folder);
    checkout.commit("Three", &[("tradewind.yaml", SPEC), (".gitlab-ci.yml", PIPELINE)]);
    checkout.log_in(&up);
    // What was desired is desired: the release it was rolled back to runs again, on a host that has nothing of it.
    lives(&checkout, "v1");
    let (runs, _) = checkout.tradewind("run list sync --json");
    let runs: serde_json::Value = serde_json::from_str(&runs).unwrap();
    let states: Vec<&str> = runs["items"].as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "success", "success"]);
    let (rollouts, _) = checkout.tradewind("rollout list sync --json");
    let rollouts: serde_json::Value = serde_json::from_str(&rollouts).unwrap();
    let kinds: Vec<&str> = rollouts["items"].as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rollback", "normal", "normal"]);
    assert!(checkout.tradewind("freezes").0.contains("moving house"));
    assert!(checkout.tradewind("token list").0.contains("jenkins"));
    assert!(checkout.tradewind("run logs 1").0.contains("all is well"));
    assert_eq!(checkout.tradewind("audit verify").1, Some(0));

    assert_eq!(checkout.tradewind("unfreeze --env production --reason moved").1, Some(0));

    // Its repository takes pushes, its releases can be gone back to, and what is new works beside it.
    checkout.git(&["push", "--force", "tradewind", "main"]);
    lives(&checkout, "v3");
    let (back, code) = checkout.tradewind("rollback sync --reason older");
    assert!(code == Some(0) && back.contains("v3 → v1"), "{back}");
    let (there, code) = checkout.tradewind("deploy sync --env production --release v2");
    assert_eq!(code, Some(0), "{there}");
    lives(&checkout, "v2");
    let kept = folder.tmp.path().join("kept.tar.zst");
    let out = folder.command(&format!("admin backup {} --without-keys", kept.display())).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert_eq!(checkout.tradewind(&format!("admin backup verify {}", kept.display())).1, Some(0));

    // The way back that is always open: the copy, and the program that made it. It was not touched.
    let at = copy.to_str().unwrap();
    let known: Vec<Step> = STEPS.iter().filter(|s| s.number <= FLOOR).cloned().collect();
    run(async {
        let store = Store::open_with(at, Arc::new(SystemClock), Schema { steps: &known, floor: 1 }).await;
        let store = store.expect("the version before opens its own");
        store.examine().await.unwrap();
        store.close().await;
    });
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// What a later version may do to the database, and how far back it lets programs be.
fn go_on(folder: &Folder, steps: &[Step], floor: i64) {
    let at = folder.data().join("tradewind.db").to_str().unwrap().to_owned();
    run(async {
        let store = Store::open_with(&at, Arc::new(SystemClock), Schema { steps, floor }).await.unwrap();
        assert_eq!(events::verify(&mut store.read().await.unwrap(), Vec::new()).await.unwrap().broken, None);
        store.close().await;
    });
}

#[test]
fn this_program_runs_again_on_a_folder_that_the_next_version_has_changed_and_not_two_versions_on() {
    let folder = Folder::new();
    let mut up = folder.up();
    let checkout = Checkout::new(&folder);
    checkout.commit("One", &[("tradewind.yaml", SPEC), (".gitlab-ci.yml", PIPELINE)]);
    checkout.log_in(&up);
    assert_eq!(checkout.tradewind("push --wait").1, Some(0));
    assert_eq!(folder.down().status.code(), Some(0));
    up.end();

    let known = STEPS.len() as i64;
    let mut steps = STEPS.to_vec();
    steps.push(Step::new(
        known + 1,
        "next",
        "ALTER TABLE services ADD COLUMN motto TEXT; ALTER TABLE rollouts ADD COLUMN weight BIGINT NOT NULL DEFAULT 1;
         CREATE TABLE harbours (id {{serial}}, name TEXT NOT NULL); CREATE INDEX rollouts_by_weight ON rollouts (weight);",
    ));
    go_on(&folder, &steps, known);

    let mut up = folder.up();
    lives(&checkout, "v1");
    checkout.commit("Two", &[("VERSION", "2\n")]);
    assert_eq!(checkout.tradewind("push --wait").1, Some(0));
    assert_eq!(checkout.tradewind("rollback sync --reason older").1, Some(0));
    assert_eq!(checkout.tradewind("audit verify").1, Some(0));
    let log = fs::read_to_string(folder.data().join("log/server.log")).unwrap();
    assert!(log.contains("a newer program has changed the schema"), "it says so: {log}");
    assert_eq!(folder.down().status.code(), Some(0));
    up.end();

    // The next version finds what this one did, and the one after that closes the way.
    go_on(&folder, &steps, known);
    steps.push(Step::new(known + 2, "further", "ALTER TABLE services DROP COLUMN motto;"));
    go_on(&folder, &steps, known + 1);
    let database = folder.data().join("tradewind.db");
    let before = fs::read(&database).unwrap();
    let out = folder.up_command("").output().unwrap();
    assert_eq!(out.status.code(), Some(3));
    assert!(text(&out.stderr).contains("TW-STORE-006"), "{}", text(&out.stderr));
    assert_eq!(fs::read(&database).unwrap(), before, "what is refused is not written to");
}
