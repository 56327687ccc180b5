//! A folder, a target and specs for tests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use tradewind_model::{
    protocol::shim::{LogRule, ShimSpec, VERSION},
    workload::Limits,
};
use tradewind_targets::process::{Process, ProcessTarget};

/// Long enough for any machine; it only ends a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Host {
    pub target: ProcessTarget,
    root: TempDir,
}

impl Host {
    pub fn new() -> Self {
        Self { target: target(), root: TempDir::new().unwrap() }
    }

    /// The folder of the process `name`.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    pub async fn start(&self, name: &str, spec: &ShimSpec) -> Process {
        self.target.start(&self.dir(name), spec).await.unwrap()
    }

    pub async fn sh(&self, name: &str, script: &str) -> Process {
        self.start(name, &sh(script)).await
    }

    /// What it wrote, in the order of the log: stream and text of each line.
    pub fn log(&self, name: &str) -> Vec<(char, String)> {
        log_text(&self.dir(name))
            .lines()
            .map(|l| {
                let mut parts = l.splitn(3, ' ').skip(1);
                (parts.next().unwrap().chars().next().unwrap(), parts.next().unwrap().to_owned())
            })
            .collect()
    }

    pub fn lines(&self, name: &str, stream: char) -> Vec<String> {
        self.log(name).into_iter().filter(|(s, _)| *s == stream).map(|(_, t)| t).collect()
    }
}

pub fn target() -> ProcessTarget {
    ProcessTarget::new(env!("CARGO_BIN_EXE_tradewind-shim"), ["shim"])
}

pub fn log_text(dir: &Path) -> String {
    let mut segments: Vec<PathBuf> = fs::read_dir(dir.join("log")).unwrap().map(|e| e.unwrap().path()).collect();
    segments.sort();
    segments.iter().map(|s| String::from_utf8_lossy(&fs::read(s).unwrap()).into_owned()).collect()
}

pub fn spec<const N: usize>(command: [&str; N]) -> ShimSpec {
    ShimSpec {
        version: VERSION,
        command: command.map(str::to_owned).to_vec(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())]),
        cwd: "/".to_owned(),
        user: None,
        limits: Limits::default(),
        cgroup: None,
        log: LogRule { max_bytes: 64 << 20, keep: 0 },
        timeout_ms: None,
        kill_group_at_exit: false,
        secrets: false,
        wrapped: false,
    }
}

pub fn sh(script: &str) -> ShimSpec {
    spec(["sh", "-c", script])
}

/// Waits for a condition; fails when it never comes.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never came: {what}"));
}

pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("never came: {what}"))
}

/// Neither gone nor a zombie.
pub fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|s| !s[s.rfind(')').unwrap()..].starts_with(") Z") && !s[s.rfind(')').unwrap()..].starts_with(") X"))
}

/// A number that a process wrote into a file, once it is there whole.
pub async fn number(path: &Path) -> u32 {
    let read = || fs::read_to_string(path).ok().filter(|t| t.ends_with('\n')).and_then(|t| t.trim().parse().ok());
    until(&format!("a number in {}", path.display()), || read().is_some()).await;
    read().unwrap()
}

pub fn kill(pid: u32) {
    // SAFETY: a plain system call on a process of this test.
    assert_eq!(unsafe { libc::kill(pid as i32, libc::SIGKILL) }, 0, "no process {pid}");
}

pub fn is_root() -> bool {
    // SAFETY: a plain system call.
    unsafe { libc::geteuid() == 0 }
}

/// Unique on the host, for tests that run side by side.
pub fn group_name(what: &str) -> String {
    format!("test-{what}-{}", std::process::id())
}

/// A small disk of its own, gone at the end.
pub struct Mounted(PathBuf);

impl Mounted {
    /// `None`, with a word of why, where mounting is not allowed.
    pub fn tmpfs(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let done = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output()
            .unwrap();
        if !done.status.success() {
            eprintln!("skipped: no small disk can be mounted: {}", String::from_utf8_lossy(&done.stderr));
            return None;
        }
        Some(Self(at.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // The shim may still stand in it.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
