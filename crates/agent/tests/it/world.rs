//! A host with an agent on it, a server and an edge, and what a release is made of.

use crate::{
    edge::FakeEdge,
    server::{FakeServer, KEY},
};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle};
use tradewind_agent::{
    AgentConfig, RunAs,
    tree::pack::{Patterns, choose, pack},
};
use tradewind_model::{
    id::{Digest, InstanceId, Place, RevisionId},
    protocol::{
        agent::{
            Desired, DesiredInstance, DesiredPhase, DesiredRelease, DesiredRoute, DesiredSplit, FromAgent,
            InstancePhase, Observed, ObservedInstance,
        },
        edge::{Mode, RouteLimits, Sticky},
    },
    workload::{HealthCheck, HealthProbe, Limits, Port, RestartPolicy, ServiceKind, StopPolicy, Workload},
};
use tradewind_targets::{
    process::{Adopted, ProcessTarget},
    users::may_switch_user,
};
use uuid::Uuid;

/// Only a guard against a test that hangs.
pub const GUARD: Duration = Duration::from_secs(60);

/// An HTTP server of a few lines, whose habits the environment sets.
pub const APP: &str = r#"
import os, signal, socket, sys, time
e = os.environ.get
if e("DEAF"): signal.signal(signal.SIGTERM, signal.SIG_IGN)
else: signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))
if e("DIES"): sys.exit(int(e("DIES")))
print("up as", e("TRADEWIND_RELEASE"), flush=True)
time.sleep(float(e("LATE", "0")))
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(e("PORT")))); s.listen(64)
while True:
    c, _ = s.accept()
    head = c.recv(65536)
    sick = os.path.exists(os.path.join(e("TRADEWIND_DATA_DIR"), "sick")) or e("NEVER")
    if b"GET /who" in head: body = (e("TRADEWIND_INSTANCE") + " " + str(os.getpid()) + " " + str(os.getuid())).encode()
    else: body = b"ok"
    status = b"503 No" if sick else b"200 OK"
    c.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body)
    c.close()
"#;

pub struct World {
    pub dir: TempDir,
    pub server: FakeServer,
    pub edge: FakeEdge,
    pub heard: mpsc::UnboundedReceiver<FromAgent>,
    pub desired: Desired,
    agent: Option<JoinHandle<()>>,
}

impl World {
    /// With an agent that runs in the test's own process.
    pub async fn new() -> Self {
        let mut world = Self::without_agent().await;
        world.start_agent();
        world
    }

    pub async fn without_agent() -> Self {
        let dir = tempfile::Builder::new().prefix("tw-agent-").tempdir().unwrap();
        // Users of instances pass through.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let (server, heard) = FakeServer::start().await;
        let edge = FakeEdge::start(&dir.path().join("edge.sock"));
        let desired = Desired { generation: 1, ..Desired::default() };
        Self { dir, server, edge, heard, desired, agent: None }
    }

    pub fn agent_folder(&self) -> PathBuf {
        self.dir.path().join("agent")
    }

    pub fn config(&self) -> AgentConfig {
        let url = format!("http://{}", self.server.addr).parse().unwrap();
        let mut config = AgentConfig::new(self.agent_folder(), url, KEY, shim());
        config.edge_socket = Some(self.dir.path().join("edge.sock"));
        if may_switch_user().is_err() {
            config.run_as = RunAs::SameUser;
        }
        config
    }

    pub fn start_agent(&mut self) {
        self.start_agent_as(self.config());
    }

    pub fn start_agent_as(&mut self, config: AgentConfig) {
        self.agent = Some(tokio::spawn(async move {
            tradewind_agent::run(config, std::future::pending()).await.unwrap();
        }));
    }

    /// The agent is dropped where it stands.
    pub async fn drop_agent(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.abort();
            let ended = agent.await;
            assert!(ended.is_err_and(|e| e.is_cancelled()), "the agent had ended by itself");
        }
    }

    /// Sends the desired state under the next generation.
    pub fn want(&mut self, change: impl FnOnce(&mut Desired)) {
        change(&mut self.desired);
        self.desired.generation += 1;
        self.server.want(self.desired.clone());
    }

    pub async fn until(&mut self, what: &str, mut holds: impl FnMut(&Observed) -> bool) -> Observed {
        let generation = self.desired.generation;
        let seen =
            tokio::time::timeout(GUARD, self.server.observed.wait_for(|o| o.generation >= generation && holds(o)))
                .await
                .map(|observed| observed.unwrap().clone());
        match seen {
            Ok(observed) => observed,
            Err(_) => panic!("never saw: {what}\n{:#?}", *self.server.observed.borrow()),
        }
    }

    pub async fn until_phase(&mut self, id: InstanceId, phase: InstancePhase) -> ObservedInstance {
        let what = format!("{id} {phase:?}");
        let observed = self.until(&what, |o| instance(o, id).is_some_and(|i| i.phase == phase)).await;
        instance(&observed, id).unwrap().clone()
    }

    /// The addresses the edge was given for a route's revisions, in the table it serves.
    pub async fn until_table(&mut self, what: &str, mut holds: impl FnMut(&[(u32, usize)]) -> bool) {
        let seen = tokio::time::timeout(
            GUARD,
            self.edge.table.wait_for(|t| {
                let splits: Vec<_> =
                    t.routes.iter().flat_map(|r| &r.splits).map(|s| (s.weight, s.targets.len())).collect();
                holds(&splits)
            }),
        )
        .await
        .map(drop);
        if seen.is_err() {
            panic!("the edge never had: {what}\n{:#?}", *self.edge.table.borrow());
        }
    }

    /// Puts a bundle of these files into the server's store.
    pub fn bundle(&self, files: &[(&str, &str)]) -> Digest {
        self.server.put(bundle(files))
    }

    /// A release of [`APP`] that is to be there.
    pub fn app_release(&mut self, n: u128) -> Digest {
        self.release_with(n, APP)
    }

    pub fn release_with(&mut self, n: u128, app: &str) -> Digest {
        let bundle = self.bundle(&[("app.py", app), ("version", &n.to_string())]);
        let release = Digest::of(&n.to_be_bytes());
        let wanted = DesiredRelease { release, bundle, service: "shop".into(), prepare: None };
        self.desired.releases.push(wanted);
        release
    }
}

impl Drop for World {
    /// Ends every process the test started.
    fn drop(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.abort();
        }
        let folder = self.agent_folder();
        // A runtime of its own, in a thread of its own: we are inside the test's.
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(stop_all(&folder));
        });
        let _ = ended.join();
    }
}

async fn stop_all(agent: &Path) {
    let (exe, args) = shim();
    let target = ProcessTarget::new(exe, args);
    let mut pending = vec![agent.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                pending.push(entry.path());
            }
        }
        if folder.join("spec.json").exists()
            && let Ok(Adopted::Running(process)) = target.adopt(&folder).await
        {
            process.stop(9, Duration::ZERO).await;
        }
    }
}

pub fn shim() -> (PathBuf, Vec<OsString>) {
    (env!("CARGO_BIN_EXE_tradewind-agent-host").into(), vec!["shim".into()])
}

pub fn bundle(files: &[(&str, &str)]) -> Bytes {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let out = tempfile::NamedTempFile::new().unwrap();
    let all = Patterns::new(&["**".to_owned()], &[]).unwrap();
    pack(dir.path(), &choose(dir.path(), &all, None).unwrap(), out.path()).unwrap();
    std::fs::read(out.path()).unwrap().into()
}

pub fn place() -> Place {
    Place { service: "shop".parse().unwrap(), env: "production".parse().unwrap(), site: "default".parse().unwrap() }
}

pub fn revision(n: u128) -> RevisionId {
    RevisionId(Uuid::from_u128(n))
}

/// Another one in each test process: they name cgroups, which all tests of a machine share.
pub fn unique(n: u128) -> Uuid {
    static BASE: std::sync::OnceLock<u128> = std::sync::OnceLock::new();
    Uuid::from_u128((BASE.get_or_init(|| Uuid::now_v7().as_u128()) & !0xffff) | n)
}

pub fn instance(observed: &Observed, id: InstanceId) -> Option<&ObservedInstance> {
    observed.instances.iter().find(|i| i.id == id)
}

/// [`APP`] with a quick check and short patience.
pub fn workload(env: &[(&str, &str)]) -> Workload {
    Workload {
        kind: ServiceKind::Web,
        command: vec!["python3".into(), "-S".into(), "app.py".into()],
        env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
        secrets: Vec::new(),
        port: Port::Assigned,
        health: Some(HealthCheck {
            probe: HealthProbe::Http { path: "/healthz".into() },
            interval_ms: 100,
            timeout_ms: 5_000,
            healthy_after: 1,
            unhealthy_after: 2,
        }),
        stop: StopPolicy { signal: 15, drain_ms: 20_000, grace_ms: 10_000 },
        limits: Limits::default(),
        restart: RestartPolicy { backoff_min_ms: 20, backoff_max_ms: 200, crash_loop_exits: 3, window_ms: 120_000 },
        prepare: None,
        schedule: None,
    }
}

pub fn desired_instance(n: u128, release: Digest, of: u128, workload: Workload) -> DesiredInstance {
    DesiredInstance {
        id: InstanceId(unique(n)),
        place: place(),
        revision: revision(of),
        release,
        label: format!("v{of}"),
        workload,
        phase: DesiredPhase::Run,
    }
}

pub fn route(version: u64, splits: &[(u128, u32)]) -> DesiredRoute {
    DesiredRoute {
        place: place(),
        version,
        hosts: vec!["shop.example.com".into()],
        path_prefix: "/".into(),
        mode: Mode::Serve,
        sticky: Sticky::None,
        salt: "salt".into(),
        splits: splits
            .iter()
            .map(|&(r, weight)| DesiredSplit { revision: revision(r), label: format!("v{r}"), weight })
            .collect(),
        limits: RouteLimits::default(),
        health: None,
        trial: None,
    }
}

pub async fn until_gone(path: &Path) {
    let gone = async {
        while path.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(GUARD, gone).await.unwrap_or_else(|_| panic!("{} is still there", path.display()));
}

/// A GET of `path`; the body.
pub async fn get(addr: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
