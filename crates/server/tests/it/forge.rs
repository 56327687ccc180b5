//! A forge of a test's own: real git over HTTP, and a record of what it is told.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use std::{
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// What it was told: method and path, the header that bears a token, the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub line: String,
    pub token: String,
    pub body: serde_json::Value,
}

#[derive(Clone)]
pub struct Forge(Arc<Parts>);

struct Parts {
    folder: TempDir,
    addr: SocketAddr,
    /// What git's requests have to bear, where they have to.
    wants: Mutex<Option<String>>,
    /// Where git is sent on to.
    elsewhere: Mutex<Option<String>>,
    /// What it answers when it is told something; 0: as it should.
    answers: AtomicU16,
    told: Mutex<Vec<Told>>,
}

impl Forge {
    /// With an empty repository `haixin/shop`.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let parts = Parts {
            folder: TempDir::new().unwrap(),
            addr: listener.local_addr().unwrap(),
            wants: Mutex::default(),
            elsewhere: Mutex::default(),
            answers: AtomicU16::new(0),
            told: Mutex::default(),
        };
        let forge = Self(Arc::new(parts));
        let made = Command::new("git").args(["init", "-q", "--bare", "-b", "main"]).arg(forge.path()).status().await;
        assert!(made.unwrap().success());
        let router = Router::new().fallback(answer).with_state(forge.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        forge
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.root().join("haixin/shop.git")
    }

    fn root(&self) -> &Path {
        self.0.folder.path()
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.0.addr)
    }

    pub fn url(&self) -> String {
        format!("{}/haixin/shop", self.origin())
    }

    pub fn wants(&self, user: &str, password: &str) {
        let header = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        *self.0.wants.lock().unwrap() = Some(header);
    }

    pub fn wants_nothing(&self) {
        *self.0.wants.lock().unwrap() = None;
    }

    pub fn sends_on_to(&self, url: Option<String>) {
        *self.0.elsewhere.lock().unwrap() = url;
    }

    pub fn answers(&self, status: u16) {
        self.0.answers.store(status, Ordering::SeqCst);
    }

    pub fn told(&self) -> Vec<Told> {
        self.0.told.lock().unwrap().clone()
    }
}

async fn answer(State(forge): State<Forge>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map(|v| v.to_str().unwrap().to_owned());
    let plain = |status: u16, text: &str| Response::builder().status(status).body(Body::from(text.to_owned())).unwrap();
    let path = parts.uri.path();
    if !path.starts_with("/haixin/shop.git/") {
        let token = header("authorization").or_else(|| header("private-token")).unwrap_or_default();
        let line = format!("{} {path}", parts.method);
        let body = serde_json::from_slice(&body).unwrap_or_default();
        forge.0.told.lock().unwrap().push(Told { line, token, body });
        return match forge.0.answers.load(Ordering::SeqCst) {
            0 => plain(201, r#"{"id": 815}"#),
            status => plain(status, r#"{"message": "not\u001b[31m now"}"#),
        };
    }
    if let Some(to) = forge.0.elsewhere.lock().unwrap().as_ref() {
        let to = format!("{to}{}", parts.uri);
        return Response::builder().status(302).header("location", to).body(Body::empty()).unwrap();
    }
    if forge.0.wants.lock().unwrap().as_ref().is_some_and(|w| header("authorization").as_ref() != Some(w)) {
        return plain(401, "who are you?");
    }
    let mut git = Command::new("git");
    git.arg("http-backend")
        .env("GIT_PROJECT_ROOT", forge.root())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", path)
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = git.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&body).await.unwrap();
    let said = child.wait_with_output().await.unwrap().stdout;
    let end = said.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let mut answer = Response::builder();
    for line in std::str::from_utf8(&said[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        answer = match name {
            "Status" => answer.status(value[..3].parse::<u16>().unwrap()),
            _ => answer.header(name, value),
        };
    }
    answer.body(Body::from(said[end + 4..].to_vec())).unwrap()
}

/// HMAC-SHA256, in hex.
pub fn mac(key: &str, body: &str) -> String {
    hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body.as_bytes()))
}
