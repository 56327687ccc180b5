//! Jobs and packagings.

use crate::world::*;
use bytes::Bytes;
use rustix::process::{Pid, test_kill_process};
use std::{collections::BTreeMap, path::PathBuf};
use tradewind_agent::RunAs;
use tradewind_model::{
    fault::Lang,
    id::{Commit, Digest, JobId, RunId, TaskId},
    protocol::agent::{
        ArtifactRule, ArtifactWhen, DesiredTask, Exit, JobOutcome, JobWork, Observed, PackageWork, Source, TaskResult,
        TaskState, Work,
    },
    release::EntryContent,
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub fn id(n: u128) -> TaskId {
    TaskId(unique(n))
}

fn commit() -> Commit {
    COMMIT.parse().unwrap()
}

fn tar(files: &[(&str, &str)]) -> Bytes {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(if path.ends_with(".sh") { 0o755 } else { 0o644 });
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().into()
}

pub fn has_source(w: &World, files: &[(&str, &str)]) {
    w.server.stored.lock().unwrap().sources.insert(format!("shop/{COMMIT}"), tar(files));
}

pub fn job(script: &[&str]) -> JobWork {
    JobWork {
        run: RunId(unique(1)),
        job: JobId(unique(1)),
        name: "build".into(),
        source: Source { service: "shop".into(), commit: commit(), artifacts: vec![] },
        script: script.iter().map(|s| (*s).to_owned()).collect(),
        after_script: vec![],
        variables: BTreeMap::new(),
        timeout_ms: 60_000,
        secrets: Vec::new(),
        artifacts: None,
        log_limit_bytes: 1 << 20,
    }
}

pub fn task(n: u128, work: JobWork) -> DesiredTask {
    DesiredTask { id: id(n), work: Work::Job(Box::new(work)), cancel: false }
}

pub async fn done(w: &mut World, n: u128) -> TaskResult {
    let seen = w
        .until("the task done", |o| o.tasks.iter().any(|t| t.id == id(n) && matches!(t.state, TaskState::Done(_))))
        .await;
    let task = seen.tasks.iter().find(|t| t.id == id(n)).unwrap();
    let TaskState::Done(result) = task.state.clone() else { unreachable!() };
    assert_eq!(task.log_bytes, log(w, n).len() as u64, "all of the log is with the server");
    *result
}

pub fn log(w: &World, n: u128) -> String {
    let stored = w.server.stored.lock().unwrap();
    String::from_utf8(stored.logs.get(&id(n)).cloned().unwrap_or_default()).unwrap()
}

pub async fn until_log(w: &World, n: u128, text: &str) {
    let logged = async {
        while !log(w, n).contains(text) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(GUARD, logged).await.is_err() {
        panic!("never logged: {text}\n{}", log(w, n));
    }
}

/// The number in a file that a job writes.
pub async fn pid_in(path: PathBuf) -> Pid {
    let read = async {
        loop {
            match std::fs::read_to_string(&path).ok().and_then(|t| t.trim().parse().ok()) {
                Some(pid) => return Pid::from_raw(pid).unwrap(),
                None => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(GUARD, read).await.unwrap()
}

pub fn outcome(result: &TaskResult) -> (JobOutcome, Exit) {
    match result {
        TaskResult::Job { outcome, exit, .. } => (*outcome, exit.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_of_a_script_is_told_of_with_its_end_and_its_line() {
    let mut w = World::new().await;
    has_source(&w, &[("app.py", APP)]);
    let mut work =
        job(&["echo one; printf 'no newline'", "set +e; (exit 7)", "if true; then\n  exit 3\nfi", "echo never"]);
    work.after_script = vec!["echo after".into(), "(exit 9)".into()];
    w.want(|d| d.tasks = vec![task(1, work)]);
    let result = done(&mut w, 1).await;
    insta::assert_snapshot!(log(&w, 1), @r"
    Fetching shop at 0123456789
    $ echo one; printf 'no newline'
    one
    no newline
    $ set +e; (exit 7)
    $ if true; then # and more lines
    Running after_script
    $ echo after
    after
    $ (exit 9)
    WARNING: after_script ended with exit code 9, but the job goes on
    ERROR: Job failed: ended with exit code 3
    ");
    let TaskResult::Job { commands, exit, .. } = result else { panic!("{result:?}") };
    assert_eq!(exit, Exit::Code { code: 3 });
    let told: Vec<_> = commands.iter().map(|c| (c.n, c.after, c.text.as_str(), c.exit_code, c.line)).collect();
    assert_eq!(
        told,
        [
            (0, false, "echo one; printf 'no newline'", Some(0), Some(2)),
            (1, false, "set +e; (exit 7)", Some(7), Some(5)),
            (2, false, "if true; then # and more lines", Some(3), Some(6)),
            (0, true, "echo after", Some(0), Some(8)),
            (1, true, "(exit 9)", Some(9), Some(10)),
        ]
    );
    for (one, next) in commands.iter().zip(&commands[1..]) {
        assert!(one.started_at <= one.finished_at.unwrap() && one.finished_at.unwrap() <= next.started_at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_script_is_is_told_while_it_runs_and_again_by_the_next_agent() {
    let mut w = World::new().await;
    has_source(&w, &[("app.py", APP)]);
    w.want(|d| d.tasks = vec![task(1, job(&["echo one", "while [ ! -e go ]; do sleep 0.05; done", "echo three"]))]);
    let so_far = |o: &Observed| o.tasks.iter().any(|t| t.commands.len() == 2);
    w.until("its second command", so_far).await;
    w.drop_agent().await;
    w.start_agent();
    let seen = w.until("its second command again", so_far).await;
    let ends: Vec<_> = seen.tasks[0].commands.iter().map(|c| (c.exit_code, c.line)).collect();
    assert_eq!(ends, [(Some(0), Some(2)), (None, Some(4))]);
    let go = w.agent_folder().join("tasks").join(id(1).to_string()).join("work/go");
    std::fs::write(go, "").unwrap();
    let TaskResult::Job { commands, .. } = done(&mut w, 1).await else { panic!() };
    assert_eq!(
        commands.iter().map(|c| (c.exit_code, c.line)).collect::<Vec<_>>(),
        [(Some(0), Some(2)), (Some(0), Some(4)), (Some(0), Some(5))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_hand_on_their_artifacts_and_a_release_is_made_of_them() {
    let mut w = World::new().await;
    has_source(&w, &[("app.py", APP), ("make.sh", "mkdir dist && echo made > dist/out"), ("secret.txt", "x")]);
    let mut build =
        job(&["./make.sh", "echo \"in $CI_PROJECT_DIR\" > dist/where", "ln -s out dist/link", "cat dist/out"]);
    build.artifacts = Some(ArtifactRule {
        paths: vec!["${CI_PROJECT_DIR}/dist/".into()],
        exclude: vec!["dist/where".into()],
        when: ArtifactWhen::OnSuccess,
    });
    w.want(|d| d.tasks = vec![task(1, build)]);
    let result = done(&mut w, 1).await;
    assert_eq!(outcome(&result), (JobOutcome::Success, Exit::Code { code: 0 }), "{}", log(&w, 1));
    let TaskResult::Job { artifacts: Some(artifacts), .. } = result else { panic!("{result:?}") };
    let size = w.server.stored.lock().unwrap().blobs[&artifacts].len();
    insta::assert_snapshot!(log(&w, 1).replace(&format!("{size} bytes"), "SIZE bytes"), @r#"
    Fetching shop at 0123456789
    $ ./make.sh
    $ echo "in $CI_PROJECT_DIR" > dist/where
    $ ln -s out dist/link
    $ cat dist/out
    made
    Uploading 2 files as artifacts, SIZE bytes
    Job succeeded
    "#);
    assert!(!w.agent_folder().join("tasks").join(id(1).to_string()).join("work").exists(), "its files are gone");

    let package = PackageWork {
        run: RunId(unique(1)),
        source: Source { service: "shop".into(), commit: commit(), artifacts: vec![artifacts] },
        spec: "version: 1".into(),
        paths: vec!["**".into()],
        exclude: vec!["secret.txt".into()],
    };
    w.want(|d| d.tasks.push(DesiredTask { id: id(2), work: Work::Package(Box::new(package.clone())), cancel: false }));
    let TaskResult::Package { result: Ok(manifest) } = done(&mut w, 2).await else { panic!("{}", log(&w, 2)) };
    let paths: Vec<_> = manifest.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["app.py", "dist/link", "dist/out", "make.sh"]);
    assert_eq!(manifest.files[1].content, EntryContent::Symlink { target: "out".into() });
    let EntryContent::File { digest, size: 5, executable: false } = manifest.files[2].content else {
        panic!("{:?}", manifest.files[2])
    };
    assert_eq!(digest, Digest::of(b"made\n"));

    // Again, elsewhere: the same release in the same bytes.
    w.want(|d| d.tasks.push(DesiredTask { id: id(3), work: Work::Package(Box::new(package)), cancel: false }));
    let TaskResult::Package { result: Ok(again) } = done(&mut w, 3).await else { panic!("{}", log(&w, 3)) };
    assert_eq!(again, manifest);

    // And it runs.
    let release = manifest.digest();
    let a = desired_instance(1, release, 1, workload(&[]));
    w.want(|d| {
        let bundle = manifest.bundle.digest;
        d.releases.push(tradewind_model::protocol::agent::DesiredRelease {
            release,
            bundle,
            service: "shop".into(),
            prepare: None,
        });
        d.instances = vec![a.clone()];
        d.tasks.clear();
    });
    w.until_phase(a.id, tradewind_model::protocol::agent::InstancePhase::Ready).await;
    w.until("tasks forgotten", |o| o.tasks.is_empty()).await;
    until_gone(&w.agent_folder().join("tasks").join(id(1).to_string())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_says_so_and_still_runs_its_after_script() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let mut failing = job(&["echo out; echo err >&2", "false | true", "echo never"]);
    failing.after_script = vec!["echo \"it was $CI_JOB_STATUS\"; cat; exit 7".into()];
    failing.variables = BTreeMap::from([("X".into(), "${CI_PROJECT_DIR}/x".into())]);
    failing.artifacts =
        Some(ArtifactRule { paths: vec!["nothing".into()], exclude: vec![], when: ArtifactWhen::Always });
    w.want(|d| d.tasks = vec![task(1, failing)]);
    let result = done(&mut w, 1).await;
    assert_eq!(outcome(&result), (JobOutcome::Failed, Exit::Code { code: 1 }));
    let text = log(&w, 1);
    let (said, rest): (Vec<_>, Vec<_>) = text.lines().partition(|l| *l == "out" || *l == "err");
    assert_eq!(said.len(), 2);
    insta::assert_snapshot!(rest.join("\n"), @r#"
    Fetching shop at 0123456789
    $ echo out; echo err >&2
    $ false | true
    Running after_script
    $ echo "it was $CI_JOB_STATUS"; cat; exit 7
    it was failed
    WARNING: after_script ended with exit code 7, but the job goes on
    WARNING: TW-AGENT-022: no file matches the job's `artifacts:paths`: nothing
    ERROR: Job failed: ended with exit code 1
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_job_leaves_no_process() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let mut forking = job(&[
        "trap '' TERM",
        "setsid sh -c 'trap \"\" TERM; echo $$ > daemon.pid; while :; do sleep 1; done' < /dev/null > /dev/null 2>&1 &",
        "echo $$ > main.pid; echo begun; while :; do sleep 1; done",
    ]);
    forking.after_script = vec!["echo \"after: $CI_JOB_STATUS\"".into()];
    w.want(|d| d.tasks = vec![task(1, forking)]);
    until_log(&w, 1, "begun").await;
    let work = w.agent_folder().join("tasks").join(id(1).to_string()).join("work");
    let pids = [pid_in(work.join("daemon.pid")).await, pid_in(work.join("main.pid")).await];
    w.want(|d| d.tasks[0].cancel = true);
    let result = done(&mut w, 1).await;
    assert_eq!(outcome(&result).0, JobOutcome::Canceled);
    assert!(log(&w, 1).contains("after: canceled\n"), "{}", log(&w, 1));
    for pid in pids {
        assert!(test_kill_process(pid).is_err(), "{pid:?} lives on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_ends_is_stopped_at_its_timeout() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let mut endless = job(&["sleep 1000 & echo $! > child.pid", "sleep 1000"]);
    endless.timeout_ms = 300;
    endless.after_script = vec!["echo after".into()];
    w.want(|d| d.tasks = vec![task(1, endless)]);
    let child = pid_in(w.agent_folder().join("tasks").join(id(1).to_string()).join("work/child.pid")).await;
    let TaskResult::Job { outcome, message, .. } = done(&mut w, 1).await else { panic!() };
    let message = message.unwrap();
    assert_eq!((outcome, message.en()), (JobOutcome::TimedOut, "stopped after its timeout of 300ms"));
    assert_eq!(message.get(Lang::Zh), "超过时限 300ms，已被停止");
    assert!(log(&w, 1).contains("\nafter\n"), "{}", log(&w, 1));
    assert!(test_kill_process(child).is_err(), "a child lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_prints_too_much_is_cut_and_told_so() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let mut loud = job(&["seq 1 2000000", "echo the end"]);
    loud.log_limit_bytes = 100_000;
    w.want(|d| d.tasks = vec![task(1, loud)]);
    assert_eq!(outcome(&done(&mut w, 1).await).0, JobOutcome::Success);
    let log = log(&w, 1);
    assert!(log.len() < 101_000, "{} bytes", log.len());
    assert!(log.contains("\n-- The log has reached its limit of 100000 bytes: what follows is left out.\n"));
    assert!(log.ends_with(" bytes or more were left out.\nJob succeeded\n"), "{}", &log[log.len() - 200..]);
}

/// Faster than anybody reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_prints_without_end_is_canceled_all_the_same() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let mut work = job(&["cat /dev/zero | tr '\\\\0' y"]);
    work.timeout_ms = 3_600_000;
    w.want(|d| d.tasks = vec![task(1, work)]);
    until_log(&w, 1, "reached its limit").await;
    w.want(|d| d.tasks[0].cancel = true);
    assert_eq!(outcome(&done(&mut w, 1).await).0, JobOutcome::Canceled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_without_its_agent_and_is_found_again() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let script = [
        "echo run >> ../../runs || echo run >> \"$HOME/runs\"",
        "for i in $(seq 1 200); do echo line $i; done",
        "while ! test -e go; do sleep 0.02; done",
        "for i in $(seq 201 400); do echo line $i; done; cat \"$HOME/runs\"; exit 3",
    ];
    w.want(|d| d.tasks = vec![task(1, job(&script))]);
    until_log(&w, 1, "line 200\n").await;
    w.drop_agent().await;
    // It ends while nobody is there, or just after: both must be the same.
    let work = w.agent_folder().join("tasks").join(id(1).to_string()).join("work");
    std::fs::write(work.join("go"), "").unwrap();
    w.start_agent();
    let result = done(&mut w, 1).await;
    assert_eq!(outcome(&result), (JobOutcome::Failed, Exit::Code { code: 3 }));
    let log = log(&w, 1);
    let lines: Vec<_> = log.lines().filter(|l| l.starts_with("line ")).collect();
    assert_eq!(lines.len(), 400);
    assert_eq!(log.lines().filter(|l| *l == "run").count(), 1, "it ran once");

    // Done stays done, for yet another agent.
    w.drop_agent().await;
    w.start_agent();
    w.want(|_| {});
    assert_eq!(done(&mut w, 1).await, result);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_while_the_server_is_away() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    let script = ["echo before", "while ! test -e go; do sleep 0.02; done", "echo meanwhile"];
    w.want(|d| d.tasks = vec![task(1, job(&script))]);
    until_log(&w, 1, "before\n").await;
    w.server.down();
    let folder = w.agent_folder().join("tasks").join(id(1).to_string());
    std::fs::write(folder.join("work/go"), "").unwrap();
    // The script has ended when its process's folder says so.
    let exit = folder.join("script.process/exit.json");
    let ended = async {
        while !exit.exists() && folder.join("script.process").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(GUARD, ended).await.unwrap();
    assert!(!log(&w, 1).contains("meanwhile\n"));
    w.server.up().await;
    assert_eq!(outcome(&done(&mut w, 1).await).0, JobOutcome::Success);
    assert!(log(&w, 1).ends_with("meanwhile\nJob succeeded\n"), "{}", log(&w, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_cannot_read_what_is_not_theirs() {
    let mut w = World::new().await;
    if let RunAs::SameUser = w.config().run_as {
        return;
    }
    has_source(&w, &[("a", "")]);
    let agent = w.agent_folder().display().to_string();
    let other = format!("{agent}/tasks/{}", id(2));
    let nosy = [
        format!("id -u; cat {agent}/desired.json || echo no"),
        format!("ls {agent}/instances || echo no; ls {agent}/tasks || echo no"),
        format!("while ! test -d {other}/work; do sleep 0.02; done; ls {other}/work || echo no"),
        "touch done".into(),
    ];
    let waiting = job(&[&format!("while ! test -d {agent}; do :; done; sleep 1000")]);
    let nosy = job(&nosy.each_ref().map(String::as_str));
    w.want(|d| d.tasks = vec![task(1, nosy), task(2, waiting)]);
    assert_eq!(outcome(&done(&mut w, 1).await).0, JobOutcome::Success, "{}", log(&w, 1));
    let log = log(&w, 1);
    let (uid, no): (Vec<_>, Vec<_>) =
        log.lines().filter(|l| *l == "no" || l.starts_with("62")).partition(|l| *l != "no");
    assert_eq!((uid.len(), no.len()), (1, 4), "{log}");
    w.want(|d| d.tasks[1].cancel = true);
    assert_eq!(outcome(&done(&mut w, 2).await).0, JobOutcome::Canceled);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_is_an_error_and_not_a_failure() {
    let mut w = World::new().await;
    w.want(|d| d.tasks = vec![task(1, job(&["true"]))]);
    let TaskResult::Error { code, reason } = done(&mut w, 1).await else { panic!() };
    assert_eq!(code, "TW-AGENT-013");
    assert!(reason.en().starts_with("the server did not give the source of shop at 0123456789: "), "{reason:?}");
    assert!(
        reason.get(Lang::Zh).starts_with("服务器未能提供 shop 在提交 0123456789 的源码：服务器返回 404"),
        "{reason:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_not_listed_any_more_is_stopped_and_forgotten() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    w.want(|d| d.tasks = vec![task(1, job(&["echo $$ > main.pid", "sleep 1000"]))]);
    let folder = w.agent_folder().join("tasks").join(id(1).to_string());
    let pid = pid_in(folder.join("work/main.pid")).await;
    w.want(|d| d.tasks.clear());
    w.until("forgotten", |o| o.tasks.is_empty()).await;
    until_gone(&folder).await;
    assert!(test_kill_process(pid).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_host_went_down_is_lost_and_not_run_again() {
    let mut w = World::new().await;
    has_source(&w, &[("a", "")]);
    w.want(|d| d.tasks = vec![task(1, job(&["echo $$ > main.pid; echo begun", "sleep 1000"]))]);
    until_log(&w, 1, "begun\n").await;
    let folder = w.agent_folder().join("tasks").join(id(1).to_string());
    w.drop_agent().await;
    // What a machine leaves that lost its power: no process, and records of another boot.
    let process = folder.join("script.process");
    let rewrite = |path: PathBuf, key: &str| {
        let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        record[key] = "another-boot".into();
        std::fs::write(&path, record.to_string()).unwrap();
    };
    let started: serde_json::Value =
        serde_json::from_slice(&std::fs::read(process.join("started.json")).unwrap()).unwrap();
    for pid in ["shim_pid", "pid"] {
        let pid = Pid::from_raw(started[pid].as_i64().unwrap() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        until_gone(&PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()))).await;
    }
    let _ = std::fs::remove_file(process.join("exit.json"));
    rewrite(process.join("started.json"), "boot_id");
    rewrite(folder.join("journal.json"), "boot");
    w.start_agent();
    let TaskResult::Error { code, .. } = done(&mut w, 1).await else { panic!("{}", log(&w, 1)) };
    assert_eq!(code, "TW-AGENT-012");
    assert_eq!(log(&w, 1).lines().filter(|l| *l == "begun").count(), 1);

    // And one whose record is damaged is as good as lost.
    w.want(|d| d.tasks.push(task(2, job(&["echo begun; sleep 1000"]))));
    until_log(&w, 2, "begun\n").await;
    w.drop_agent().await;
    std::fs::write(w.agent_folder().join("tasks").join(id(2).to_string()).join("journal.json"), "").unwrap();
    w.start_agent();
    let lost = w.until("the second lost", |o| {
        o.tasks
            .iter()
            .any(|t| t.id == id(2) && matches!(&t.state, TaskState::Done(r) if matches!(**r, TaskResult::Error { .. })))
    });
    lost.await;
}
