//! As whom a process runs, with what, and within which limits.

use crate::host::{Host, PATIENCE, group_name, in_time, is_root, log_text, sh, spec};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};
use tradewind_model::{
    protocol::{agent::Exit, shim::User},
    workload::Limits,
};
use tradewind_targets::{
    cgroups::{self, Controller},
    users,
};

const NOBODY_ELSE: User = User { uid: 62_999, gid: 62_999 };

#[tokio::test]
async fn the_environment_is_exactly_what_was_given() {
    let host = Host::new();
    let mut spec = spec(["/usr/bin/env"]);
    spec.env =
        BTreeMap::from([("A".into(), "1 2".into()), ("EMPTY".into(), String::new()), ("Z".into(), "信风".into())]);
    let process = host.start("p", &spec).await;
    in_time("the end", process.wait()).await;
    assert_eq!(host.lines("p", 'o'), ["A=1 2", "EMPTY=", "Z=信风"]);
}

#[tokio::test]
async fn nothing_else_is_inherited() {
    let host = Host::new();
    let script = "cd /proc/self/fd && ls -l | sed -n 's/.* \\([0-9]*\\) -> /\\1 /p'; umask; grep -E '^(SigBlk|SigIgn|NoNewPrivs)' /proc/self/status; cat /proc/self/oom_score_adj";
    let process = host.start("p", &sh(script)).await;
    in_time("the end", process.wait()).await;
    let dir = host.dir("p");
    let lines = host.lines("p", 'o');
    // 32 and 33 are the C library's own and cannot be set through it.
    let ignored = lines.iter().find_map(|l| l.strip_prefix("SigIgn:\t")).unwrap();
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & !0x1_8000_0000, 0, "{ignored}");
    // Number 3 is the folder that `ls` reads.
    let fds: Vec<&String> = lines
        .iter()
        .filter(|l| l.starts_with(|c: char| c.is_ascii_digit()) && l.contains(" /") && !l.starts_with("3 "))
        .collect();
    assert_eq!(fds, ["0 /dev/null", &format!("1 {}/stdout", dir.display()), &format!("2 {}/stderr", dir.display())]);
    for expected in ["0022", "SigBlk:\t0000000000000000", "NoNewPrivs:\t1", "0"] {
        assert!(lines.iter().any(|l| l == expected), "{expected} in {lines:?}");
    }
}

#[tokio::test]
async fn it_has_its_own_session_and_group() {
    let host = Host::new();
    let process = host.start("p", &spec(["cat", "/proc/self/stat"])).await;
    in_time("the end", process.wait()).await;
    let pid = process.pid().to_string();
    let line = host.lines("p", 'o').remove(0);
    let fields: Vec<&str> = line.split(' ').collect();
    assert_eq!((fields[0], fields[4], fields[5]), (pid.as_str(), pid.as_str(), pid.as_str()));
}

#[tokio::test]
async fn another_user_has_neither_our_groups_nor_our_files_but_its_own_output() {
    if !is_root() {
        eprintln!("skipped: only root may start processes as another user");
        return;
    }
    users::may_switch_user().unwrap();
    let host = Host::new();
    fs::set_permissions(host.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let secret = host.path().join("secret");
    fs::write(&secret, "key").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let script = format!(
        "grep -E '^(Uid|Gid|Groups|CapEff|CapPrm)' /proc/self/status; cat {} || echo denied; ls {} || echo denied too; echo again > /dev/stdout",
        secret.display(),
        host.dir("p").display()
    );
    let mut spec = sh(&script);
    spec.user = Some(NOBODY_ELSE);
    let process = host.start("p", &spec).await;
    assert_eq!(in_time("the end", process.wait()).await.exit, Exit::Code { code: 0 }, "{}", log_text(&host.dir("p")));
    assert_eq!(
        host.lines("p", 'o'),
        [
            "Uid:\t62999\t62999\t62999\t62999",
            "Gid:\t62999\t62999\t62999\t62999",
            "Groups:\t ",
            "CapPrm:\t0000000000000000",
            "CapEff:\t0000000000000000",
            "denied",
            "denied too",
            "again",
        ]
    );
}

#[tokio::test]
async fn a_folder_closed_to_its_user_is_a_reason_not_to_start() {
    if !is_root() {
        eprintln!("skipped: only root may start processes as another user");
        return;
    }
    let host = Host::new();
    fs::set_permissions(host.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let mut spec = sh("true");
    spec.user = Some(NOBODY_ELSE);
    spec.cwd = host.path().to_str().unwrap().to_owned();
    let error = host.target.start(&host.dir("p"), &spec).await.unwrap_err().to_string();
    assert_eq!(error, format!("cannot enter the folder `{}`: Permission denied (os error 13)", spec.cwd));
}

#[tokio::test]
async fn open_files_are_limited() {
    let host = Host::new();
    let mut spec = sh("ulimit -n; ulimit -Hn");
    spec.limits.open_files = Some(321);
    let process = host.start("p", &spec).await;
    in_time("the end", process.wait()).await;
    assert_eq!(host.lines("p", 'o'), ["321", "321"]);
}

fn offers(controller: Controller) -> bool {
    let offered = cgroups::detect().limits.iter().any(|(c, f)| *c == controller && f.is_available());
    if !offered {
        eprintln!("skipped: this host gives us no cgroup with the {} controller", controller.name());
    }
    offered
}

#[tokio::test]
async fn memory_is_limited_and_the_log_says_why_it_ended() {
    if !offers(Controller::Memory) {
        return;
    }
    let host = Host::new();
    let mut spec = spec(["sh", "-c", "x=$(head -c 300000000 /dev/zero | tr '\\0' a); echo had it"]);
    spec.limits.memory_bytes = Some(48 << 20);
    spec.cgroup = Some(group_name("memory"));
    let process = host.start("p", &spec).await;
    let exited = in_time("the end", process.wait()).await;
    assert_ne!(exited.exit, Exit::Code { code: 0 });
    assert!(
        host.lines("p", 's').contains(&"the kernel ended a process of it: out of the memory it may have".to_owned())
    );
    assert_eq!(host.lines("p", 'o'), [""; 0]);
}

#[tokio::test]
async fn processes_are_counted_and_the_group_is_taken_away_at_the_end() {
    if !offers(Controller::Pids) {
        return;
    }
    let host = Host::new();
    let mut spec = sh("cat /proc/self/cgroup; i=0; while [ $i -lt 40 ]; do i=$((i+1)); sleep 1000 & done");
    spec.limits = Limits { pids: Some(12), cpu_millis: Some(500), ..Limits::default() };
    spec.kill_group_at_exit = true;
    let name = group_name("pids");
    spec.cgroup = Some(name.clone());
    let process = host.start("p", &spec).await;
    assert_eq!(process.started().cgroup, Some(name.clone()));
    in_time("the end", process.wait()).await;
    assert!(host.lines("p", 'e').iter().any(|l| l.contains("fork")), "{}", log_text(&host.dir("p")));
    assert!(host.lines("p", 'o').iter().any(|l| l.ends_with(&format!("/tradewind/{name}"))));
    crate::host::until("the group's end", || {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        mounts
            .lines()
            .filter_map(|l| l.split(' ').nth(4))
            .all(|m| !std::path::Path::new(m).join("tradewind").join(&name).exists())
    })
    .await;
}

#[tokio::test]
async fn a_limit_that_cannot_be_enforced_is_said() {
    let host = Host::new();
    let mut spec = sh("true");
    spec.cgroup = Some("../escape".into());
    let process = host.start("p", &spec).await;
    in_time("the end", process.wait()).await;
    assert_eq!(process.started().cgroup, None);
    assert_eq!(host.lines("p", 's')[0], "`../escape` is not a cgroup's name: no group is made");
}

#[tokio::test]
async fn a_signal_reaches_the_main_process_alone() {
    let host = Host::new();
    let script = "sh -c 'trap \"echo child\" HUP; while :; do sleep 0.01; done' & trap 'echo main; exit 0' HUP; echo up; while :; do sleep 0.01; done";
    let mut spec = sh(script);
    spec.kill_group_at_exit = true;
    let process = host.start("p", &spec).await;
    crate::host::until("up", || host.lines("p", 'o') == ["up"]).await;
    process.signal(libc::SIGHUP);
    tokio::time::timeout(PATIENCE, process.wait()).await.unwrap();
    assert_eq!(host.lines("p", 'o'), ["up", "main"]);
}
