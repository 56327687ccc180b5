//! Holder and worker as processes: killed, replaced, upgraded, stopped. The processes are this test binary in a role.

use crate::support::*;
use http::StatusCode;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tradewind_edge::{EdgeError, HolderConfig, WorkerConfig, holder, worker};
use tradewind_model::protocol::edge::FromEdge;

const DATA: &str = "EDGE_TEST_DATA";
const LISTEN: &str = "EDGE_TEST_LISTEN";

fn role(name: &str) -> Vec<String> {
    ["--ignored", "--exact", "--nocapture", name].map(String::from).to_vec()
}

fn holder_config() -> HolderConfig {
    HolderConfig {
        data: std::env::var(DATA).unwrap().into(),
        listen: vec![std::env::var(LISTEN).unwrap().parse().unwrap()],
        listen_tls: Vec::new(),
        admin: None,
        program: std::env::current_exe().unwrap(),
        worker_args: role("processes::as_worker").into_iter().map(Into::into).collect(),
        holder_args: role("processes::as_holder").into_iter().map(Into::into).collect(),
    }
}

#[test]
#[ignore = "a role of this binary, started by other tests"]
fn as_holder() {
    if std::env::var_os(DATA).is_some() {
        holder(holder_config()).unwrap();
    }
}

#[test]
#[ignore = "a role of this binary, started by other tests"]
fn as_worker() {
    if let Some(data) = std::env::var_os(DATA) {
        let mut config = WorkerConfig::new(data, Vec::new());
        config.threads = 2;
        worker(config).unwrap();
    }
}

/// A holder with what it started.
struct Held {
    dir: TempDir,
    program: PathBuf,
    addr: SocketAddr,
    holder: Child,
}

impl Held {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("edge-program");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        // A port that was free a moment ago: a test that restarts a holder needs one that stays the same.
        let addr = nobody().await.addr;
        let holder = Self::holder(&dir, &program, addr);
        let this = Self { dir, program, addr, holder };
        this.worker_other_than(0).await;
        this
    }

    fn holder(dir: &TempDir, program: &Path, addr: SocketAddr) -> Child {
        let mut command = Command::new(program);
        command.args(role("processes::as_holder")).env(DATA, dir.path()).env(LISTEN, addr.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    }

    fn noted(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&std::fs::read(self.dir.path().join("run/edge.json")).ok()?).ok()
    }

    fn worker(&self) -> u32 {
        self.noted().and_then(|n| n["worker"]["pid"].as_u64()).unwrap_or_default() as u32
    }

    /// The worker's process once it is another one and serves the agent.
    async fn worker_other_than(&self, before: u32) -> u32 {
        let socket = self.dir.path().join("run/edge.sock");
        within("another worker", async {
            loop {
                if let Some(pid) = greeting(&socket).await
                    && pid != before
                    && pid == self.worker()
                {
                    return pid;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }

    async fn agent(&self) -> Agent {
        Agent::dial(&self.dir.path().join("run/edge.sock")).await
    }

    async fn holder_ended(&mut self) -> bool {
        within("the holder's end", async {
            loop {
                if let Some(status) = self.holder.try_wait().unwrap() {
                    return status.success();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let noted = self.noted();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        // What is left belongs to this test: its processes carry its data folder in their environment.
        let pids = noted.iter().flat_map(|n| {
            n["retiring"].as_array().into_iter().flatten().chain([&n["worker"]]).filter_map(|w| w["pid"].as_u64())
        });
        for pid in pids.map(|p| p as u32) {
            let ours = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let data = self.dir.path().to_str().unwrap();
            if String::from_utf8_lossy(&ours).contains(data) {
                signal(pid, "KILL");
            }
        }
    }
}

/// The process that greets at the control socket.
async fn greeting(socket: &Path) -> Option<u32> {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let stream = tokio::net::UnixStream::connect(socket).await.ok()?;
    let line = BufReader::new(stream).lines().next_line().await.ok()??;
    let hello: serde_json::Value = serde_json::from_str(&line).ok()?;
    hello["pid"].as_u64().map(|p| p as u32)
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
    assert!(status.is_ok());
}

fn alive(pid: u32) -> bool {
    // A zombie has ended.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Clients that connect for every request. A refused connection is a failure of the test; a request that gets no
/// answer is counted.
struct Load {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

const CLIENTS: u64 = 4;

impl Load {
    fn on(addr: SocketAddr) -> Self {
        let (stop, served, lost) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::default());
        let clients = (0..CLIENTS)
            .map(|_| {
                let (stop, served, lost) = (stop.clone(), Arc::clone(&served), Arc::clone(&lost));
                tokio::spawn(async move {
                    while !stop.load(SeqCst) {
                        let mut client = Client::dial(addr).await;
                        match client.send(get("/")).await {
                            Ok(reply) => {
                                assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
                                AtomicU64::fetch_add(&served, 1, SeqCst);
                            }
                            Err(_) => {
                                AtomicU64::fetch_add(&lost, 1, SeqCst);
                            }
                        }
                    }
                })
            })
            .collect();
        Self { stop, served, lost, clients }
    }

    async fn more(&self) {
        let before = self.served.load(SeqCst);
        within("more requests served", async {
            while self.served.load(SeqCst) < before + 40 {
                assert!(!self.clients.iter().any(|c| c.is_finished()), "a client failed");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }

    /// How many requests got no answer.
    async fn end(self) -> u64 {
        self.stop.store(true, SeqCst);
        for client in self.clients {
            client.await.unwrap();
        }
        self.lost.load(SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_refuses_nobody_and_loses_only_what_was_in_it() {
    const KILLS: u64 = 4;
    let instance = Instance::named("up").await;
    let held = Held::start().await;
    held.agent().await.put(table(3, vec![route_to(&[instance.target()])])).await;
    let load = Load::on(held.addr);
    for _ in 0..KILLS {
        load.more().await;
        let before = held.worker();
        signal(before, "KILL");
        held.worker_other_than(before).await;
        // It serves the last table with no agent to send it.
        load.more().await;
    }
    let lost = load.end().await;
    assert!(lost <= KILLS * CLIENTS, "{lost} lost in {KILLS} kills of {CLIENTS} clients");
    assert_eq!(held.agent().await.greeted, 3);
}

#[tokio::test]
async fn a_killed_worker_begins_a_new_count() {
    let instance = Instance::start(|_| {
        Box::pin(async {
            let mut answer = text("no");
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        })
    })
    .await;
    let held = Held::start().await;
    let splits = vec![split(1, 10_000, &[instance.target()]), split(2, 0, &[])];
    let mut route = route(splits);
    route.sticky = tradewind_model::protocol::edge::Sticky::Header { name: "x-client".into() };
    route.trial = Some(crate::trial::trial(&[]));
    held.agent().await.put(table(1, vec![route])).await;
    let mut epochs = std::collections::BTreeSet::new();
    for lives in 1..=2 {
        let mut request = get("/");
        request.headers_mut().insert("x-client", "a".parse().unwrap());
        Client::dial(held.addr).await.send(request).await.unwrap();
        let mut agent = held.agent().await;
        agent.send(&tradewind_model::protocol::edge::ToEdge::Hello { protocol: 1 }).await;
        let mut last = 0;
        let failed = agent
            .wait("its failure", |m| match m {
                FromEdge::Units { ticks } => ticks.iter().find(|t| t.baseline.x == [1]).cloned(),
                _ => None,
            })
            .await;
        for message in &agent.heard {
            if let FromEdge::Units { ticks } = message {
                last = ticks.iter().fold(last, |last, t| {
                    assert_eq!((t.seq, &t.epoch), (last + 1, &failed.epoch));
                    t.seq
                });
            }
        }
        epochs.insert(failed.epoch);
        assert_eq!(epochs.len(), lives, "who had failed is forgotten, and that is said");
        let before = held.worker();
        signal(before, "KILL");
        held.worker_other_than(before).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_holder_costs_nothing_and_the_next_takes_the_sockets_back() {
    let instance = Instance::named("up").await;
    let mut held = Held::start().await;
    held.agent().await.put(table(1, vec![route_to(&[instance.target()])])).await;
    let worker = held.worker();
    let load = Load::on(held.addr);
    held.holder.kill().unwrap();
    held.holder.wait().unwrap();
    load.more().await;
    held.holder = Held::holder(&held.dir, &held.program, held.addr);
    let pid = u64::from(held.holder.id());
    until("the new holder has noted itself", || held.noted().is_some_and(|n| n["pid"] == pid)).await;
    assert_eq!(held.worker(), worker, "the worker that serves is kept");
    load.more().await;
    assert_eq!(load.end().await, 0);
    // The new holder does for it what the old one did.
    let load = Load::on(held.addr);
    load.more().await;
    signal(worker, "KILL");
    held.worker_other_than(worker).await;
    load.more().await;
    assert!(load.end().await <= CLIENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_restart_loses_nothing_and_takes_the_program_on_disk() {
    let instance = Instance::named("up").await;
    let held = Held::start().await;
    held.agent().await.put(table(1, vec![route_to(&[instance.target()])])).await;
    let load = Load::on(held.addr);
    let holder = held.holder.id();
    let exe = || std::fs::read_link(format!("/proc/{holder}/exe")).unwrap_or_default();
    let mut worker = held.worker();
    // The program as it was; then one that was put in its place, as an upgrade does.
    for upgrade in [false, true] {
        load.more().await;
        if upgrade {
            let fresh = held.dir.path().join("fresh");
            std::fs::copy(std::env::current_exe().unwrap(), &fresh).unwrap();
            std::fs::rename(&fresh, &held.program).unwrap();
            assert_ne!(exe(), held.program);
        }
        signal(holder, "HUP");
        let before = worker;
        worker = held.worker_other_than(before).await;
        until("the old worker has ended", || !alive(before)).await;
        load.more().await;
    }
    assert_eq!(load.end().await, 0);
    until("the holder is the program on disk", || exe() == held.program).await;
    until("and knows its worker", || held.noted().is_some_and(|n| n["pid"] == holder && n["worker"]["pid"] == worker))
        .await;
    // And it is a holder still.
    signal(worker, "KILL");
    held.worker_other_than(worker).await;
}

#[tokio::test]
async fn told_to_stop_it_answers_what_it_has_and_leaves_nothing_behind() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let instance = Instance::start({
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                text("done")
            })
        }
    })
    .await;
    let mut held = Held::start().await;
    held.agent().await.put(table(1, vec![route_to(&[instance.target()])])).await;
    let slow = tokio::spawn(Client::dial_and_get(held.addr, "/"));
    until("it is in flight", || instance.requests() == 1).await;
    let worker = held.worker();
    signal(held.holder.id(), "TERM");
    within("nobody is accepted any more", async {
        while TcpStream::connect(held.addr).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    gate.add_permits(1);
    let reply = slow.await.unwrap();
    assert_eq!((reply.body.as_str(), reply.header("connection")), ("done", Some("close")));
    assert!(held.holder_ended().await);
    assert!(!alive(worker));
}

#[tokio::test]
async fn a_second_holder_for_the_same_folder_is_refused() {
    let held = Held::start().await;
    let second = HolderConfig {
        data: held.dir.path().to_owned(),
        listen: vec![nobody().await.addr],
        listen_tls: Vec::new(),
        admin: None,
        program: held.program.clone(),
        worker_args: Vec::new(),
        holder_args: Vec::new(),
    };
    let error = tokio::task::spawn_blocking(|| holder(second)).await.unwrap().unwrap_err();
    assert!(matches!(error, EdgeError::Taken(_)), "{error}");
}

#[tokio::test]
async fn a_worker_that_cannot_start_does_not_replace_the_one_that_serves() {
    let instance = Instance::named("up").await;
    let held = Held::start().await;
    held.agent().await.put(table(1, vec![route_to(&[instance.target()])])).await;
    let worker = held.worker();
    std::os::unix::fs::symlink("/bin/false", held.dir.path().join("link")).unwrap();
    std::fs::rename(held.dir.path().join("link"), &held.program).unwrap();
    signal(held.holder.id(), "HUP");
    let load = Load::on(held.addr);
    load.more().await;
    assert_eq!(load.end().await, 0);
    assert_eq!(held.worker(), worker);
    assert!(alive(worker) && alive(held.holder.id()));
}
