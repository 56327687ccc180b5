//! A data folder with what runs on it. Whatever a test does, nothing of it outlives the test.

use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

pub const BIN: &str = env!("CARGO_BIN_EXE_tradewind");
/// Guards against hanging for ever; nothing is judged by it.
const HANG: Duration = Duration::from_secs(120);

pub struct Folder {
    pub tmp: tempfile::TempDir,
    pub api: SocketAddr,
    pub edge: SocketAddr,
    /// What its commands run.
    pub program: PathBuf,
    /// Whether `down` has something to do at the end.
    used: AtomicBool,
}

impl Folder {
    pub fn new() -> Self {
        let tmp = tempfile::Builder::new().prefix("tw").tempdir().unwrap();
        Self { tmp, api: free_port(), edge: free_port(), program: BIN.into(), used: AtomicBool::new(false) }
    }

    pub fn data(&self) -> PathBuf {
        self.tmp.path().join("data")
    }

    /// `tradewind WORDS --data DIR`, with a home of its own and nothing of this machine's settings.
    pub fn command(&self, words: &str) -> Command {
        self.used.store(true, Ordering::Relaxed);
        let mut command = Command::new(&self.program);
        command.args(words.split_whitespace()).arg("--data").arg(self.data());
        surround(&mut command, self);
        command
    }

    pub fn up_command(&self, words: &str) -> Command {
        let mut command = self.command(&format!("up {words}"));
        command.arg("--listen").arg(self.api.to_string()).arg("--edge").arg(self.edge.to_string());
        if !rustix::process::geteuid().is_root() {
            command.arg("--insecure-same-user");
        }
        command
    }

    /// Starts `up` in the foreground and waits until it is.
    pub fn up(&self) -> Up {
        self.up_as("")
    }

    pub fn up_as(&self, words: &str) -> Up {
        let mut child = self.up_command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Said::default();
        said.hear(child.stdout.take().unwrap());
        said.hear(child.stderr.take().unwrap());
        let up = Up { child, said };
        up.said.wait_for("Ctrl-C stops");
        up
    }

    /// What a role says about itself, once it does.
    pub fn role(&self, name: &str) -> Value {
        let path = self.data().join("run/roles").join(format!("{name}.json"));
        until(&format!("{name} registers"), || serde_json::from_slice(&fs::read(&path).ok()?).ok())
    }

    pub fn pid(&self, role: &str) -> u32 {
        self.role(role)["pid"].as_u64().unwrap().try_into().unwrap()
    }

    pub fn serves(&self) -> bool {
        healthy(self.api)
    }

    pub fn down(&self) -> Output {
        self.command("down").output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.used.load(Ordering::Relaxed) && self.data().join("run").is_dir() {
            let _ = self.down();
        }
    }
}

pub fn surround(command: &mut Command, folder: &Folder) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRADEWIND_") {
            command.env_remove(name);
        }
    }
    command.env_remove("GIT_SSL_CAINFO");
    command.env("HOME", folder.tmp.path()).env_remove("XDG_CONFIG_HOME").env("LANG", "C").env_remove("LC_ALL");
    command.stdin(Stdio::null());
}

pub struct Up {
    pub child: Child,
    pub said: Said,
}

impl Up {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn end(&mut self) -> Option<i32> {
        until("the supervisor ends", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they come.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<String>>);

impl Said {
    fn hear(&self, from: impl Read + Send + 'static) {
        let all = self.0.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                let mut all = all.lock().unwrap();
                all.push_str(&line);
                all.push('\n');
            }
        });
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    pub fn wait_for(&self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let text = self.text();
            if text.contains(words) {
                return text;
            }
            assert!(began.elapsed() < HANG, "`{words}` was never said:\n{text}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < HANG, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Runs; one that has ended and waits for its parent does not.
pub fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

/// Processes whose command line names the folder.
pub fn of_folder(folder: &Folder) -> Vec<String> {
    let data = folder.data().to_str().unwrap().to_owned();
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|p| runs(*p))
        .filter_map(|p| Some((p, fs::read_to_string(format!("/proc/{p}/cmdline")).ok()?.replace('\0', " "))))
        .filter(|(_, line)| line.contains(&data))
        .map(|(p, line)| format!("{p} {line}"))
        .collect()
}

fn healthy(addr: SocketAddr) -> bool {
    use std::io::Write;
    let Ok(mut stream) = TcpStream::connect(addr) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// A port of this test's own: every test process draws from its own stretch below the kernel's ephemeral ones.
pub fn free_port() -> SocketAddr {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    for _ in 0..200 {
        let stretch = u16::try_from(std::process::id() % 1200).unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], 8_000 + stretch * 20 + *next % 20));
        *next += 1;
        if TcpListener::bind(addr).is_ok() {
            return addr;
        }
    }
    panic!("no free port");
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
