//! A server with just what an agent asks of one. It can be taken away and brought back on the same port.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::codec::{Framed, LinesCodec};
use tradewind_model::{
    id::{Digest, HostId, TaskId},
    protocol::{
        agent::{Desired, FromAgent, Observed, ToAgent, UPGRADE},
        edge::KeyedChain,
    },
};
use uuid::Uuid;

pub const KEY: &str = "agent-key";

#[derive(Default)]
pub struct Stored {
    pub blobs: HashMap<Digest, Bytes>,
    /// `service/commit` to an uncompressed tar.
    pub sources: HashMap<String, Bytes>,
    pub certificates: HashMap<Digest, KeyedChain>,
    pub logs: BTreeMap<TaskId, Vec<u8>>,
    /// Fetches of each blob.
    pub fetched: HashMap<Digest, u32>,
}

pub struct FakeServer {
    pub addr: SocketAddr,
    pub stored: Arc<Mutex<Stored>>,
    pub observed: watch::Receiver<Observed>,
    said: Arc<Said>,
    running: Option<tokio::task::JoinHandle<()>>,
}

struct Said {
    desired: watch::Sender<Option<Desired>>,
    observed: watch::Sender<Observed>,
    /// Other messages of the agent.
    other: mpsc::UnboundedSender<FromAgent>,
    /// What is to be sent beside the desired state.
    asks: tokio::sync::broadcast::Sender<ToAgent>,
    stored: Arc<Mutex<Stored>>,
}

impl FakeServer {
    pub async fn start() -> (Self, mpsc::UnboundedReceiver<FromAgent>) {
        let stored = Arc::<Mutex<Stored>>::default();
        let (observed_tx, observed) = watch::channel(Observed::default());
        let (other, heard) = mpsc::unbounded_channel();
        let said = Arc::new(Said {
            desired: watch::channel(None).0,
            observed: observed_tx,
            other,
            asks: tokio::sync::broadcast::channel(16).0,
            stored: stored.clone(),
        });
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { addr, stored, observed, said, running: None };
        server.up().await;
        (server, heard)
    }

    pub async fn up(&mut self) {
        let listener = loop {
            match TcpListener::bind(self.addr).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        self.addr = listener.local_addr().unwrap();
        let said = self.said.clone();
        self.running = Some(tokio::spawn(async move {
            // Connections end with this task.
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let said = said.clone();
                connections.spawn(async move {
                    let upgraded = Arc::new(Mutex::new(None));
                    let keep = upgraded.clone();
                    let service = service_fn(move |request| answer(request, said.clone(), keep.clone()));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                    let stream = upgraded.lock().unwrap().take();
                    if let Some(session) = stream {
                        let session: futures_util::future::BoxFuture<'static, ()> = session;
                        session.await;
                    }
                });
            }
        }));
    }

    /// As if killed: the port is closed and every connection broken.
    pub fn down(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }

    pub fn want(&self, desired: Desired) {
        self.said.desired.send_replace(Some(desired));
    }

    pub fn ask(&self, message: ToAgent) {
        let _ = self.said.asks.send(message);
    }

    pub fn put(&self, bytes: Bytes) -> Digest {
        let digest = Digest::of(&bytes);
        self.stored.lock().unwrap().blobs.insert(digest, bytes);
        digest
    }
}

type Session = futures_util::future::BoxFuture<'static, ()>;

async fn answer(
    mut request: Request<Incoming>,
    said: Arc<Said>,
    upgraded: Arc<Mutex<Option<Session>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let status = |status| Ok(Response::builder().status(status).body(Full::default()).unwrap());
    if request.headers().get("authorization").is_none_or(|v| v != &format!("Bearer {KEY}")) {
        return status(StatusCode::UNAUTHORIZED);
    }
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let Some(rest) = path.strip_prefix("/api/v1/agent/") else { return status(StatusCode::NOT_FOUND) };
    if rest == "stream" {
        assert_eq!(request.headers()["upgrade"], UPGRADE);
        let on = hyper::upgrade::on(&mut request);
        *upgraded.lock().unwrap() = Some(Box::pin(async move {
            if let Ok(stream) = on.await {
                let _ = session(stream, said).await;
            }
        }));
        let response = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", UPGRADE);
        return Ok(response.body(Full::default()).unwrap());
    }
    if let Some(digest) = rest.strip_prefix("blobs/") {
        let digest: Digest = digest.parse().unwrap();
        if request.method() == Method::PUT {
            let bytes = request.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(Digest::of(&bytes), digest, "an upload must be what it says");
            said.stored.lock().unwrap().blobs.insert(digest, bytes);
            return status(StatusCode::NO_CONTENT);
        }
        let mut stored = said.stored.lock().unwrap();
        *stored.fetched.entry(digest).or_default() += 1;
        return match stored.blobs.get(&digest) {
            Some(bytes) => Ok(Response::new(Full::new(bytes.clone()))),
            None => status(StatusCode::NOT_FOUND),
        };
    }
    if let Some(digest) = rest.strip_prefix("certificates/") {
        return match said.stored.lock().unwrap().certificates.get(&digest.parse().unwrap()) {
            Some(chain) => Ok(Response::new(Full::new(serde_json::to_vec(chain).unwrap().into()))),
            None => status(StatusCode::NOT_FOUND),
        };
    }
    if let Some(source) = rest.strip_prefix("source/") {
        return match said.stored.lock().unwrap().sources.get(source) {
            Some(bytes) => Ok(Response::new(Full::new(bytes.clone()))),
            None => status(StatusCode::NOT_FOUND),
        };
    }
    if let Some(task) = rest.strip_prefix("tasks/").and_then(|r| r.strip_suffix("/log")) {
        let task: TaskId = task.parse().unwrap();
        let offset: usize = query.strip_prefix("offset=").unwrap().parse().unwrap();
        let bytes = request.into_body().collect().await.unwrap().to_bytes();
        let mut stored = said.stored.lock().unwrap();
        let log = stored.logs.entry(task).or_default();
        if offset > log.len() {
            return status(StatusCode::CONFLICT);
        }
        let known = log.len() - offset;
        let both = known.min(bytes.len());
        assert!(log[offset..offset + both] == bytes[..both], "a log must not change its past");
        if bytes.len() > known {
            log.extend_from_slice(&bytes[known..]);
        }
        return status(StatusCode::NO_CONTENT);
    }
    status(StatusCode::NOT_FOUND)
}

async fn session(stream: hyper::upgrade::Upgraded, said: Arc<Said>) -> Result<(), tokio_util::codec::LinesCodecError> {
    let mut stream = Framed::new(TokioIo::new(stream), LinesCodec::new_with_max_length(64 << 20));
    let mut desired = said.desired.subscribe();
    let mut asks = said.asks.subscribe();
    let hello: FromAgent = serde_json::from_str(&stream.next().await.unwrap()?).unwrap();
    let FromAgent::Hello { generation, .. } = &hello else { panic!("{hello:?} is no greeting") };
    let generation = *generation;
    let _ = said.other.send(hello);
    let welcome = ToAgent::Welcome { protocol: 1, host: HostId(Uuid::nil()) };
    stream.send(serde_json::to_string(&welcome).unwrap()).await?;
    if desired.borrow().as_ref().is_some_and(|d| d.generation >= generation) {
        desired.mark_changed();
    }
    loop {
        tokio::select! {
            _ = desired.changed() => {
                let desired = desired.borrow_and_update().clone();
                if let Some(desired) = desired {
                    stream.send(serde_json::to_string(&ToAgent::Desired(Box::new(desired))).unwrap()).await?;
                }
            }
            Ok(ask) = asks.recv() => stream.send(serde_json::to_string(&ask).unwrap()).await?,
            line = stream.next() => match line {
                None => return Ok(()),
                Some(line) => match serde_json::from_str(&line?).unwrap() {
                    FromAgent::Observed(observed) => { said.observed.send_replace(*observed); }
                    other => { let _ = said.other.send(other); }
                }
            }
        }
    }
}
