//! Shims and agents that die, and those who take over.

use crate::host::{Host, PATIENCE, in_time, kill, lives, sh, target, until};
use std::fs;
use tradewind_model::protocol::{agent::Exit, shim::Started};
use tradewind_targets::process::{Adopted, Process};

fn running(adopted: Adopted) -> Process {
    match adopted {
        Adopted::Running(process) => process,
        other => panic!("not running: {other:?}"),
    }
}

#[tokio::test]
async fn a_killed_shim_is_replaced_and_neither_lines_nor_the_exit_code_are_lost() {
    let host = Host::new();
    let go = host.path().join("go");
    let script =
        "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done; while ! [ -e GO ]; do sleep 0.01; done; exit 9";
    let process = host.sh("p", &script.replace("GO", go.to_str().unwrap())).await;
    let pid = process.pid();
    for _ in 0..5 {
        until("a shim", || process.shim_pid().is_some()).await;
        let shim = process.shim_pid().unwrap();
        kill(shim);
        until("another shim", || process.shim_pid().is_some_and(|s| s != shim)).await;
        assert_eq!(process.pid(), pid);
        assert!(lives(pid));
    }
    fs::write(go, "").unwrap();
    let exited = in_time("the end", process.wait()).await;
    // A kernel before 6.15 does not tell a stranger how it ended.
    assert!(matches!(exited.exit, Exit::Code { code: 9 } | Exit::Unknown), "{exited:?}");
    let mut lines = host.lines("p", 'o');
    lines.dedup();
    assert_eq!(lines, (1..=3000).map(|i| i.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn another_agent_finds_what_runs_and_what_has_ended() {
    let host = Host::new();
    let script = "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done";
    let process = host.sh("p", script).await;
    until("up", || host.lines("p", 'o') == ["up"]).await;
    let started: Started = process.started();
    drop(process);
    let process = running(target().adopt(&host.dir("p")).await.unwrap());
    assert_eq!(process.started(), started);
    let exited = in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
    assert_eq!(exited.exit, Exit::Code { code: 5 });
    match target().adopt(&host.dir("p")).await.unwrap() {
        Adopted::Exited(again) => assert_eq!(again, exited),
        other => panic!("{other:?}"),
    }
    assert!(matches!(target().adopt(&host.dir("never")).await.unwrap(), Adopted::NeverStarted));
}

#[tokio::test]
async fn a_process_that_ends_while_nobody_watches_is_unknown_not_a_success() {
    let host = Host::new();
    let process = host.start("p", &sh("sleep 1000")).await;
    let (pid, shim) = (process.pid(), process.shim_pid().unwrap());
    drop(process);
    kill(shim);
    until("the shim's end", || !lives(shim)).await;
    kill(pid);
    until("the process's end", || !lives(pid)).await;
    let Adopted::Exited(exited) = target().adopt(&host.dir("p")).await.unwrap() else { panic!("it is gone") };
    // While it is a zombie nobody has reaped, the signal can still be read.
    assert!(matches!(exited.exit, Exit::Unknown | Exit::Signal { signal: libc::SIGKILL }), "{exited:?}");
}
