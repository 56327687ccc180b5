//! Shims and agents that die, and those who take over.

use crate::host::{Host, PATIENCE, in_time, is_root, kill, lives, number, sh, target, until};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};
use tradewind_model::protocol::{agent::Exit, shim::Started};
use tradewind_targets::{
    logs,
    process::{Adopted, Error, Process, ProcessTarget},
    shim::BUSY,
    users,
};

fn running(adopted: Adopted) -> Process {
    match adopted {
        Adopted::Running(process) => process,
        other => panic!("not running: {other:?}"),
    }
}

/// Who is not the parent learns how a process ended from Linux 6.15 on.
fn strangers_are_told() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|n| n.trim().parse::<u32>().ok());
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (6, 15)
}

#[tokio::test]
async fn a_killed_shim_is_replaced_and_neither_lines_nor_the_exit_code_are_lost() {
    let host = Host::new();
    let go = host.path().join("go");
    let script = "i=0; while ! [ -e GO ]; do i=$((i+1)); echo $i; done; exit 9";
    let process = host.sh("p", &script.replace("GO", go.to_str().unwrap())).await;
    let pid = process.pid();
    for _ in 0..20 {
        until("a shim", || process.shim_pid().is_some()).await;
        let shim = process.shim_pid().unwrap();
        let written = logs::end(&host.dir("p")).unwrap();
        until("more lines", || logs::end(&host.dir("p")).unwrap() > written).await;
        kill(shim);
        until("another shim", || process.shim_pid().is_some_and(|s| s != shim)).await;
        assert_eq!(process.pid(), pid);
        assert!(lives(pid));
    }
    fs::write(go, "").unwrap();
    let exited = in_time("the end", process.wait()).await;
    assert_eq!(exited.exit, if strangers_are_told() { Exit::Code { code: 9 } } else { Exit::Unknown });
    // What was being logged at the moment of a kill may be there twice.
    let mut seen = std::collections::BTreeSet::new();
    let lines: Vec<String> = host.lines("p", 'o').into_iter().filter(|l| seen.insert(l.clone())).collect();
    assert!(lines.len() > 1000);
    assert_eq!(lines, (1..=lines.len()).map(|i| i.to_string()).collect::<Vec<_>>());
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

const SHIM: &str = env!("CARGO_BIN_EXE_tradewind-shim");

/// Leaves the process alone without an agent and without a shim.
async fn abandon(process: Process) {
    let shim = process.shim_pid().unwrap();
    drop(process);
    kill(shim);
    until("the shim's end", || !lives(shim)).await;
}

#[tokio::test]
async fn what_a_process_wrote_last_outlives_it_and_its_shim_while_an_agent_watches() {
    let host = Host::new();
    let shim = host.path().join("shim");
    std::os::unix::fs::symlink(SHIM, &shim).unwrap();
    let go = host.path().join("go");
    let script = format!("while ! [ -e {} ]; do sleep 0.01; done; echo last words; printf 'and more'", go.display());
    let process = ProcessTarget::new(&shim, ["shim"]).start(&host.dir("p"), &sh(&script)).await.unwrap();
    // With no program to start, the shim cannot be replaced in time.
    fs::remove_file(&shim).unwrap();
    kill(process.shim_pid().unwrap());
    until("no shim", || process.shim_pid().is_none()).await;
    fs::write(go, "").unwrap();
    until("the end", || !lives(process.pid())).await;
    std::os::unix::fs::symlink(SHIM, &shim).unwrap();
    in_time("the end", process.wait()).await;
    let Adopted::Exited(_) = target().adopt(&host.dir("p")).await.unwrap() else { panic!("it has ended") };
    assert_eq!(host.lines("p", 'o'), ["last words", "and more"]);
}

#[tokio::test]
async fn nothing_starts_twice_in_one_folder() {
    let host = Host::new();
    let count = host.path().join("count");
    let script = format!("echo x >> {}; sleep 1000", count.display());
    let process = host.sh("p", &script).await;
    let pid = process.pid();
    match host.target.start(&host.dir("p"), &sh(&script)).await {
        Err(Error::Running(_)) => {}
        other => panic!("{other:?}"),
    }
    let run = || Command::new(SHIM).arg("shim").arg(host.dir("p")).spawn().unwrap();
    assert_eq!(run().wait().unwrap().code(), Some(BUSY));

    abandon(process).await;
    match host.target.start(&host.dir("p"), &sh(&script)).await {
        Err(Error::Running(_)) => {}
        other => panic!("{other:?}"),
    }
    let codes: Vec<_> =
        (0..6).map(|_| run()).collect::<Vec<_>>().iter_mut().map(|c| c.wait().unwrap().code()).collect();
    assert_eq!(codes.iter().filter(|c| **c == Some(0)).count(), 1, "{codes:?}");
    let process = running(host.target.adopt(&host.dir("p")).await.unwrap());
    assert_eq!(process.pid(), pid);
    in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
    assert_eq!(fs::read_to_string(&count).unwrap(), "x\n");

    let again = host.start("p", &sh(&script)).await;
    assert_ne!(again.pid(), pid);
    until("a second start", || fs::read_to_string(&count).unwrap() == "x\nx\n").await;
    in_time("the stop", again.stop(libc::SIGTERM, PATIENCE)).await;
    assert_eq!(host.lines("p", 's').iter().filter(|l| l.starts_with("started:")).count(), 2);
}

#[tokio::test]
async fn what_an_agent_was_about_to_start_when_it_died_is_not_taken_for_never_started() {
    let host = Host::new();
    let (slow, spawned, go) = (host.path().join("slow"), host.path().join("spawned"), host.path().join("go"));
    let script = format!(
        "#!/bin/sh\n: > {}\nwhile ! [ -e {} ]; do /bin/sleep 0.01; done\nexec {SHIM} \"$@\"\n",
        spawned.display(),
        go.display()
    );
    fs::write(&slow, script).unwrap();
    fs::set_permissions(&slow, PermissionsExt::from_mode(0o755)).unwrap();
    let (count, dir) = (host.path().join("count"), host.dir("p"));
    let spec = sh(&format!("echo x >> {}; sleep 1000", count.display()));
    let first = tokio::spawn({
        let (slow, dir, spec) = (slow.clone(), dir.clone(), spec.clone());
        async move { ProcessTarget::new(slow, ["shim"]).start(&dir, &spec).await.map(drop) }
    });
    until("the shim is being started", || spawned.exists()).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());

    let target = target();
    let looks = async {
        match target.start(&dir, &spec).await {
            Err(Error::Running(_)) => {}
            other => panic!("a second one was let in: {other:?}"),
        }
        fs::write(&go, "").unwrap();
    };
    let (adopted, ()) = in_time("the start", async { tokio::join!(target.adopt(&dir), looks) }).await;
    let process = running(adopted.unwrap());
    until("its work", || fs::read_to_string(&count).is_ok_and(|c| c == "x\n")).await;
    in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
    assert_eq!(fs::read_to_string(&count).unwrap(), "x\n");
}

fn alter_started(dir: &Path, alter: impl FnOnce(&mut Started)) {
    let file = dir.join("started.json");
    let mut started: Started = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    alter(&mut started);
    fs::write(&file, serde_json::to_vec(&started).unwrap()).unwrap();
}

#[tokio::test]
async fn another_process_of_the_same_number_is_left_alone() {
    let host = Host::new();
    for name in ["later", "rebooted"] {
        let mut spec = sh("sleep 1000");
        spec.kill_group_at_exit = true;
        let process = host.start(name, &spec).await;
        let pid = process.pid();
        abandon(process).await;
        alter_started(&host.dir(name), |s| match name {
            "later" => s.start_ticks += 1,
            _ => s.boot_id = "00000000-0000-0000-0000-000000000000".into(),
        });
        let Adopted::Exited(exited) = target().adopt(&host.dir(name)).await.unwrap() else { panic!("it is another") };
        assert_eq!(exited.exit, Exit::Unknown);
        assert!(lives(pid));
        kill(pid);
    }
}

#[tokio::test]
async fn a_stop_is_carried_through_by_the_next_shim() {
    let host = Host::new();
    let process = host.sh("p", "trap '' TERM; echo up; while :; do sleep 0.01; done").await;
    until("up", || host.lines("p", 'o') == ["up"]).await;
    process.begin_stop(libc::SIGTERM, Duration::from_millis(500));
    until("the stop to be noted", || host.dir("p").join("stop.json").exists()).await;
    let (pid, shim) = (process.pid(), process.shim_pid().unwrap());
    drop(process);
    kill(shim);
    until("the shim's end", || !lives(shim)).await;
    assert!(lives(pid));
    // Nobody says `stop` again.
    let exited = in_time("the end", running(target().adopt(&host.dir("p")).await.unwrap()).wait()).await;
    assert!(exited.stopped);
    assert!(!lives(pid));
}

#[tokio::test]
async fn a_process_is_adopted_before_a_shim_can_be_had_again() {
    let host = Host::new();
    let process = host.sh("p", "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done").await;
    until("up", || host.lines("p", 'o') == ["up"]).await;
    let pid = process.pid();
    abandon(process).await;
    let shim = host.path().join("shim");
    let process = running(ProcessTarget::new(&shim, ["shim"]).adopt(&host.dir("p")).await.unwrap());
    assert_eq!((process.pid(), process.shim_pid(), process.exited()), (pid, None, None));
    process.begin_stop(libc::SIGTERM, PATIENCE);
    std::os::unix::fs::symlink(SHIM, &shim).unwrap();
    assert!(in_time("the stop", process.wait()).await.stopped);
    assert!(!lives(pid));
}

#[tokio::test]
async fn a_stop_survives_its_asker() {
    let host = Host::new();
    let process = host.sh("p", "sleep 1000").await;
    let pid = process.pid();
    process.begin_stop(libc::SIGTERM, PATIENCE);
    drop(process);
    until("the end", || !lives(pid)).await;
    until("its record", || host.dir("p").join("exit.json").exists()).await;
    let Adopted::Exited(exited) = target().adopt(&host.dir("p")).await.unwrap() else { panic!("it has ended") };
    assert_eq!(exited.exit, Exit::Signal { signal: libc::SIGTERM });
    assert!(exited.stopped);
}

#[tokio::test]
async fn a_timeout_counts_from_the_start_whoever_watches() {
    let host = Host::new();
    let mut spec = sh("sleep 1000");
    spec.timeout_ms = Some(300);
    let process = host.start("p", &spec).await;
    let pid = process.pid();
    abandon(process).await;
    assert!(lives(pid));
    let Adopted::Running(process) = target().adopt(&host.dir("p")).await.unwrap() else { panic!("it runs") };
    assert!(in_time("the end", process.wait()).await.timed_out);
    assert!(!lives(pid));
}

#[tokio::test]
async fn the_process_outlives_the_program_that_started_it() {
    let host = Host::new();
    let up = host.path().join("up");
    // The launcher's whole process group is killed, as by a terminal or a supervisor.
    fs::create_dir_all(host.dir("p")).unwrap();
    let spec = serde_json::to_vec(&sh(&format!("echo 1 > {}; sleep 1000", up.display()))).unwrap();
    fs::write(host.dir("p").join("spec.json"), spec).unwrap();
    let starter = format!("'{SHIM}' shim '{}'; sleep 1000", host.dir("p").display());
    let mut parent = Command::new("setsid").args(["sh", "-c", &starter]).spawn().unwrap();
    number(&up).await;
    // SAFETY: a plain system call on the group this test made.
    unsafe { libc::kill(-(parent.id() as i32), libc::SIGKILL) };
    parent.wait().unwrap();
    let process = running(target().adopt(&host.dir("p")).await.unwrap());
    assert!(lives(process.pid()));
    in_time("the stop", process.stop(libc::SIGTERM, PATIENCE)).await;
}

#[tokio::test]
async fn a_folder_without_a_sound_spec_is_refused_in_words() {
    let host = Host::new();
    fs::create_dir_all(host.dir("p")).unwrap();
    let run = || Command::new(SHIM).arg("shim").arg(host.dir("p")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&run().stderr), "spec.json is missing\n");
    fs::write(host.dir("p").join("spec.json"), "{").unwrap();
    let said = String::from_utf8_lossy(&run().stderr).into_owned();
    assert!(said.starts_with("spec.json: EOF while parsing"), "{said}");
    assert!(logs::tail(&host.dir("p"), 9).unwrap().0.is_empty());
}

#[tokio::test]
async fn a_job_whose_end_nobody_saw_leaves_nothing_either() {
    if !is_root() {
        eprintln!("skipped: only root may start processes as another user, by which they are told apart");
        return;
    }
    let host = Host::new();
    let child = host.path().join("child");
    fs::write(&child, "").unwrap();
    fs::set_permissions(&child, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(host.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut spec = sh(&format!("sleep 1000 & echo $! > {}; wait", child.display()));
    spec.kill_group_at_exit = true;
    spec.user = users::of_job(998);
    let process = host.start("p", &spec).await;
    let (pid, child) = (process.pid(), number(&child).await);
    abandon(process).await;
    kill(pid);
    until("the end", || !lives(pid)).await;
    assert!(lives(child));
    let Adopted::Exited(_) = target().adopt(&host.dir("p")).await.unwrap() else { panic!("it has ended") };
    until("the child's end", || !lives(child)).await;
}
