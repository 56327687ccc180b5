use crate::harness::{BIN, Folder, kill, of_folder, runs, text, until};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};
use tradewind_model::{
    id::{Digest, Place, SiteName},
    protocol::{
        agent::{Desired, DesiredInstance, DesiredPhase},
        shim::{LogRule, ShimSpec, VERSION},
    },
    workload::{Limits, Port, RestartPolicy, ServiceKind, StopPolicy, Workload},
};
use tradewind_targets::process::ProcessTarget;

#[test]
fn nothing_to_stop_is_no_fault() {
    let folder = Folder::new();
    let mut up = folder.up();
    assert_eq!(folder.down().status.code(), Some(0));
    assert_eq!(up.end(), Some(0));
    let out = folder.down();
    assert_eq!((out.status.code(), text(&out.stdout).contains("Nothing of")), (Some(0), true));
}

#[test]
fn what_a_kill_of_everything_left_behind_is_stopped_and_bystanders_are_not() {
    let folder = Folder::new();
    let mut up = folder.up();
    let roles = ["server", "agent", "edge"].map(|r| folder.pid(r));
    kill(up.pid(), Signal::KILL);
    up.end();
    kill(roles[1], Signal::KILL);

    let agent = folder.data().join("agent");
    let patient = start(&agent.join("instances/0193a1b2-0000-7000-8000-000000000001"), "exec sleep 1000");
    // Its shim dies, and it does not listen to SIGTERM; its time to finish is not known, so it is a default one.
    let stubborn = start(&agent.join("tasks/0193a1b2-0000-7000-8000-000000000002/script.process"), "exec sleep 1001");
    kill(stubborn.shim_pid, Signal::KILL);
    // A daemon of a job that left its group and its session.
    let mut stray = spawn(Command::new("sleep").arg("1002").env("HOME", agent.join("data/shop")).process_group(0));
    let mut bystander = spawn(Command::new("sleep").arg("1003").current_dir(folder.data()));
    let mut namesake = spawn(Command::new("sleep").arg("1004").env("HOME", folder.data().with_extension("other")));

    let out = folder.down();
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{said}{}", text(&out.stderr));
    assert!(said.contains("server, edge, 1 instance(s), 1 job(s)"), "{said}");
    for pid in [roles[0], roles[2], patient.pid, patient.shim_pid, stubborn.pid] {
        assert!(!runs(pid), "{pid} of {said}");
    }
    assert!(!runs(stray.id()) && said.contains("left-over"), "{said}");
    assert!(runs(bystander.id()) && runs(namesake.id()));
    assert_eq!(of_folder(&folder), Vec::<String>::new());
    for child in [&mut stray, &mut bystander, &mut namesake] {
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[test]
fn instances_are_stopped_side_by_side_with_what_they_were_promised() {
    let folder = Folder::new();
    fs::create_dir_all(folder.data().join("run")).unwrap();
    let instances = folder.data().join("agent/instances");
    // Each finishes what it does, then says so; the first wants another signal than the others.
    let script =
        |signal| format!("trap 'echo bye > done; exit 0' {signal}; echo > ready; while :; do sleep 0.05; done");
    let id = |n: u8| format!("0193a1b2-0000-7000-8000-00000000000{n}");
    let dirs = [1, 2, 3].map(|n| instances.join(id(n)).join("process"));
    for (dir, signal) in dirs.iter().zip(["USR1", "TERM", "TERM"]) {
        start(dir, &script(signal));
        until("it is ready", || dir.join("ready").exists().then_some(()));
    }
    let kept = Desired { generation: 1, instances: vec![desired(&id(1), libc::SIGUSR1)], ..Desired::default() };
    fs::write(folder.data().join("agent/desired.json"), serde_json::to_vec(&kept).unwrap()).unwrap();
    let out = folder.down();
    assert!(text(&out.stdout).contains("3 instance(s)"), "{}", text(&out.stdout));
    for dir in &dirs {
        assert_eq!(fs::read_to_string(dir.join("done")).unwrap(), "bye\n");
    }
}

fn desired(id: &str, signal: i32) -> DesiredInstance {
    let workload = Workload {
        kind: ServiceKind::Web,
        command: vec!["app".into()],
        env: BTreeMap::new(),
        secrets: Vec::new(),
        port: Port::None,
        health: None,
        stop: StopPolicy { signal, drain_ms: 0, grace_ms: 60_000 },
        limits: Limits::default(),
        restart: RestartPolicy::default(),
        prepare: None,
        schedule: None,
    };
    DesiredInstance {
        id: id.parse().unwrap(),
        place: Place {
            service: "shop".parse().unwrap(),
            env: "production".parse().unwrap(),
            site: SiteName::default_site(),
        },
        revision: id.parse().unwrap(),
        release: Digest::of(b"v1"),
        label: "v1".into(),
        workload,
        phase: DesiredPhase::Run,
    }
}

/// Runs a script under a shim, as the agent would.
fn start(dir: &Path, script: &str) -> tradewind_model::protocol::shim::Started {
    fs::create_dir_all(dir).unwrap();
    let spec = ShimSpec {
        version: VERSION,
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        cwd: dir.to_str().unwrap().to_owned(),
        user: None,
        limits: Limits::default(),
        cgroup: None,
        log: LogRule { max_bytes: 1 << 20, keep: 1 },
        timeout_ms: None,
        kill_group_at_exit: true,
        secrets: false,
        wrapped: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { ProcessTarget::new(BIN, ["shim"]).start(dir, &spec).await.unwrap().started() })
}

fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
