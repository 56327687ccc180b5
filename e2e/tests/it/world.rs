//! A Tradewind of a test's own, and the services on it. Whatever a test does, nothing of it outlives the test.

use serde_json::Value;
use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tradewind_testkit::rig::{self, Attempt, HANG, Repository, Tradewind};

pub const ENDED: [&str; 4] = ["completed", "failed", "aborted", "superseded"];

pub struct World {
    pub tradewind: Tradewind,
    pub folder: PathBuf,
}

/// Built beside this very test by the same `cargo`.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let bin = own.ancestors().nth(2).unwrap().join("tradewind");
    assert!(bin.is_file(), "{} is missing: `cargo build -p tradewind` makes it", bin.display());
    bin
}

impl World {
    /// Up, and logged in.
    pub async fn begin() -> Self {
        let mut world = Self::down();
        world.up().await;
        world
    }

    /// An empty folder; nothing runs yet.
    pub fn down() -> Self {
        let folder = rig::folder().unwrap();
        let tradewind = Tradewind::new(program(), &folder, "en").unwrap();
        Self { tradewind, folder }
    }

    pub async fn up(&mut self) {
        let (_, login) = self.tradewind.up().await.unwrap();
        let words: Vec<&str> = std::iter::once("login").chain(login.iter().map(String::as_str)).collect();
        self.tradewind.run(&words, &self.folder).await.unwrap();
    }

    /// A folder to push from, with the little service and this spec.
    pub async fn service<'a>(&'a self, name: &'static str, spec: &str) -> Service<'a> {
        let folder = self.folder.join(name);
        let repository = Repository::create(folder, &self.tradewind).await.unwrap();
        let service = Service { world: self, name, repository };
        service.write("service.py", include_str!("service.py"));
        service.write("tradewind.yaml", spec);
        service.write("how", "well\n");
        service
    }

    pub async fn ask(&self, words: &str) -> Value {
        let args: Vec<&str> = words.split_whitespace().collect();
        self.tradewind.ask(&args).await.unwrap()
    }

    pub async fn until<T>(&self, what: &str, words: &str, found: impl Fn(&Value) -> Option<T>) -> T {
        let args: Vec<&str> = words.split_whitespace().collect();
        self.tradewind.until(what, &args, found).await.unwrap()
    }

    /// The server answers again.
    pub async fn answers(&self) {
        self.until("the server to answer", "status", |v| v["items"].is_array().then_some(())).await;
    }

    pub async fn chain_is_whole(&self) {
        self.tradewind.run(&["audit", "verify"], &self.folder).await.unwrap();
    }

    /// A role's new process, when it is not this one any more.
    pub async fn replaced(&self, role: &str, pid: u32) -> u32 {
        until(&format!("{role} to return"), || async { self.tradewind.pid_of(role).ok().filter(|new| *new != pid) })
            .await
    }

    pub fn logs(&self) -> String {
        let mut told = String::new();
        for role in ["up", "server", "agent", "edge"] {
            let text = fs::read_to_string(self.tradewind.data.join(format!("log/{role}.log"))).unwrap_or_default();
            let lines: Vec<&str> = text.lines().filter(|l| !l.contains("layers: answered status=2")).collect();
            told += &format!("--- {role}.log\n");
            lines.iter().skip(lines.len().saturating_sub(25)).for_each(|line| told += &format!("{line}\n"));
        }
        told
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        if self.tradewind.data.join("run").is_dir() {
            let mut command = Command::new(program());
            command.arg("down").arg("--data").arg(&self.tradewind.data).stdin(Stdio::null()).stdout(Stdio::null());
            let _ = command.status();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub struct Service<'a> {
    pub world: &'a World,
    pub name: &'static str,
    pub repository: Repository,
}

impl Service<'_> {
    pub fn write(&self, file: &str, text: &str) {
        self.repository.write(file, text).unwrap();
    }

    pub fn folder(&self) -> &Path {
        &self.repository.folder
    }

    /// Commits everything, and runs `tradewind push` with these further words.
    pub async fn push(&self, words: &str) -> Attempt {
        self.repository.commit(&self.world.tradewind, "a change").await.unwrap();
        let args: Vec<&str> = ["push", self.name].into_iter().chain(words.split_whitespace()).collect();
        self.world.tradewind.attempt(&args, self.folder()).await.unwrap()
    }

    /// A release that names itself `version`; its rollout has been asked for when this returns.
    pub async fn release(&self, version: &str, how: &str) {
        self.write("VERSION", &format!("{version}\n"));
        self.write("how", &format!("{how}\n"));
        let pushed = self.push("").await;
        assert_eq!(pushed.code, Some(0), "{pushed}");
    }

    /// Runs `tradewind VERB SERVICE …`, which has to be accepted.
    pub async fn run(&self, verb: &str, words: &[&str]) -> String {
        let args: Vec<&str> = [verb, self.name].into_iter().chain(words.iter().copied()).collect();
        self.world.tradewind.run(&args, self.folder()).await.unwrap()
    }

    /// The newest rollout, when it goes to this release and is in one of these phases.
    pub async fn rollout(&self, label: &str, phases: &[&str]) -> Value {
        let what = format!("the newest rollout of {} to lead to {label} and be {phases:?}", self.name);
        self.world
            .until(&what, &format!("rollout show {}", self.name), |r| {
                (r["to"]["label"] == label && phases.iter().any(|p| r["phase"] == *p)).then(|| r.clone())
            })
            .await
    }

    pub async fn ended(&self, label: &str, phase: &str) -> Value {
        let rollout = self.rollout(label, &ENDED).await;
        assert_eq!(rollout["phase"], phase, "{rollout:#}");
        rollout
    }

    /// The rollout to this release, when its first site has reached this phase or the rollout has ended.
    pub async fn site_phase(&self, label: &str, phase: &str) -> Value {
        let what = format!("{label} of {} to be {phase}", self.name);
        self.world
            .until(&what, &format!("rollout show {}", self.name), |r| {
                let over = ENDED.iter().any(|p| r["phase"] == *p);
                (r["to"]["label"] == label && (over || r["sites"][0]["phase"] == phase)).then(|| r.clone())
            })
            .await
    }

    /// What runs, as `tradewind status` says it.
    pub async fn status(&self) -> Value {
        self.world.ask(&format!("status {}", self.name)).await["items"][0].clone()
    }

    /// Pids of the instances of a release that are ready.
    pub async fn ready(&self, label: &str) -> Vec<u32> {
        let status = self.status().await;
        let all = status["instances"].as_array().unwrap();
        let ours = all.iter().filter(|i| i["phase"] == "ready" && i["release"]["label"] == label);
        ours.map(|i| i["pid"].as_u64().unwrap().try_into().unwrap()).collect()
    }
}

/// Asks again and again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut found: impl FnMut() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(began.elapsed() < HANG, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A web service of two instances under `NAME.test`, with these lines more.
pub fn web(name: &str, strategy: &str) -> String {
    format!(
        "\
version: 1
service: {name}
pipeline: none
run:
  command: [python3, -u, service.py]
  health: {{ http: /healthz, interval: 100ms }}
  stop: {{ drain: 10s, grace: 500ms }}
  instances: 2
environments:
  production: {{ branch: main, route: {{ hosts: [{name}.test] }} }}
strategy: {strategy}
"
    )
}
