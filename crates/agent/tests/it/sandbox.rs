//! Jobs in bubblewrap.

use crate::{
    tasks::{done, has_source, id, job, log, outcome, task, until_log},
    world::*,
};
use std::{fs, os::unix::fs::PermissionsExt as _};
use tradewind_agent::{AgentConfig, Isolation, JobNetwork};
use tradewind_model::protocol::agent::{Exit, JobOutcome, TaskResult};

async fn world(change: impl FnOnce(&mut AgentConfig)) -> World {
    let mut w = World::without_agent().await;
    let mut config = w.config();
    config.isolation = Isolation::Required;
    change(&mut config);
    w.start_agent_as(config);
    has_source(&w, &[("a", "of the commit"), ("run.sh", "#!/bin/sh\necho ran\n")]);
    w
}

/// What a script says, with `no` for each of its lines that failed.
async fn said(w: &mut World, n: u128, lines: &[&str]) -> Vec<String> {
    let script: Vec<String> = lines.iter().map(|l| format!("{{ {l}; }} 2>/dev/null || echo no")).collect();
    let script: Vec<&str> = script.iter().map(String::as_str).collect();
    w.want(|d| d.tasks.push(task(n, job(&script))));
    let result = done(w, n).await;
    assert_eq!(outcome(&result).0, JobOutcome::Success, "{}", log(w, n));
    let log = log(w, n);
    let own =
        log.lines().skip_while(|l| !l.starts_with("$ ")).filter(|l| !l.starts_with("$ ") && *l != "Job succeeded");
    own.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sees_its_own_files_and_a_system_it_cannot_change() {
    let aside = tempfile::Builder::new().prefix("tw-aside-").tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(aside.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let secret = aside.path().join("readable-by-all");
    fs::write(&secret, "somebody else's").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let mut w = world(|_| ()).await;
    w.want(|_| ());
    w.until("an agent", |_| true).await;
    let agent = w.agent_folder().display().to_string();
    fs::write(w.agent_folder().join("loose"), "left readable by mistake").unwrap();
    let got = said(
        &mut w,
        1,
        &[
            "cat a; echo",
            "./run.sh",
            "echo kept > $HOME/h && cat $HOME/h",
            "echo short > /tmp/t && cat /tmp/t && test -f $TMPDIR/t",
            &format!("cat {}", secret.display()),
            &format!("cat {agent}/loose"),
            &format!("cat {agent}/desired.json"),
            &format!("ls -A {agent}/tasks | grep -v {}", id(1)),
            "ls -A /home /root /run /var/tmp | grep -v '^[/t]' | grep .",
            "touch /usr/x",
            "touch /etc/x",
            "touch /x",
            "echo 1 > /proc/sys/kernel/panic",
            "mount -t tmpfs x /tmp",
            "head -c 4 /dev/urandom | wc -c",
            "echo out > /dev/stdout",
            // Itself, a first process, and what it starts: nobody else's.
            "test $(ls /proc | grep -c '^[0-9]*$') -lt 10 && echo few",
        ],
    )
    .await;
    let no = "no";
    let expected = ["of the commit", "ran", "kept", "short", no, no, no, no, no, no, no, no, no, no, "4", "out", "few"];
    assert_eq!(got, expected, "{}", log(&w, 1));
}

/// As without it: the script's own processes are asked first, and daemons do not get away.
#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_job_may_clean_up_and_leaves_nobody() {
    let mut w = world(|_| ()).await;
    let marker = format!("tw-sandbox-{}", std::process::id());
    let mut tidy = job(&[
        &format!("setsid bash -c 'exec -a {marker} sleep 1000' < /dev/null > /dev/null 2>&1 &"),
        "trap 'echo cleaned; exit 3' TERM; echo begun; while :; do sleep 0.1; done",
    ]);
    tidy.after_script = vec!["echo \"after: $CI_JOB_STATUS\"".into()];
    w.want(|d| d.tasks = vec![task(1, tidy)]);
    until_log(&w, 1, "\nbegun").await;
    until_running(&marker).await;
    w.want(|d| d.tasks[0].cancel = true);
    assert_eq!(outcome(&done(&mut w, 1).await).0, JobOutcome::Canceled);
    let log = log(&w, 1);
    assert!(log.contains("\ncleaned\n") && log.contains("after: canceled\n"), "{log}");
    assert!(!is_running(&marker), "a daemon lives on");
}

async fn until_running(marker: &str) {
    let seen = async {
        while !is_running(marker) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(GUARD, seen).await.unwrap();
}

fn is_running(marker: &str) -> bool {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|p| fs::read(p.path().join("cmdline")).ok()).any(|c| c.starts_with(marker.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_the_scripts_own_and_a_timeout_ends_all_of_it() {
    let mut w = world(|_| ()).await;
    let mut endless = job(&["sleep 1000 & setsid sleep 1001 & sleep 1002"]);
    endless.timeout_ms = 300;
    w.want(|d| d.tasks = vec![task(1, job(&["exit 7"])), task(2, endless)]);
    let failed = done(&mut w, 1).await;
    assert_eq!(outcome(&failed), (JobOutcome::Failed, Exit::Code { code: 7 }));
    assert_eq!(outcome(&done(&mut w, 2).await).0, JobOutcome::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_without_its_agent() {
    let mut w = world(|_| ()).await;
    w.want(|d| {
        d.tasks = vec![task(1, job(&["echo begun", "while ! test -e go; do sleep 0.02; done", "echo gone on"]))]
    });
    until_log(&w, 1, "\nbegun").await;
    w.drop_agent().await;
    fs::write(w.agent_folder().join("tasks").join(id(1).to_string()).join("work/go"), "").unwrap();
    w.start_agent();
    assert_eq!(outcome(&done(&mut w, 1).await), (JobOutcome::Success, Exit::Code { code: 0 }));
    assert!(log(&w, 1).contains("\ngone on\n"), "{}", log(&w, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_not_even_this_host_is_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{} && echo reached", listener.local_addr().unwrap().port());
    let mut open = world(|_| ()).await;
    assert_eq!(said(&mut open, 1, &[&format!("({connect})")]).await, ["reached"]);
    let mut closed = world(|config| config.job_network = JobNetwork::None).await;
    assert_eq!(said(&mut closed, 1, &[&format!("({connect})")]).await, ["no"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_asked_for_and_cannot_be_had_no_job_runs() {
    for network in [JobNetwork::Open, JobNetwork::None] {
        let mut w = world(|config| {
            config.path = "/nowhere".into();
            config.job_network = network;
        })
        .await;
        w.want(|d| d.tasks = vec![task(1, job(&["echo ran"]))]);
        let TaskResult::Error { code, reason } = done(&mut w, 1).await else { panic!("{}", log(&w, 1)) };
        assert_eq!(code, "TW-AGENT-026");
        assert!(reason.en().contains("bwrap is not installed"), "{}", reason.en());
        assert!(!log(&w, 1).contains("\nran"), "{}", log(&w, 1));
    }
}

/// `required` is what a test of the rest asks for; `auto` does without.
#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_welcome_and_cannot_be_had_jobs_run_as_their_users() {
    let empty = tempfile::tempdir().unwrap();
    let mut w = world(|config| {
        config.isolation = Isolation::Auto;
        for program in ["bash", "sh", "sleep", "cat"] {
            let found = ["/bin", "/usr/bin"].iter().map(|d| std::path::Path::new(d).join(program)).find(|p| p.exists());
            std::os::unix::fs::symlink(found.unwrap(), empty.path().join(program)).unwrap();
        }
        fs::set_permissions(empty.path(), fs::Permissions::from_mode(0o755)).unwrap();
        config.path = empty.path().display().to_string();
    })
    .await;
    assert_eq!(said(&mut w, 1, &["cat a; echo"]).await, ["of the commit"]);
}
