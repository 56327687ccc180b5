//! Starting, ending, stopping.

use crate::host::{Host, PATIENCE, in_time, lives, number, sh, spec, until};
use std::{fs, time::Duration};
use tradewind_model::protocol::agent::Exit;
use tradewind_targets::process::{Adopted, Error};

#[tokio::test]
async fn the_exit_code_is_what_the_command_gave() {
    let host = Host::new();
    for code in [0, 1, 42, 255] {
        let process = host.sh("code", &format!("exit {code}")).await;
        let exited = in_time("the end", process.wait()).await;
        assert_eq!(exited.exit, Exit::Code { code });
        assert!(!exited.stopped && !exited.timed_out);
    }
    let process = host.sh("signal", "kill -SEGV $$").await;
    assert_eq!(in_time("the end", process.wait()).await.exit, Exit::Signal { signal: libc::SIGSEGV });
}

#[tokio::test]
async fn any_number_may_wait_and_late_comers_see_the_end_too() {
    let host = Host::new();
    let process = host.sh("p", "sleep 1000").await;
    let waiters: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn({
                let p = process.clone();
                async move { p.wait().await }
            })
        })
        .collect();
    process.signal(libc::SIGKILL);
    for waiter in waiters {
        in_time("the end", waiter).await.unwrap();
    }
    in_time("the end", process.wait()).await;
    assert!(process.exited().is_some());
    assert_eq!(process.shim_pid(), None);
}

#[tokio::test]
async fn a_stop_gives_the_group_its_time_and_is_told_apart_from_an_end_of_its_own() {
    let host = Host::new();
    let script = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done";
    let process = host.sh("p", script).await;
    until("up", || host.lines("p", 'o') == ["up"]).await;
    let exited = in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
    assert_eq!(exited.exit, Exit::Code { code: 7 });
    assert!(exited.stopped);
    assert_eq!(host.lines("p", 'o'), ["up", "bye"]);
}

#[tokio::test]
async fn who_ignores_the_signal_is_killed_after_the_grace_children_included() {
    let host = Host::new();
    let child = host.dir("child");
    let script = format!("trap '' TERM; sleep 1000 & echo $! > {}; echo up; wait; wait", child.display());
    let process = host.sh("p", &script).await;
    let child = number(&child).await;
    let exited = in_time("the stop", process.stop(libc::SIGTERM, Duration::from_millis(100))).await;
    assert_eq!(exited.exit, Exit::Signal { signal: libc::SIGKILL });
    assert!(exited.stopped && !exited.timed_out);
    assert!(!lives(child) && !lives(process.pid()));
}

#[tokio::test]
async fn a_timeout_kills_and_says_so() {
    let host = Host::new();
    let mut spec = sh("sleep 1000");
    spec.timeout_ms = Some(50);
    let process = host.start("p", &spec).await;
    let exited = in_time("the end", process.wait()).await;
    assert_eq!(exited.exit, Exit::Signal { signal: libc::SIGKILL });
    assert!(exited.timed_out && !exited.stopped);
    assert!(host.lines("p", 's').contains(&"timed out after 50 ms".to_owned()));
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let host = Host::new();
    fs::write(host.path().join("text"), "no program\n").unwrap();
    let mut nowhere = sh("true");
    nowhere.cwd = "/nowhere".into();
    let cases = [
        (
            spec(["no-such-program"]),
            "cannot run `no-such-program`: No such file or directory (os error 2) (looked in /usr/local/bin:/usr/bin:/bin)",
        ),
        (spec(["/no/such/program"]), "cannot run `/no/such/program`: No such file or directory (os error 2)"),
        (spec(["/etc/passwd"]), "cannot run `/etc/passwd`: Permission denied (os error 13)"),
        (nowhere, "cannot enter the folder `/nowhere`: No such file or directory (os error 2)"),
        (spec([]), "the command is empty"),
    ];
    for (i, (spec, expected)) in cases.iter().enumerate() {
        let name = format!("p{i}");
        match host.target.start(&host.dir(&name), spec).await {
            Err(Error::NotStarted { reason }) => assert_eq!(reason, *expected),
            other => panic!("{expected}: {other:?}"),
        }
        match host.target.adopt(&host.dir(&name)).await.unwrap() {
            Adopted::Exited(e) => assert_eq!(e.exit, Exit::NotStarted { reason: (*expected).to_owned() }),
            other => panic!("{other:?}"),
        }
        assert_eq!(host.lines(&name, 's'), [format!("not started: {expected}")]);
    }
}

/// Not a bar, only a figure: how much of the memory is the shim's own.
#[tokio::test]
async fn the_shims_memory_is_told() {
    let host = Host::new();
    let process = host.sh("p", "echo up; sleep 1000").await;
    until("up", || host.lines("p", 'o') == ["up"]).await;
    let shim = process.shim_pid().unwrap();
    let rollup = fs::read_to_string(format!("/proc/{shim}/smaps_rollup")).unwrap();
    let figures: Vec<&str> =
        rollup.lines().filter(|l| ["Pss:", "Private_Dirty:"].iter().any(|f| l.starts_with(f))).collect();
    assert_eq!(figures.len(), 2, "{rollup}");
    println!("shim {shim}: {}", figures.join(", "));
    in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
}
