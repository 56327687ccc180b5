//! An edge, an agent, instances and clients.
#![allow(dead_code)]

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, client::conn::http1 as client, server::conn::http1 as server, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Lines},
    net::{
        TcpListener, TcpStream, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
    time::timeout,
};
use tradewind_edge::{Sockets, Worker, WorkerConfig};
use tradewind_model::{
    id::{InstanceId, RevisionId},
    protocol::edge::{FULL_SHARE, FromEdge, Mode, Route, RouteLimits, Split, Stats, Sticky, Table, Target, ToEdge},
};

/// Only ever reached when something hangs.
pub const HANG: Duration = Duration::from_secs(60);
pub const HOST: &str = "shop.example.com";
pub const PROBE: &str = "probe-token";

pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match timeout(HANG, future).await {
        Ok(out) => out,
        Err(_) => panic!("hangs: {what}"),
    }
}

/// Looks until it holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    within(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

pub fn revision(n: u64) -> RevisionId {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

// ---------------------------------------------------------------- instances

pub type Answer = Pin<Box<dyn Future<Output = Response<BoxBody<Bytes, Infallible>>> + Send>>;

pub fn full(body: impl Into<Bytes>) -> BoxBody<Bytes, Infallible> {
    Full::new(body.into()).boxed()
}

pub fn text(body: impl Into<Bytes>) -> Response<BoxBody<Bytes, Infallible>> {
    Response::new(full(body))
}

/// An instance: an HTTP server on a port of its own.
pub struct Instance {
    pub id: InstanceId,
    pub addr: SocketAddr,
    pub requests: Arc<AtomicU64>,
    pub connections: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Instance {
    pub async fn start(answer: impl Fn(Request<Incoming>) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (requests, connections) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let answer = Arc::new(answer);
        let task = tokio::spawn({
            let (requests, connections) = (requests.clone(), connections.clone());
            async move {
                let mut served = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, SeqCst);
                    let (answer, requests) = (answer.clone(), requests.clone());
                    served.spawn(async move {
                        let service = service_fn(move |request| {
                            requests.fetch_add(1, SeqCst);
                            let answer = answer(request);
                            async move { Ok::<_, Infallible>(answer.await) }
                        });
                        let _ = server::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .with_upgrades()
                            .await;
                    });
                }
            }
        });
        Self { id: instance_id(), addr, requests, connections, task }
    }

    /// Answers with this text.
    pub async fn named(name: &'static str) -> Self {
        Self::start(move |_| Box::pin(async move { text(name) })).await
    }

    pub fn target(&self) -> Target {
        Target { instance: self.id, addr: self.addr }
    }

    pub fn requests(&self) -> u64 {
        self.requests.load(SeqCst)
    }

    /// Gone, with all its connections.
    pub async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

pub fn instance_id() -> InstanceId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-7000-9000-{:012x}", NEXT.fetch_add(1, SeqCst)).parse().unwrap()
}

/// A raw TCP instance: what it does with a connection is up to the test.
pub async fn raw_instance<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Target
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Target { instance: instance_id(), addr }
}

/// An address nobody listens at.
pub async fn nobody() -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Target { instance: instance_id(), addr: listener.local_addr().unwrap() }
}

/// Reads one request's head; what follows stays in the stream's buffer of the system.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(b) => head.push(b),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

// ---------------------------------------------------------------- tables

pub fn split(n: u64, weight: u32, targets: &[Target]) -> Split {
    Split { revision: revision(n), label: format!("v{n}"), weight, targets: targets.to_vec() }
}

pub fn route(splits: Vec<Split>) -> Route {
    Route {
        id: "shop/production/default".into(),
        hosts: vec![HOST.into()],
        path_prefix: "/".into(),
        mode: Mode::Serve,
        sticky: Sticky::None,
        salt: "rollout-1".into(),
        splits,
        limits: RouteLimits::default(),
        health: None,
        trial: None,
    }
}

/// All traffic to these.
pub fn route_to(targets: &[Target]) -> Route {
    route(vec![split(1, FULL_SHARE, targets)])
}

pub fn table(version: u64, routes: Vec<Route>) -> Table {
    Table { version, routes, probe_token: PROBE.into() }
}

// ---------------------------------------------------------------- the edge

pub struct Edge {
    pub dir: TempDir,
    pub addr: SocketAddr,
    pub addr_tls: SocketAddr,
    pub worker: Option<Worker>,
    pub sockets: Sockets,
}

impl Edge {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut WorkerConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let sockets = Sockets::bind(&[any], Some(any)).unwrap().with_https(&[any]).unwrap();
        let (addr, addr_tls) = (sockets.http_addrs()[0], sockets.https_addrs()[0]);
        let mut edge = Self { dir, addr, addr_tls, worker: None, sockets };
        edge.worker = Some(edge.another(change, false));
        edge
    }

    /// One more worker on the same sockets and data folder.
    pub fn another(&self, change: impl FnOnce(&mut WorkerConfig), succeed: bool) -> Worker {
        let mut config = WorkerConfig::new(self.dir.path(), Vec::new());
        config.threads = 2;
        config.drain = HANG;
        change(&mut config);
        Worker::start(config, self.sockets.try_clone().unwrap(), succeed).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub async fn agent(&self) -> Agent {
        Agent::dial(&self.path("run/edge.sock")).await
    }

    pub async fn metrics(&self) -> String {
        let admin = self.sockets.admin.as_ref().unwrap().local_addr().unwrap();
        let mut client = Client::dial(admin).await;
        let response = client.send(Request::get("/metrics").header("host", "x").body(full("")).unwrap()).await.unwrap();
        response.body
    }

    pub async fn get(&self, path: &str) -> Reply {
        Client::dial(self.addr).await.get(path).await
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.retire();
        }
    }
}

/// The agent's end of the control socket.
pub struct Agent {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
    pub greeted: u64,
    pub pid: u32,
    /// What came while something else was waited for.
    pub heard: Vec<FromEdge>,
}

impl Agent {
    pub async fn dial(path: &std::path::Path) -> Self {
        let stream = UnixStream::connect(path).await.unwrap();
        let (reader, writer) = stream.into_split();
        let mut this = Self { lines: BufReader::new(reader).lines(), writer, greeted: 0, pid: 0, heard: Vec::new() };
        match this.next().await.expect("a greeting") {
            FromEdge::Hello { table, pid, .. } => (this.greeted, this.pid) = (table, pid),
            other => panic!("greeted with {other:?}"),
        }
        this.send(&ToEdge::Hello { protocol: 1 }).await;
        this
    }

    pub async fn send(&mut self, message: &ToEdge) {
        self.send_line(&serde_json::to_string(message).unwrap()).await;
    }

    pub async fn send_line(&mut self, line: &str) {
        self.writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// `None` when the edge closed the connection.
    pub async fn next(&mut self) -> Option<FromEdge> {
        let line = within("a message of the edge", self.lines.next_line()).await.ok()??;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The first message, heard already or to come, that `pick` takes.
    pub async fn wait<T>(&mut self, what: &str, pick: impl Fn(&FromEdge) -> Option<T>) -> T {
        if let Some(at) = self.heard.iter().position(|m| pick(m).is_some()) {
            return pick(&self.heard.remove(at)).unwrap();
        }
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("the edge hung up before: {what}"));
            match pick(&message) {
                Some(found) => return found,
                None => self.heard.push(message),
            }
        }
    }

    pub async fn acked(&mut self, version: u64) {
        self.wait("ack", |m| matches!(m, FromEdge::Ack { version: v } if *v == version).then_some(())).await;
    }

    pub async fn refused(&mut self) -> String {
        self.wait("refusal", |m| match m {
            FromEdge::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    pub async fn drained(&mut self, instance: InstanceId) {
        self.wait("drained", |m| matches!(m, FromEdge::Drained { instance: i } if *i == instance).then_some(())).await;
    }

    /// The first statistics from now on for which `enough` holds.
    pub async fn stats(&mut self, what: &str, enough: impl Fn(&Stats) -> bool) -> Stats {
        self.heard.retain(|m| !matches!(m, FromEdge::Stats(_)));
        self.wait(what, |m| match m {
            FromEdge::Stats(s) if enough(s) => Some(s.clone()),
            _ => None,
        })
        .await
    }

    /// Sends it and waits until it is in force.
    pub async fn put(&mut self, table: Table) {
        let version = table.version;
        self.send(&ToEdge::Table(table)).await;
        self.acked(version).await;
    }
}

// ---------------------------------------------------------------- clients

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
}

/// One client connection.
pub struct Client {
    sender: client::SendRequest<BoxBody<Bytes, Infallible>>,
}

impl Client {
    pub async fn dial(addr: SocketAddr) -> Self {
        Self::over(TcpStream::connect(addr).await.unwrap()).await
    }

    pub async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (sender, connection) = client::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        Self { sender }
    }

    pub async fn send(&mut self, request: Request<BoxBody<Bytes, Infallible>>) -> Result<Reply, hyper::Error> {
        within("an answer", async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Reply { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() })
        })
        .await
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(get(path)).await.unwrap()
    }

    /// On a connection of its own.
    pub async fn dial_and_get(addr: SocketAddr, path: &'static str) -> Reply {
        Self::dial(addr).await.get(path).await
    }

    pub async fn send_for_bytes(&mut self, request: Request<BoxBody<Bytes, Infallible>>) -> Bytes {
        within("an answer", async {
            let response = self.sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            response.into_body().collect().await.unwrap().to_bytes()
        })
        .await
    }
}

pub fn get(path: &str) -> Request<BoxBody<Bytes, Infallible>> {
    Request::get(path).header("host", HOST).body(full("")).unwrap()
}

/// Sends bytes and reads until the edge closes the connection.
pub async fn raw(addr: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is the other side's way of not reading the rest.
    let _ = within("the end of the connection", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}
