//! An edge that serves nothing but says what one says.

use futures_util::{SinkExt, StreamExt};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{broadcast, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_util::codec::{Framed, LinesCodec};
use tradewind_model::{
    id::InstanceId,
    protocol::{
        edge::{Certificates, FromEdge, Table, ToEdge},
        trial::UnitsTaken,
    },
};

pub struct FakeEdge {
    socket: PathBuf,
    state: Arc<State>,
    pub table: watch::Receiver<Table>,
    running: Option<JoinHandle<()>>,
}

struct State {
    table: watch::Sender<Table>,
    /// Every version that was taken up, in order.
    versions: Mutex<Vec<u64>>,
    /// The weights of each of them.
    shares: Mutex<Vec<Vec<u32>>>,
    /// Every instance that a table left out and the one before it did not.
    left: Mutex<Vec<InstanceId>>,
    /// Says that an instance that left has no requests left: at once, or when told.
    drains: Mutex<bool>,
    say: broadcast::Sender<FromEdge>,
    listen: Mutex<Vec<SocketAddr>>,
    /// What it was told to be safe.
    taken: watch::Sender<Vec<UnitsTaken>>,
    certificates: watch::Sender<Certificates>,
}

impl FakeEdge {
    pub fn start(socket: &Path) -> Self {
        let (table, table_rx) = watch::channel(Table::default());
        let state = State {
            table,
            versions: Mutex::default(),
            shares: Mutex::default(),
            left: Mutex::default(),
            drains: Mutex::new(true),
            say: broadcast::channel(16).0,
            listen: Mutex::default(),
            taken: watch::channel(Vec::new()).0,
            certificates: watch::channel(Certificates::default()).0,
        };
        let mut edge = Self { socket: socket.to_owned(), state: Arc::new(state), table: table_rx, running: None };
        edge.up();
        edge
    }

    pub fn up(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        let listener = UnixListener::bind(&self.socket).unwrap();
        let state = self.state.clone();
        self.running = Some(tokio::spawn(async move {
            let mut links = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                links.spawn(link(stream, state.clone()));
            }
        }));
    }

    /// As if killed; its last table stays on its disk.
    pub fn down(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }

    /// Whether it reports drained instances at once.
    pub fn drains(&self, at_once: bool) {
        *self.state.drains.lock().unwrap() = at_once;
    }

    pub fn say(&self, message: FromEdge) {
        self.state.say.send(message).unwrap();
    }

    /// Takes effect with the next link.
    pub fn listens_on(&self, addr: SocketAddr) {
        *self.state.listen.lock().unwrap() = vec![addr];
    }

    pub fn taken(&self) -> watch::Receiver<Vec<UnitsTaken>> {
        self.state.taken.subscribe()
    }

    pub fn certificates(&self) -> watch::Receiver<Certificates> {
        self.state.certificates.subscribe()
    }

    pub fn versions(&self) -> Vec<u64> {
        self.state.versions.lock().unwrap().clone()
    }

    /// Weights of every table, in order.
    pub fn shares(&self) -> Vec<Vec<u32>> {
        self.state.shares.lock().unwrap().clone()
    }

    /// Instances that were taken out of the table, ever.
    pub fn left(&self) -> Vec<InstanceId> {
        self.state.left.lock().unwrap().clone()
    }

    /// As if it had forgotten its table and another agent had given it this one.
    pub fn pretend_version(&self, version: u64) {
        self.state.table.send_modify(|t| t.version = version);
    }
}

fn instances(table: &Table) -> BTreeSet<InstanceId> {
    table.routes.iter().flat_map(|r| &r.splits).flat_map(|s| &s.targets).map(|t| t.instance).collect()
}

async fn link(stream: UnixStream, state: Arc<State>) {
    let mut stream = Framed::new(stream, LinesCodec::new());
    let mut say = state.say.subscribe();
    let hello: ToEdge = serde_json::from_str(&stream.next().await.unwrap().unwrap()).unwrap();
    assert_eq!(hello, ToEdge::Hello { protocol: 1 });
    let table = state.table.borrow().version;
    let listen = state.listen.lock().unwrap().clone();
    let mut answers = vec![FromEdge::Hello { protocol: 1, pid: std::process::id(), table, listen }];
    loop {
        for answer in answers.drain(..) {
            if stream.send(serde_json::to_string(&answer).unwrap()).await.is_err() {
                return;
            }
        }
        tokio::select! {
            Ok(message) = say.recv() => answers.push(message),
            line = stream.next() => {
                let Some(Ok(line)) = line else { return };
                let table = match serde_json::from_str(&line).unwrap() {
                    ToEdge::Table(table) => table,
                    ToEdge::UnitsTaken { taken } => {
                        state.taken.send_modify(|all| all.extend(taken));
                        continue;
                    }
                    ToEdge::Certificates(sent) => {
                        let shown = sent.chains.iter().map(|c| c.digest()).collect();
                        let challenges = sent.challenges.iter().map(|c| c.token.clone()).collect();
                        answers.push(FromEdge::Certificates { shown, challenges });
                        state.certificates.send_replace(sent);
                        continue;
                    }
                    ToEdge::Hello { .. } => continue,
                };
                let serving = state.table.borrow().clone();
                if table.version < serving.version {
                    let reason = "older".to_owned();
                    answers.push(FromEdge::Refused { version: table.version, serving: serving.version, reason });
                    continue;
                }
                let left: Vec<_> = instances(&serving).difference(&instances(&table)).copied().collect();
                state.left.lock().unwrap().extend(&left);
                state.versions.lock().unwrap().push(table.version);
                let weights = table.routes.iter().flat_map(|r| &r.splits).map(|s| s.weight).collect();
                state.shares.lock().unwrap().push(weights);
                answers.push(FromEdge::Ack { version: table.version });
                state.table.send_replace(table);
                if *state.drains.lock().unwrap() {
                    answers.extend(left.into_iter().map(|instance| FromEdge::Drained { instance }));
                }
            }
        }
    }
}
