//! The agents' door, from an agent's side.

use crate::{
    app::{TestApp, http, until},
    git::{SPEC, Work},
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tradewind_api::{Client, v1::Scope};
use tradewind_model::{
    id::{Digest, HostId},
    protocol::agent::{FromAgent, Observed, ObservedEdge, ToAgent, VERSION},
};
use tradewind_server::admin;
use tradewind_store::transact;

/// As much of an agent as speaks.
pub struct FakeAgent {
    socket: BufReader<TcpStream>,
    /// What has come of the next message: `hear` may be dropped in the middle of it.
    line: Vec<u8>,
}

impl FakeAgent {
    pub async fn dial(app: &TestApp, key: &str) -> Self {
        let mut socket = BufReader::new(TcpStream::connect(app.addr).await.unwrap());
        let head = format!(
            "GET /api/v1/agent/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: upgrade\r\n\
             upgrade: tradewind-agent/1\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut status = String::new();
        socket.read_line(&mut status).await.unwrap();
        assert!(status.starts_with("HTTP/1.1 101 "), "{status}");
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            socket.read_line(&mut line).await.unwrap();
        }
        Self { socket, line: Vec::new() }
    }

    /// Dials and says hello; who the server takes it for.
    pub async fn connect(app: &TestApp, key: &str) -> (Self, HostId) {
        let mut agent = Self::dial(app, key).await;
        agent.say(&hello(VERSION)).await;
        match agent.hear().await {
            Some(ToAgent::Welcome { protocol: VERSION, host }) => (agent, host),
            other => panic!("no welcome but {other:?}"),
        }
    }

    pub async fn say(&mut self, message: &FromAgent) {
        self.say_line(&serde_json::to_string(message).unwrap()).await;
    }

    pub async fn say_line(&mut self, line: &str) {
        self.socket.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next message that is no ping; none when the server has hung up.
    pub async fn hear(&mut self) -> Option<ToAgent> {
        loop {
            let read = self.socket.read_until(b'\n', &mut self.line);
            let read = tokio::time::timeout(std::time::Duration::from_secs(60), read).await.expect("silence");
            if read.is_err() || !self.line.ends_with(b"\n") {
                return None;
            }
            let line = std::mem::take(&mut self.line);
            match serde_json::from_slice(&line).unwrap() {
                ToAgent::Ping { .. } => {}
                message => return Some(message),
            }
        }
    }

    /// The next desired state.
    pub async fn desired(&mut self) -> tradewind_model::protocol::agent::Desired {
        loop {
            match self.hear().await.expect("the server hung up") {
                ToAgent::Desired(desired) => return *desired,
                ToAgent::Welcome { .. }
                | ToAgent::ReadLog { .. }
                | ToAgent::StopLog { .. }
                | ToAgent::UnitsTaken { .. }
                | ToAgent::Ping { .. } => {}
            }
        }
    }
}

pub fn hello(protocol: u32) -> FromAgent {
    // Each connection is an agent that has just started.
    let epoch = uuid::Uuid::now_v7().to_string();
    FromAgent::Hello { protocol, version: "0.1.0".into(), epoch, hostname: "h1".into(), generation: 0 }
}

/// An agent that holds more than the store says would refuse all of it.
#[tokio::test]
async fn a_store_restored_from_a_copy_is_listened_to_and_an_empty_one_is_not() {
    let app = TestApp::start().await;
    let key = admin::enrol_host(&app.app.store, "h1").await.unwrap();
    let dial = async || {
        let mut agent = FakeAgent::dial(&app, &key.token).await;
        let FromAgent::Hello { protocol, version, epoch, hostname, .. } = hello(VERSION) else { unreachable!() };
        agent.say(&FromAgent::Hello { protocol, version, epoch, hostname, generation: 120 }).await;
        agent
    };
    let mut agent = dial().await;
    assert_eq!(agent.desired().await.generation, 0, "which it refuses: what runs goes on");
    let touch = async || {
        let touched: Result<(), tradewind_control::Error> = transact!(app.app.store, tx => {
            tx.without_event("a test's change");
            tradewind_control::hosts::touch(tx, HostId(key.info.id.0)).await
        });
        touched.unwrap();
    };
    touch().await;
    let first = agent.desired().await.generation;
    assert!(first > 120, "{first}");
    touch().await;
    assert_eq!(agent.desired().await.generation, first + 1);
    drop(agent);
    assert_eq!(dial().await.desired().await.generation, first + 1, "nothing has to be outrun any more");
}

#[tokio::test]
async fn an_agent_is_welcomed_told_what_to_do_and_known_to_be_there() {
    let app = TestApp::start().await;
    let key = admin::enrol_host(&app.app.store, "h1").await.unwrap();
    let (mut agent, host) = FakeAgent::connect(&app, &key.token).await;
    assert_eq!(host.0, key.info.id.0);
    assert!(agent.desired().await.instances.is_empty());
    assert!(!app.app.ctx.agents.is_present(host), "it has not reported yet");
    let seen = async || app.client().hosts().await.unwrap().items.remove(0);
    assert_eq!((seen().await.name.as_str(), seen().await.connected), ("h1", false));
    let edge = ObservedEdge { pid: 7, table: 1, listen: vec!["127.0.0.1:8080".parse().unwrap()] };
    agent.say(&FromAgent::Observed(Box::new(Observed { seq: 1, edge: Some(edge), ..Observed::default() }))).await;
    agent.say_line(&json!({ "type": "from_the_future", "x": 1 }).to_string()).await;
    until("presence", async || app.app.ctx.agents.is_present(host).then_some(())).await;
    let there = seen().await;
    assert_eq!((there.connected, there.instances, there.edge), (true, 0, vec!["127.0.0.1:8080".parse().unwrap()]));
    drop(agent);
    until("absence", async || (!app.app.ctx.agents.is_present(host)).then_some(())).await;
    assert!(!seen().await.connected);
}

#[tokio::test]
async fn the_newest_connection_of_a_host_wins() {
    let app = TestApp::start().await;
    let key = admin::enrol_host(&app.app.store, "h1").await.unwrap().token;
    let (mut old, host) = FakeAgent::connect(&app, &key).await;
    old.desired().await;
    let (mut new, _) = FakeAgent::connect(&app, &key).await;
    new.say(&FromAgent::Observed(Box::default())).await;
    assert!(old.hear().await.is_none(), "the older one is hung up on");
    until("presence", async || app.app.ctx.agents.is_present(host).then_some(())).await;
    new.desired().await;
}

#[tokio::test]
async fn an_agent_that_speaks_nonsense_is_hung_up_on() {
    let app = TestApp::start().await;
    let key = admin::enrol_host(&app.app.store, "h1").await.unwrap().token;
    for first in ["nonsense", "{}", &serde_json::to_string(&FromAgent::Pong { n: 1 }).unwrap()] {
        let mut agent = FakeAgent::dial(&app, &key).await;
        agent.say_line(first).await;
        assert!(agent.hear().await.is_none(), "{first}");
    }
    let answer = http().get(app.url("/api/v1/agent/stream")).bearer_auth(&key).send().await.unwrap();
    assert_eq!(answer.status(), 426);
}

#[tokio::test]
async fn agents_do_not_hold_up_the_servers_end() {
    let app = TestApp::start().await;
    let key = admin::enrol_host(&app.app.store, "h1").await.unwrap().token;
    let (mut agent, _) = FakeAgent::connect(&app, &key).await;
    agent.desired().await;
    app.stop().await;
    while agent.hear().await.is_some() {}
}

#[tokio::test]
async fn blobs_are_kept_under_their_digest_and_no_other() {
    let app = TestApp::start().await;
    let client = agent_client(&app).await;
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = Digest::of(&content);
    for _ in 0..2 {
        client.put_blob(digest, content.clone().into()).await.unwrap();
    }
    let wrong = client.put_blob(Digest::of(b"other"), content.clone().into()).await.unwrap_err();
    assert_eq!(wrong.problem().unwrap().code, "TW-STORE-011");
    assert_eq!(read(client.blob(digest).await.unwrap()).await.len(), content.len());
    let missing = client.blob(Digest::of(b"other")).await.map(drop).unwrap_err();
    assert_eq!(missing.status(), Some(404));
}

#[tokio::test]
async fn a_commits_tree_is_whole_whatever_its_attributes_say() {
    let app = TestApp::start().await;
    let _host = crate::host::Host::start(&app).await;
    let work = Work::new(&app, "shop", &app.token(Scope::Deploy).await).await;
    work.write("tradewind.yaml", SPEC);
    work.write("tests/a.py", "version = '$Format:%H$'\n");
    work.write(".gitattributes", "tests export-ignore\ntests/a.py export-subst\n");
    let commit = work.commit("first").await;
    assert!(work.push(&["main"]).await.ok);
    let client = agent_client(&app).await;
    let tar = read(client.source(&"shop".parse().unwrap(), &commit.parse().unwrap()).await.unwrap()).await;
    let folder = tempfile::TempDir::new().unwrap();
    let mut unpack = tokio::process::Command::new("tar")
        .args(["-x", "-C"])
        .arg(folder.path())
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    unpack.stdin.take().unwrap().write_all(&tar).await.unwrap();
    assert!(unpack.wait().await.unwrap().success());
    let told = std::fs::read_to_string(folder.path().join("tests/a.py")).unwrap();
    assert_eq!(told, "version = '$Format:%H$'\n");

    let unknown = "0".repeat(40).parse().unwrap();
    let error = client.source(&"shop".parse().unwrap(), &unknown).await.map(drop).unwrap_err();
    assert_eq!(error.problem().unwrap().code, "TW-GIT-008");
    let raw = http().get(app.url("/api/v1/agent/source/shop/--output=x")).bearer_auth(key(&app).await);
    assert_eq!(raw.send().await.unwrap().status(), 422);
}

async fn key(app: &TestApp) -> String {
    admin::enrol_host(&app.app.store, "h1").await.unwrap().token
}

async fn agent_client(app: &TestApp) -> Client {
    app.client_as(&key(app).await)
}

async fn read(stream: impl futures_util::Stream<Item = Result<bytes::Bytes, tradewind_api::ApiError>>) -> Vec<u8> {
    use futures_util::TryStreamExt as _;
    let parts: Vec<_> = std::pin::pin!(stream).try_collect().await.unwrap();
    parts.concat()
}

#[tokio::test]
async fn a_blob_that_breaks_off_is_not_kept() {
    let app = TestApp::start().await;
    let key = key(&app).await;
    let digest = Digest::of(b"0123456789");
    let mut raw = TcpStream::connect(app.addr).await.unwrap();
    let head = format!(
        "PUT /api/v1/agent/blobs/{digest} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: 10\r\n\r\n01234"
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    raw.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let _ = raw.read_to_end(&mut rest).await;
    let client = app.client_as(&key);
    assert_eq!(client.blob(digest).await.map(drop).unwrap_err().status(), Some(404));
}
