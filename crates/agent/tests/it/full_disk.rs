//! A disk that is full: what runs goes on, traffic can still be moved, and what cannot be done is said.

use crate::world::*;
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tradewind_agent::RunAs;
use tradewind_model::{
    id::Digest,
    protocol::agent::{DesiredRelease, ReleaseState},
};

/// A small file system of its own, taken away at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m,mode=711", "tmpfs"]).arg(at).status();
        assert!(mounted.unwrap().success(), "cannot mount a tmpfs");
        Self(at.to_owned())
    }

    fn fill(&self) -> PathBuf {
        let path = self.0.join("ballast");
        let mut size = 4 << 20;
        let mut all = Vec::new();
        while size >= 1 {
            let more = [all.as_slice(), &vec![1; size]].concat();
            if std::fs::write(&path, &more).is_ok() {
                all = more;
            }
            size /= 2;
        }
        std::fs::write(&path, &all).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        // The world could not remove what was mounted.
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_moves_on_a_full_disk_and_a_release_that_does_not_fit_is_said() {
    let w = World::without_agent().await;
    if let RunAs::SameUser = w.config().run_as {
        // Only root mounts.
        return;
    }
    let disk = SmallDisk::mount(&w.agent_folder());
    // Dropped before the disk: it ends the processes that are recorded there.
    let mut w = w;
    w.start_agent();
    let (v1, v2) = (w.app_release(1), w.app_release(2));
    let pair = [desired_instance(1, v1, 1, workload(&[])), desired_instance(2, v2, 2, workload(&[]))];
    w.want(|d| {
        d.instances = pair.to_vec();
        d.routes = vec![route(1, &[(1, 10_000), (2, 0)])];
    });
    w.until("both live", |o| {
        o.routes.first().is_some_and(|r| r.version == 1 && r.splits.iter().all(|s| s.ready_targets == 1))
    })
    .await;

    let ballast = disk.fill();
    w.want(|d| d.routes = vec![route(2, &[(2, 10_000), (1, 0)])]);
    w.until("moved on the full disk", |o| o.routes.first().is_some_and(|r| r.version == 2)).await;
    w.until_table("the other one", |s| s == [(10_000, 1), (0, 1)]).await;

    // An agent that found an older one would move back.
    assert!(!w.agent_folder().join("desired.json").exists(), "the disk was not full");
    std::fs::remove_file(ballast).unwrap();
    let noise: String = (0..200_000u64).map(|n| Digest::of(&n.to_be_bytes()).short()).collect();
    let large = w.bundle(&[("noise", &noise)]);
    let wanted = DesiredRelease { release: Digest::of(b"large"), bundle: large, service: "shop".into(), prepare: None };
    w.want(|d| d.releases.push(wanted.clone()));
    let state = |o: &tradewind_model::protocol::agent::Observed| {
        o.releases.iter().find(|r| r.release == wanted.release).map(|r| r.state.clone())
    };
    let seen = w.until("it does not fit", |o| matches!(state(o), Some(ReleaseState::Failed { .. }))).await;
    let Some(ReleaseState::Failed { reason }) = state(&seen) else { unreachable!() };
    let reason = reason.en();
    assert!(reason.contains("No space left on device"), "{reason}");
    assert!(reason.starts_with("TW-AGENT-018: "), "{reason}");
    let both = pair.iter().all(|i| instance(&seen, i.id).is_some_and(|i| i.restarts == 0 && i.pid.is_some()));
    assert!(both, "what ran goes on");
    w.drop_agent().await;
}
