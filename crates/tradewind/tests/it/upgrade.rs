//! A newer program takes over a folder under load.

use crate::{
    checkout::Checkout,
    harness::{BIN, Folder, kill, runs, text, until},
};
use hyper::{Method, StatusCode};
use rustix::process::Signal;
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tradewind_testkit::traffic::{Ledger, Line, Site};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// As long as the version there is.
const OLDER: &str = "0.0.9";
const CLIENTS: u32 = 4;

const SPEC: &str = "\
version: 1
service: shop
pipeline: none
run:
  command: [python3, -S, shop.py]
  instances: 2
  health: { http: /healthz }
environments: { production: { branch: main } }
strategy: { type: all_at_once, soak: 0s }
";
const SHOP: &str = "\
import os, socketserver
from http.server import BaseHTTPRequestHandler

class Answer(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = -1
    def do_GET(self):
        self.rfile.read(int(self.headers.get('content-length', 0)))
        self.send_response(200)
        self.send_header('x-version', 'one')
        self.send_header('content-length', '4')
        self.end_headers()
        self.wfile.write(b'true')
    do_POST = do_GET
    def log_message(self, *args): pass

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

Server(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()
";

/// The program in a folder of its own, under the name it is installed by.
fn install(folder: &Path, program: &[u8]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(folder).unwrap();
    let (fresh, at) = (folder.join("fresh"), folder.join("tradewind"));
    fs::write(&fresh, program).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    // As a package does it: whoever runs the one before keeps it.
    fs::rename(&fresh, &at).unwrap();
    at
}

/// The same program but for what it says its version is, wherever that is written in it.
fn older(mut program: Vec<u8>) -> Vec<u8> {
    assert_eq!(VERSION.len(), OLDER.len());
    let mut at = 0;
    while let Some(next) = program[at..].windows(VERSION.len()).position(|w| w == VERSION.as_bytes()) {
        at += next;
        program[at..at + OLDER.len()].copy_from_slice(OLDER.as_bytes());
    }
    program
}

fn version(program: &Path) -> String {
    text(&Command::new(program).arg("--version").output().unwrap().stdout).trim().replace("tradewind ", "")
}

/// Clients that count everything that is not the shop's answer.
struct Customers {
    ledger: Arc<Ledger>,
    leave: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Customers {
    fn of(edge: SocketAddr) -> Self {
        let (ledger, leave) = (Arc::new(Ledger::new()), Arc::new(AtomicBool::new(false)));
        let threads = (0..CLIENTS).map(|n| {
            let site = Site { edge, host: "shop.test".into(), names: "x-version" };
            let (ledger, leave) = (ledger.clone(), leave.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let new = || Line::new(site.clone(), ledger.clone());
                    let mut line = new();
                    while !leave.load(Ordering::Relaxed) {
                        // What must not be repeated must not be lost either.
                        let method = if n == 0 { Method::POST } else { Method::GET };
                        let _ = line.ask(method, "/", None, StatusCode::OK, |_| Ok(())).await;
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        if n % 2 == 1 {
                            line = new();
                        }
                    }
                });
            })
        });
        Self { threads: threads.collect(), ledger, leave }
    }

    fn go_on(&self) {
        let before = self.ledger.tally("one").sent;
        until("more answers", || (self.ledger.tally("one").sent > before + 50).then_some(()));
    }

    fn nothing_was_lost(self) {
        self.leave.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let lost: Vec<_> = self.ledger.losses().1.iter().map(|l| format!("{}: {}", l.request, l.how)).collect();
        assert_eq!(lost, Vec::<String>::new(), "of {}", self.ledger.tally("one").sent);
    }
}

/// Who serves traffic, and which program that is.
fn worker(folder: &Folder) -> Option<(u32, u64)> {
    let noted: serde_json::Value = serde_json::from_slice(&fs::read(folder.data().join("run/edge.json")).ok()?).ok()?;
    let pid = u32::try_from(noted["worker"]["pid"].as_u64()?).ok()?;
    Some((pid, fs::metadata(format!("/proc/{pid}/exe")).ok()?.ino()))
}

/// Every role of the older program gives way to the newer one; `place` says where that one is installed.
fn upgrade(place: &str) -> [u32; 2] {
    let mut folder = Folder::new();
    let program = fs::read(BIN).unwrap();
    folder.program = install(&folder.tmp.path().join("bin"), &older(program.clone()));
    assert_eq!(version(&folder.program), OLDER);
    let mut up = folder.up();
    let checkout = Checkout::new(&folder);
    checkout.log_in(&up);
    checkout.commit("One", &[("tradewind.yaml", SPEC), ("shop.py", SHOP)]);
    let (said, code) = checkout.tradewind("push --wait");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(folder.role("edge")["version"], OLDER);
    let holder = folder.pid("edge");
    let (before, old_program) = worker(&folder).unwrap();
    let customers = Customers::of(folder.edge);
    customers.go_on();

    let new = install(&folder.tmp.path().join(place), &program);
    let new_program = fs::metadata(&new).unwrap().ino();
    assert_ne!(new_program, old_program);
    kill(up.pid(), Signal::KILL);
    up.child.wait().unwrap();
    drop(checkout);
    folder.program = new;
    let _up = folder.up();
    let served_by = until("a worker of the new program", || worker(&folder).filter(|(_, p)| *p == new_program));
    assert_ne!(served_by.0, before);
    until("the old worker's end", || (!runs(before)).then_some(()));
    customers.go_on();
    customers.nothing_was_lost();
    for role in ["server", "agent", "edge"] {
        let pid = folder.pid(role);
        assert_eq!(folder.role(role)["version"], VERSION, "{role}");
        assert_eq!(fs::metadata(format!("/proc/{pid}/exe")).unwrap().ino(), new_program, "{role}");
    }
    [holder, folder.pid("edge")]
}

#[test]
fn a_newer_program_in_the_older_ones_place_serves_on_without_a_request_lost() {
    let [before, after] = upgrade("bin");
    assert_eq!(before, after, "the holder became the new program");
}

#[test]
fn so_does_one_that_is_installed_elsewhere() {
    let [before, after] = upgrade("bin-2");
    assert_ne!(before, after);
}
