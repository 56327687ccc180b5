//! What comes out of a process and tries to stay.

use crate::host::{Host, PATIENCE, group_name, in_time, kill, lives, number, sh, target, until};
use std::{path::Path, time::Duration};
use tradewind_model::protocol::{agent::Exit, shim::ShimSpec};
use tradewind_targets::{cgroups, process::Adopted};

/// Starts a daemon as daemons do (a session of its own, its parent gone), writes its number, then goes on.
fn daemonise(file: &Path, then: &str) -> String {
    let file = file.display();
    format!(
        "(setsid sh -c 'echo $$ > {file}; exec sleep 1000' > /dev/null 2>&1 &); while ! [ -s {file} ]; do sleep 0.01; done; {then}"
    )
}

fn leaving_nothing(mut spec: ShimSpec) -> ShimSpec {
    spec.kill_group_at_exit = true;
    spec
}

#[tokio::test]
async fn a_job_leaves_neither_children_nor_daemons() {
    let host = Host::new();
    let (child, daemon) = (host.path().join("child"), host.path().join("daemon"));
    let script = format!("sleep 1000 & echo $! > {}; {}", child.display(), daemonise(&daemon, "exit 6"));
    let process = host.start("p", &leaving_nothing(sh(&script))).await;
    let exited = in_time("the end", process.wait()).await;
    assert_eq!(exited.exit, Exit::Code { code: 6 });
    assert!(!lives(number(&child).await) && !lives(number(&daemon).await));
}

#[tokio::test]
async fn a_timeout_and_a_stop_end_daemons_too() {
    let host = Host::new();
    let daemon = host.path().join("daemon1");
    let mut spec = leaving_nothing(sh(&daemonise(&daemon, "sleep 1000")));
    spec.timeout_ms = Some(1500);
    let process = host.start("p1", &spec).await;
    assert!(in_time("the end", process.wait()).await.timed_out);
    assert!(!lives(number(&daemon).await));

    let daemon = host.path().join("daemon2");
    let process = host.start("p2", &leaving_nothing(sh(&daemonise(&daemon, "sleep 1000")))).await;
    let daemon = number(&daemon).await;
    in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
    assert!(!lives(daemon));
}

#[tokio::test]
async fn an_instance_may_leave_others_behind_when_nobody_forbids_it() {
    let host = Host::new();
    let daemon = host.path().join("daemon");
    let process = host.start("p", &sh(&daemonise(&daemon, "exit 0"))).await;
    in_time("the end", process.wait()).await;
    let daemon = number(&daemon).await;
    assert!(lives(daemon));
    kill(daemon);
}

#[tokio::test]
async fn a_stop_waits_for_the_rest_of_the_group() {
    let host = Host::new();
    let child = host.path().join("child");
    // The child finishes its work after the main process has gone.
    let script = format!(
        "(trap 'sleep 0.3; echo finished; exit' TERM; echo 1 > {}; while :; do sleep 0.01; done) & trap 'exit 0' TERM; while :; do sleep 0.01; done",
        child.display()
    );
    let process = host.sh("p", &script).await;
    number(&child).await;
    let exited = in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
    assert_eq!(exited.exit, Exit::Code { code: 0 });
    assert_eq!(host.lines("p", 'o'), ["finished"]);
}

#[tokio::test]
async fn in_a_cgroup_daemons_are_found_even_by_a_second_shim() {
    if !cgroups::detect().hold.is_available() {
        eprintln!("skipped: this host lets us make no cgroup");
        return;
    }
    let host = Host::new();
    let daemon = host.path().join("daemon");
    let mut spec = leaving_nothing(sh(&daemonise(&daemon, "sleep 1000")));
    spec.cgroup = Some(group_name("kin"));
    let process = host.start("p", &spec).await;
    let daemon = number(&daemon).await;
    let shim = process.shim_pid().unwrap();
    drop(process);
    kill(shim);
    until("the shim's end", || !lives(shim)).await;
    assert!(lives(daemon));
    let Adopted::Running(process) = target().adopt(&host.dir("p")).await.unwrap() else { panic!("it runs") };
    in_time("the stop", process.stop(libc::SIGTERM, Duration::from_secs(5))).await;
    assert!(!lives(daemon));
}
