//! Releases that are prepared, and some that cannot be.

use crate::world::*;
use bytes::Bytes;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use tradewind_agent::RunAs;
use tradewind_model::{
    fault::Lang,
    id::Digest,
    protocol::agent::{DesiredRelease, InstancePhase, ReleaseState},
    said::Said,
    workload::Prepare,
};

fn release(n: u128, bundle: Digest, prepare: Option<(&str, u64)>) -> DesiredRelease {
    DesiredRelease {
        release: Digest::of(&n.to_be_bytes()),
        bundle,
        service: "shop".into(),
        prepare: prepare
            .map(|(script, timeout_ms)| Prepare { command: ["sh", "-c", script].map(Into::into).into(), timeout_ms }),
    }
}

async fn settled(w: &mut World) -> ReleaseState {
    let over = |s: &ReleaseState| matches!(s, ReleaseState::Ready | ReleaseState::Failed { .. });
    let seen = w.until("the release settled", |o| o.releases.first().is_some_and(|r| over(&r.state))).await;
    seen.releases[0].state.clone()
}

async fn failure(w: &mut World) -> Said {
    match settled(w).await {
        ReleaseState::Failed { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prepare_runs_once_at_the_final_path_and_nothing_changes_afterwards() {
    let mut w = World::new().await;
    let bundle = w.bundle(&[("app.py", APP), ("bin/tool", "#!/bin/sh\n")]);
    let script =
        "id -u > who; pwd > where; echo run >> runs; echo $HOME > home; ln -s /usr/bin/env env; chmod 4777 who";
    let release = release(1, bundle, Some((script, 60_000)));
    let a = desired_instance(1, release.release, 1, workload(&[]));
    w.want(|d| {
        d.releases = vec![release.clone()];
        d.instances = vec![a.clone()];
    });
    w.until_phase(a.id, InstancePhase::Ready).await;
    let folder = w.agent_folder().join("releases").join(release.release.hex());
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap().trim().to_owned();
    assert_eq!(read("where"), folder.display().to_string());
    assert_eq!(read("runs"), "run");
    let ours = std::fs::metadata(w.dir.path()).unwrap().uid();
    for name in ["", "who", "app.py", "env"] {
        assert_eq!(std::fs::symlink_metadata(folder.join(name)).unwrap().uid(), ours, "{name}");
    }
    assert_eq!(std::fs::metadata(folder.join("who")).unwrap().permissions().mode() & 0o7777, 0o755);
    if let RunAs::SeparateUsers = w.config().run_as {
        assert_eq!(read("who"), "62999");
        assert!(!std::path::Path::new(&read("home")).exists(), "its home is gone");
    }
    w.drop_agent().await;
    w.start_agent();
    w.want(|_| {});
    w.until_phase(a.id, InstancePhase::Ready).await;
    assert_eq!(read("runs"), "run", "once per release and host");
    assert_eq!(w.server.stored.lock().unwrap().fetched[&bundle], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_that_fails_is_reported_with_its_last_words() {
    let mut w = World::new().await;
    let bundle = w.bundle(&[("a", "")]);
    let script = "echo one; echo two >&2; exit 3";
    let failing = release(1, bundle, Some((script, 60_000)));
    let a = desired_instance(1, failing.release, 1, workload(&[]));
    w.want(|d| {
        d.releases = vec![failing.clone()];
        d.instances = vec![a.clone()];
    });
    let told = failure(&mut w).await;
    let reason = told.en();
    assert!(reason.starts_with("TW-AGENT-008: `prepare` ended with exit code 3; its last lines:\n"), "{reason}");
    assert!(told.get(Lang::Zh).starts_with("TW-AGENT-008：`prepare` 以退出码 3 结束；最后的输出：\n"), "{told:?}");
    assert!(reason.contains("one") && reason.contains("two"), "{reason}");
    let failed = w.until_phase(a.id, InstancePhase::Failed).await;
    assert_eq!(failed.message, Some(told.clone()));
    w.drop_agent().await;
    w.start_agent();
    w.want(|_| {});
    assert_eq!(failure(&mut w).await, told, "it is not tried again by itself");
    assert_eq!(w.server.stored.lock().unwrap().fetched[&bundle], 1);

    // Asked for anew after it was let go, it is.
    w.want(|d| {
        d.releases.clear();
        d.instances.clear();
    });
    w.until("let go", |o| o.releases.is_empty() && o.instances.is_empty()).await;
    until_gone(&w.agent_folder().join("releases").join(format!("{}.json", failing.release.hex()))).await;
    w.want(|d| d.releases = vec![DesiredRelease { prepare: None, ..failing.clone() }]);
    assert_eq!(settled(&mut w).await, ReleaseState::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_that_never_ends_is_stopped() {
    let mut w = World::new().await;
    let bundle = w.bundle(&[("a", "")]);
    w.want(|d| d.releases = vec![release(1, bundle, Some(("echo waiting; sleep 1000", 200)))]);
    let told = failure(&mut w).await;
    let reason = told.en();
    assert!(reason.starts_with("TW-AGENT-009: `prepare` was still running after 200 ms"), "{reason}");
    assert!(reason.contains("waiting"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_that_was_interrupted_is_begun_again_from_the_bundle() {
    let mut w = World::new().await;
    let bundle = w.bundle(&[("a", "")]);
    let gate = w.dir.path().join("gate");
    let script = format!("echo run >> runs; while ! test -e {}; do sleep 0.02; done", gate.display());
    let release = release(1, bundle, Some((&script, 60_000)));
    w.want(|d| d.releases = vec![release.clone()]);
    let folder = w.agent_folder().join("releases").join(release.release.hex());
    w.until("preparing", |o| o.releases.first().is_some_and(|r| r.state == ReleaseState::Preparing)).await;
    while !folder.join("runs").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    w.drop_agent().await;
    w.start_agent();
    w.want(|_| {});
    std::fs::write(&gate, "").unwrap();
    assert_eq!(settled(&mut w).await, ReleaseState::Ready);
    assert_eq!(std::fs::read_to_string(folder.join("runs")).unwrap(), "run\n", "nothing of the first try is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_arrives_damaged_is_refused() {
    let mut w = World::new().await;
    let digest = Digest::of(b"what was packaged");
    w.server.stored.lock().unwrap().blobs.insert(digest, Bytes::from_static(b"something else"));
    w.want(|d| d.releases = vec![release(1, digest, None)]);
    let reason = failure(&mut w).await;
    let got = Digest::of(b"something else");
    assert_eq!(reason.en(), format!("TW-AGENT-001: {digest} was fetched but its bytes are {got}"));
    assert_eq!(w.server.stored.lock().unwrap().fetched[&digest], 3, "it was given another chance");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_archive_or_a_hostile_one_is_refused() {
    let mut w = World::new().await;
    let junk = w.server.put(Bytes::from_static(b"not zstd at all"));
    w.want(|d| d.releases = vec![release(1, junk, None)]);
    let reason = failure(&mut w).await;
    assert!(reason.en().starts_with("TW-AGENT-002: the archive cannot be read: "), "{reason:?}");

    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "out", "/etc").unwrap();
    let hostile = zstd::encode_all(std::io::Cursor::new(tar.into_inner().unwrap()), 1).unwrap();
    let hostile = w.server.put(hostile.into());
    w.want(|d| d.releases = vec![release(2, hostile, None)]);
    let seen = w
        .until("the second refused", |o| {
            o.releases
                .iter()
                .any(|r| matches!(&r.state, ReleaseState::Failed { reason } if reason.en().starts_with("TW-AGENT-005")))
        })
        .await;
    assert!(seen.generation >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_waited_for() {
    let mut w = World::without_agent().await;
    let bundle = w.bundle(&[("a", "")]);
    // Known to the agent, and then its server goes before it can fetch.
    w.server.stored.lock().unwrap().blobs.remove(&bundle);
    w.want(|d| d.releases = vec![release(1, bundle, None)]);
    std::fs::create_dir(w.agent_folder()).unwrap();
    let desired = serde_json::to_vec(&w.desired).unwrap();
    std::fs::write(w.agent_folder().join("desired.json"), desired).unwrap();
    w.server.down();
    w.start_agent();
    let up = w.edge.table.wait_for(|t| t.version > 0);
    tokio::time::timeout(GUARD, up).await.expect("the agent never came up").unwrap();
    w.server.put(crate::world::bundle(&[("a", "")]));
    w.server.up().await;
    assert_eq!(settled(&mut w).await, ReleaseState::Ready);
}
