//! The program: started, asked and killed as a user would.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Guards against hanging for ever; nothing is judged by it.
pub const HANG: Duration = Duration::from_secs(180);

pub struct Tradewind {
    bin: PathBuf,
    /// Home of this rig's user, with credentials and git's settings of its own.
    pub home: PathBuf,
    pub data: PathBuf,
    pub api: SocketAddr,
    pub edge: SocketAddr,
    pub lang: &'static str,
    supervisor: Option<Child>,
}

/// How a verb ended.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl std::fmt::Display for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "exit code {code}")?,
            None => write!(f, "ended by a signal")?,
        }
        write!(f, "\n{}{}", self.out, self.err)
    }
}

impl Tradewind {
    /// On an empty folder and two free ports; nothing runs yet.
    pub fn new(bin: PathBuf, folder: &Path, lang: &'static str) -> Result<Self> {
        let (home, data) = (folder.join("home"), folder.join("data"));
        std::fs::create_dir_all(&home)?;
        Ok(Self { bin, home, data, api: free_port()?, edge: free_port()?, lang, supervisor: None })
    }

    /// `tradewind up`. Gives what it said, and the arguments of the login it offers.
    pub async fn up(&mut self) -> Result<(Vec<String>, Vec<String>)> {
        let mut command = self.command();
        command.arg("up").arg("--data").arg(&self.data);
        command.arg("--listen").arg(self.api.to_string()).arg("--edge").arg(self.edge.to_string());
        if !rustix::process::geteuid().is_root() {
            command.arg("--insecure-same-user");
        }
        // A session of its own: Ctrl-C here stops it through `down`, not behind our back.
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().with_context(|| format!("{} up", self.bin.display()))?;
        let out = child.stdout.take().context("no output of tradewind up")?;
        self.supervisor = Some(child);
        let mut lines = BufReader::new(out).lines();
        let mut said = Vec::new();
        let login = loop {
            let Some(line) = timeout(HANG, lines.next_line()).await.context("tradewind up says nothing")?? else {
                bail!("tradewind up ended before it was up:\n{}", said.join("\n"));
            };
            said.push(line.clone());
            if let Some(words) = line.trim().strip_prefix("tradewind login ") {
                break words.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            }
        };
        // What it says later belongs on the terminal; an unread pipe would stop it in the end.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((said, login))
    }

    pub fn bin_folder(&self) -> &Path {
        self.bin.parent().unwrap_or(Path::new("/"))
    }

    /// The program with this rig's surroundings.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.bin);
        self.surround(&mut command);
        command
    }

    pub fn surround(&self, command: &mut Command) {
        let bin = self.bin_folder().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)));
        if let Ok(path) = path {
            command.env("PATH", path);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TRADEWIND_") || name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", &self.home).env_remove("XDG_CONFIG_HOME").env("TRADEWIND_LANG", self.lang);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").kill_on_drop(true);
    }

    /// Runs a verb to its end, however it ends.
    pub async fn attempt(&self, args: &[&str], folder: &Path) -> Result<Attempt> {
        let output = self.command().args(args).current_dir(folder).stdin(Stdio::null()).output();
        let out = timeout(HANG, output).await.with_context(|| format!("tradewind {}: no end", args.join(" ")))??;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Attempt { code: out.status.code(), out: text(&out.stdout), err: text(&out.stderr) })
    }

    /// Runs a verb and gives what it wrote; an exit code other than 0 is an error with what it said.
    pub async fn run(&self, args: &[&str], folder: &Path) -> Result<String> {
        let ended = self.attempt(args, folder).await?;
        ensure!(ended.code == Some(0), "tradewind {}: {ended}", args.join(" "));
        Ok(ended.out)
    }

    /// A verb's `--json`.
    pub async fn ask(&self, args: &[&str]) -> Result<Value> {
        let mut all = args.to_vec();
        all.push("--json");
        let said = self.run(&all, &self.home).await?;
        serde_json::from_str(&said).with_context(|| format!("tradewind {}: {said}", all.join(" ")))
    }

    /// Asks until `found` gives something. Errors on the way (a server that is just away) are only told at the end.
    pub async fn until<T>(&self, what: &str, args: &[&str], found: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            let answer = self.ask(args).await;
            if let Ok(value) = &answer
                && let Some(found) = found(value)
            {
                return Ok(found);
            }
            if began.elapsed() > HANG {
                let last = answer.map_or_else(|e| format!("{e:#}"), |v| format!("{v:#}"));
                bail!("waited {} s in vain: {what}\nlast answer: {last}", HANG.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The newest run of a service, when it has ended.
    pub async fn run_ended(&self, service: &str, of: &str) -> Result<Value> {
        self.until(&format!("the run of {of} to end"), &["run", "list", service], |page| {
            let newest = page["items"].get(0)?;
            let going = ["pending", "running", "manual", "canceling"].iter().any(|s| newest["state"] == *s);
            (!going).then(|| newest.clone())
        })
        .await
    }

    /// The newest rollout of a service to a release, when it is in one of these phases.
    pub async fn rollout(&self, service: &str, release: &str, phases: &[&str]) -> Result<Value> {
        let what = format!("the rollout of {release} to be {}", phases.join(" or "));
        self.until(&what, &["rollout", "list", service], |page| {
            let newest = page["items"].as_array()?.iter().find(|r| r["to"]["label"] == release)?;
            phases.iter().any(|p| newest["phase"] == *p).then(|| newest.clone())
        })
        .await
    }

    pub fn pid_of(&self, role: &str) -> Result<u32> {
        let file = self.data.join("run/roles").join(format!("{role}.json"));
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let value: Value = serde_json::from_str(&text)?;
        let pid = value.pointer("/identity/pid").or_else(|| value.get("pid")).and_then(Value::as_u64);
        pid.and_then(|p| u32::try_from(p).ok()).with_context(|| format!("{}: no pid", file.display()))
    }

    /// The process that carries the traffic, which the edge's holder started; none just after its death.
    pub fn edge_worker(&self) -> Result<Option<u32>> {
        let edge: Value = serde_json::from_slice(&std::fs::read(self.data.join("run/edge.json"))?)?;
        Ok(edge["worker"]["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()))
    }

    /// `kill -9`.
    pub fn kill(&self, role: &str) -> Result<u32> {
        let pid = self.pid_of(role)?;
        kill(pid)?;
        Ok(pid)
    }

    /// Stops everything of this folder. Errors do not stop the clean-up.
    pub async fn down(&mut self) -> Result<()> {
        let data = self.data.to_string_lossy().into_owned();
        if self.supervisor.is_none() {
            return Ok(());
        }
        let down = self.run(&["down", "--data", &data], Path::new("/")).await;
        if let Some(mut supervisor) = self.supervisor.take()
            && timeout(Duration::from_secs(20), supervisor.wait()).await.is_err()
        {
            supervisor.kill().await?;
        }
        down.map(drop)
    }

    /// Leaves it running when this program ends.
    pub fn keep(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            // Dropping would kill it.
            std::mem::forget(supervisor);
        }
    }
}

/// `kill -9`.
pub fn kill(pid: u32) -> Result<()> {
    let target = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).context("no pid")?;
    Ok(rustix::process::kill_process(target, rustix::process::Signal::KILL)?)
}

/// Below the ports that the kernel gives to clients: one of those could take it while what listens here is down.
fn free_port() -> Result<SocketAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 500)? * 20;
    for _ in 0..500 {
        let addr = SocketAddr::from(([127, 0, 0, 1], 10_000 + (first + NEXT.fetch_add(1, Relaxed)) % 10_000));
        if TcpListener::bind(addr).is_ok() {
            return Ok(addr);
        }
    }
    bail!("no free port between 10000 and 20000")
}
