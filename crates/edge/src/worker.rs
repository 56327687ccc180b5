//! The worker: everything that serves requests, in one process.

use crate::{
    access_log::{AccessLog, Log},
    admin,
    clients::ClientRules,
    clock::Uptime,
    control::{Control, Links},
    disk::{self, Home},
    error::EdgeError,
    handover,
    health::Checks,
    link::listen_at,
    proxy::Proxy,
    serve::{self, Door},
    shard,
    sockets::Sockets,
    succession::{self, Handed, ToOld},
    switch::Switch,
    tls::{Certificates, Tls},
    units::{MOST_CLIENTS, Pending, Trials},
};
use std::{
    fs::File,
    io::Write,
    net::SocketAddr,
    os::fd::{FromRawFd, OwnedFd},
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    runtime,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tradewind_model::time::{Clock, SystemClock};

/// Set for a worker that is to take over from the one that serves.
pub const SUCCEED_VAR: &str = "TRADEWIND_EDGE_SUCCEED";
/// A descriptor to write one byte to when requests are served.
pub const READY_VAR: &str = "TRADEWIND_EDGE_READY_FD";

/// Tasks run between two looks for new events; a request is about five of them.
const EVENT_INTERVAL: u32 = 256;

/// How long the control loop may take to say what it has counted last.
const LAST_WORDS: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The data folder.
    pub data: PathBuf,
    /// Bound only when no sockets were inherited.
    pub listen: Vec<SocketAddr>,
    /// The same with TLS.
    pub listen_tls: Vec<SocketAddr>,
    /// Certificates that other programs keep, see `tls::Folder`.
    pub certificates: Option<PathBuf>,
    /// Where `/metrics` is served.
    pub admin: Option<SocketAddr>,
    /// Serving threads; 0 is one for each core.
    pub threads: usize,
    pub access_log: AccessLog,
    /// How long a worker that stops waits for its clients.
    pub drain: Duration,
    pub clients: ClientRules,
    /// Clients remembered for each trial at most; beyond it fewer are looked at. 24 bytes each.
    pub trial_clients: usize,
}

impl WorkerConfig {
    pub fn new(data: impl Into<PathBuf>, listen: Vec<SocketAddr>) -> Self {
        Self {
            data: data.into(),
            listen,
            listen_tls: Vec::new(),
            certificates: None,
            admin: None,
            threads: 0,
            access_log: AccessLog::Off,
            drain: Duration::from_secs(60),
            clients: ClientRules::default(),
            trial_clients: MOST_CLIENTS,
        }
    }

    fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }
}

/// Runs a worker with inherited or fresh sockets until it is told to stop (SIGTERM, SIGINT, or by its successor) and its
/// clients are gone.
pub fn worker(config: WorkerConfig) -> Result<(), EdgeError> {
    let sockets = match Sockets::inherited()? {
        Some(sockets) => sockets,
        None => Sockets::bind(&config.listen, config.admin)?.with_https(&config.listen_tls)?,
    };
    let succeed = std::env::var_os(SUCCEED_VAR).is_some();
    raise_file_limit();
    let mut worker = Worker::start(config, sockets, succeed)?;
    tell_ready();
    let signals = runtime::Builder::new_current_thread().enable_all().build().map_err(EdgeError::Start)?;
    signals.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate()).map_err(EdgeError::Start)?;
        let mut int = signal(SignalKind::interrupt()).map_err(EdgeError::Start)?;
        loop {
            tokio::select! {
                _ = term.recv() => worker.retire(),
                _ = int.recv() => worker.retire(),
                result = worker.ended() => return result,
            }
        }
    })
}

/// A worker on threads of its own.
pub struct Worker {
    listen: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    retire: CancellationToken,
    ended: oneshot::Receiver<Result<(), EdgeError>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Returns when requests are served. With `succeed` it takes over from the worker that serves from the same data
    /// folder, if there is one.
    pub fn start(config: WorkerConfig, sockets: Sockets, succeed: bool) -> Result<Self, EdgeError> {
        let listen = sockets.http_addrs();
        let admin = sockets.admin_addr();
        let retire = CancellationToken::new();
        let (ready, wait_ready) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("edge-control".into())
            .spawn({
                let retire = retire.clone();
                move || {
                    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                        Ok(runtime) => runtime,
                        Err(e) => return drop(ready.send(Err(EdgeError::Start(e)))),
                    };
                    let result = runtime.block_on(async {
                        match begin(&config, sockets, succeed, retire).await {
                            Ok(running) => {
                                drop(ready.send(Ok(())));
                                running.until_ended(config.drain).await
                            }
                            Err(e) => {
                                drop(ready.send(Err(e)));
                                Ok(())
                            }
                        }
                    });
                    drop(end.send(result));
                }
            })
            .map_err(EdgeError::Start)?;
        wait_ready.recv().map_err(|_| EdgeError::Died)??;
        Ok(Self { listen, admin, retire, ended, thread: Some(thread) })
    }

    pub fn listen(&self) -> &[SocketAddr] {
        &self.listen
    }

    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Stops accepting and lets clients go.
    pub fn retire(&self) {
        self.retire.cancel();
    }

    /// Resolves when it served its last.
    pub async fn ended(&mut self) -> Result<(), EdgeError> {
        (&mut self.ended).await.unwrap_or(Err(EdgeError::Died))
    }

    /// Waits for its end.
    pub fn join(mut self) -> Result<(), EdgeError> {
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| EdgeError::Died)?;
        }
        self.ended.try_recv().unwrap_or(Err(EdgeError::Died))
    }
}

struct Running {
    proxy: Arc<Proxy>,
    retire: CancellationToken,
    finish: CancellationToken,
    control: tokio::task::JoinHandle<()>,
    threads: Vec<JoinHandle<()>>,
}

async fn begin(
    config: &WorkerConfig,
    sockets: Sockets,
    succeed: bool,
    retire: CancellationToken,
) -> Result<Running, EdgeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let home = Home::at(&config.data);
    home.create().map_err(EdgeError::Folder)?;
    let key = disk::client_id_key(&home.client_id_key()).map_err(EdgeError::Key)?;
    let uptime = Arc::new(Uptime::start(&*clock));
    let log = Log::open(config.access_log, &home.access_log(), uptime.clone()).map_err(EdgeError::AccessLog)?;
    let tls = Arc::new(Tls::new().map_err(EdgeError::Tls)?);
    let mut rules = config.clients.clone();
    if sockets.https.is_empty() {
        rules.redirect_to = None;
    }
    let proxy = Arc::new(Proxy::new(&key, uptime, log, rules, tls.clone()));

    let threads = config.threads();
    let (events, mut inbox) = mpsc::channel(1_024);
    let (emptied_tx, emptied) = mpsc::unbounded_channel();
    let (health_tx, health) = mpsc::unbounded_channel();
    let epoch = format!("{}-{:x}", std::process::id(), clock.now().0);
    let trials = Trials::new(&epoch, threads, config.trial_clients);
    let mut switch = Switch::new(proxy.clone(), threads, Checks::new(health_tx), home.clone(), emptied_tx, trials);
    let handed = match succeed {
        true => {
            succession::succeed(&home.control(), events.clone(), &mut inbox).await.map_err(EdgeError::Succession)?
        }
        false => None,
    };
    let (predecessor, handed) = match handed {
        Some((predecessor, handed)) => (Some(predecessor), Some(handed)),
        None => (None, load(&home).map(|kept| Handed { kept, ..Handed::default() })),
    };
    let mut pending = Pending::default();
    if let Some(Handed { kept, drained, memories, ticks }) = handed {
        pending.add(ticks);
        if let Err(fault) = switch.restore(kept, drained, memories) {
            tracing::error!(%fault, "the kept table is not valid any more; waiting for the agent's");
        }
    }

    let finish = CancellationToken::new();
    let mut certificates =
        Certificates::new(tls.clone(), &home, config.certificates.clone(), !sockets.https.is_empty());
    certificates.begin().await;
    let serving = start_threads(threads, &proxy, &tls, &sockets, &retire, &finish)?;
    let (scrapes_tx, scrapes) = mpsc::channel(8);
    if let Some(listener) = &sockets.admin {
        let listener = listener.try_clone().map_err(EdgeError::Start)?;
        tokio::spawn(admin::serve(listener, scrapes_tx, retire.clone()));
    }
    let listener = listen_at(&home.control()).map_err(|source| EdgeError::Socket { path: home.control(), source })?;
    let listen = sockets.http_addrs();
    handover::offer(&home, sockets, retire.clone())?;
    if let Some(predecessor) = &predecessor {
        predecessor.link.send(&ToOld::Retire);
    }
    let control = Control {
        proxy: proxy.clone(),
        switch,
        epoch,
        pending,
        clock,
        listen,
        listener: Some(listener),
        predecessor,
        retire: retire.clone(),
        events,
        inbox,
        emptied,
        health,
        scrapes,
        links: Links::default(),
        certificates,
    };
    let control = tokio::spawn(control.run(finish.clone()));
    Ok(Running { proxy, retire, finish, control, threads: serving })
}

/// A kept table that cannot be read is not served, and not a reason not to start: the agent has it.
fn load(home: &Home) -> Option<disk::Kept> {
    disk::load_table(&home.table()).unwrap_or_else(|error| {
        tracing::error!(%error, "the kept table cannot be read; waiting for the agent's");
        None
    })
}

fn start_threads(
    count: usize,
    proxy: &Arc<Proxy>,
    tls: &Arc<Tls>,
    sockets: &Sockets,
    stop: &CancellationToken,
    finish: &CancellationToken,
) -> Result<Vec<JoinHandle<()>>, EdgeError> {
    (0..count)
        .map(|index| {
            let sockets = sockets.try_clone().map_err(EdgeError::Start)?;
            let (proxy, tls, stop, finish) = (proxy.clone(), tls.clone(), stop.clone(), finish.clone());
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .event_interval(EVENT_INTERVAL)
                .build()
                .map_err(EdgeError::Start)?;
            std::thread::Builder::new()
                .name(format!("edge-{index}"))
                .spawn(move || {
                    shard::claim(index);
                    runtime.block_on(async {
                        let http = sockets.http.into_iter().map(|l| (l, Door::Http));
                        let https = sockets.https.into_iter().map(|l| (l, Door::Https(tls.clone())));
                        for (listener, door) in http.chain(https) {
                            tokio::spawn(serve::accept(proxy.clone(), listener, door, stop.clone()));
                        }
                        finish.cancelled().await;
                    });
                })
                .map_err(EdgeError::Start)
        })
        .collect()
}

impl Running {
    /// Serves until told to retire, then until clients are gone or `drain` is over.
    async fn until_ended(self, drain: Duration) -> Result<(), EdgeError> {
        self.retire.cancelled().await;
        self.proxy.retire();
        let activity = &self.proxy.activity;
        if timeout(drain, activity.quiet()).await.is_err() {
            let (connections, tunnels) = (activity.connections(), activity.tunnels());
            tracing::warn!(connections, tunnels, "drain time is over: closing what is left");
            self.proxy.over.cancel();
            drop(timeout(Duration::from_secs(1), activity.quiet()).await);
        }
        self.finish.cancel();
        let mut control = self.control;
        if timeout(LAST_WORDS, &mut control).await.is_err() {
            control.abort();
        }
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || threads.into_iter().try_for_each(JoinHandle::join)).await;
        if let Some(log) = &self.proxy.log {
            log.flush();
        }
        match joined {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(EdgeError::Died),
        }
    }
}

fn tell_ready() {
    let Some(fd) = std::env::var(READY_VAR).ok().and_then(|v| v.parse().ok()) else { return };
    // SAFETY: the parent names a descriptor it left open for this; it is used once.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    drop(File::from(fd).write_all(b"1"));
}

/// Every client and every upstream connection is a file.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
