//! The server, put together.

use crate::{
    App, ServerConfig,
    app::Parts,
    backup, git,
    http::{
        idempotency::UnderWay,
        layers,
        route::{self, BadRoute},
        serve,
    },
    routes,
    tls::{Tls, TlsError},
};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tradewind_control::{
    Ctx,
    audit::{Audit, keys::KeyError},
    certificates::{self, Keeper},
    forges,
    housekeeping::Collector,
    rollouts,
    runs::Runs,
    secrets,
};
use tradewind_model::time::Clock;
use tradewind_outbound::Outbound;
use tradewind_store::{Blobs, Hold, Logs, Store, StoreError, events::Sealer};

/// How long requests under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the folder {} cannot be used", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot listen on {addr}")]
    Listen { addr: SocketAddr, source: io::Error },
    #[error("cannot make the socket {}", path.display())]
    Socket { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a route is declared wrongly")]
    Route(#[from] BadRoute),
    #[error("checkpoints of the event log cannot be signed")]
    Audit(#[from] KeyError),
    #[error("the API cannot be served over TLS")]
    Tls(#[from] TlsError),
    #[error("git cannot be used")]
    Git(#[from] git::GitError),
}

/// A server that listens and does not answer yet.
pub struct Server {
    app: App,
    listener: TcpListener,
    secure: Option<(TcpListener, Arc<Tls>)>,
    hooks: UnixListener,
    addr: SocketAddr,
}

impl Server {
    /// Opens the data folder, makes what is missing in it, and takes the address.
    ///
    /// # Errors
    /// With a route that is declared wrongly, a folder or an address that cannot be had, a store that cannot be read, or
    /// without git.
    pub async fn open(config: ServerConfig, clock: Arc<dyn Clock>) -> Result<Self, ServeError> {
        route::check(&routes::all())?;
        let version = git::repo::program_version().await?;
        tracing::debug!(version, "git");
        for (path, mode) in [
            (config.data.clone(), 0o711),
            (config.repositories(), 0o700),
            (config.hooks(), 0o700),
            (config.blobs(), 0o700),
            (config.logs(), 0o700),
            (config.keys(), 0o700),
            (config.data.join("run"), 0o711),
        ] {
            folder(&path, mode)?;
        }
        git::hook::install(&config.hooks()).map_err(|source| ServeError::Folder { path: config.hooks(), source })?;
        let logs = Logs::open(&config.logs())?;
        let blobs = Blobs::open(&config.blobs())?;
        let store = Store::open(&config.database_at(), clock).await?;
        let socket = config.hook_socket();
        let hooks = git::hooks::bind(&socket).map_err(|source| ServeError::Socket { path: socket.clone(), source })?;
        let (listener, addr) = listen(config.listen).await?;
        let secure = match &config.tls {
            Some(tls) => {
                let shown = Tls::open(tls, &config.data, &config.keys(), store.now())?;
                Some((listen(tls.addr).await?.0, Arc::new(shown)))
            }
            None => None,
        };
        let remote = git::Remote::new(config.repositories(), config.hooks(), config.exe.clone(), socket);
        let repositories = config.repositories();
        remote.repos.clear_unfinished().map_err(|source| ServeError::Folder { path: repositories, source })?;
        let vault = secrets::open_vault(&store, config.vault.clone()).await?;
        let ctx = Ctx::new(store.clone()).with_vault(vault);
        let audit = Audit::open(ctx.clone(), &config.keys(), config.audit.clone()).await?;
        let keys = config.keys();
        let keeper = Keeper::open(&keys).map_err(|source| ServeError::Folder { path: keys, source })?;
        let collector = Collector::new(ctx.clone(), blobs.clone(), Hold::of(&config.data));
        let app = App::new(Parts {
            keeper,
            collector,
            config: Arc::new(config),
            runs: Runs::new(ctx.clone(), logs),
            audit,
            ctx,
            store,
            blobs,
            git: remote,
            throttle: Arc::default(),
            accounts: Arc::default(),
            hooks: Arc::default(),
            under_way: UnderWay::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        Ok(Self { app, listener, secure, hooks, addr })
    }

    /// Where it listens, with the port that was given for port 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens for TLS, likewise.
    pub fn secure_addr(&self) -> Option<SocketAddr> {
        self.secure.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `stop`, then lets what is under way come to its end.
    pub async fn run(self, stop: CancellationToken) {
        let Self { app, listener, secure, hooks, addr } = self;
        let router = layers::router(&app, routes::all());
        let sealing = CancellationToken::new();
        let sealer = tokio::spawn(Sealer::new(app.store.clone()).run(sealing.clone().cancelled_owned()));
        let answering = app.clone();
        let hooked =
            tokio::spawn(git::hooks::listen(hooks, app.stop.clone(), app.tasks.clone(), move |ask, teller| {
                git::answer::answer(answering.clone(), ask, teller)
            }));
        let pushed = tokio::spawn(git::reconcile::run(app.clone()));
        let outbound = Outbound::new(app.config.outbound.clone());
        let fetched = tokio::spawn(git::forge::run(app.clone(), outbound.clone()));
        let asking = app
            .config
            .authority
            .clone()
            .map(|authority| tokio::spawn(certificates::acme::run(app.ctx.clone(), app.keeper.clone(), authority)));
        let backing_up =
            app.config.backups.clone().map(|schedule| tokio::spawn(backup::schedule::run(app.clone(), schedule)));
        let reconcilers = [
            tokio::spawn(rollouts::reconcile::run(app.ctx.clone())),
            tokio::spawn(app.runs.clone().reconciler()),
            tokio::spawn(app.collector.clone().run()),
            tokio::spawn(app.audit.clone().notary()),
            tokio::spawn(forges::statuses::courier(app.ctx.clone(), outbound.clone(), app.config.public_url.clone())),
            tokio::spawn(app.audit.clone().courier(outbound)),
            tokio::spawn(app.audit.clone().retention()),
            tokio::spawn(certificates::watchman(app.ctx.clone())),
        ];
        tracing::info!(%addr, "listening");

        let served = TaskTracker::new();
        if let Some((listener, tls)) = secure {
            served.spawn(tls.clone().renewed(app.store.clone(), app.stop.clone()));
            served.spawn(serve::connections(listener, Some(tls), router.clone(), app.stop.clone(), GRACE));
        }
        served.spawn(serve::connections(listener, None, router, app.stop.clone(), GRACE));
        stop.cancelled().await;
        tracing::info!("stopping");
        app.stop.cancel();
        served.close();
        served.wait().await;
        let _ = tokio::join!(hooked, pushed, fetched);
        for reconciler in reconcilers.into_iter().chain(asking).chain(backing_up) {
            // A decision is one transaction: it is made or it is not.
            reconciler.abort();
            let _ = reconciler.await;
        }
        app.tasks.close();
        if tokio::time::timeout(GRACE, app.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = app.tasks.len(), "work is left behind; it resumes at the next start");
        }
        // Last, so that the events of what has just ended are sealed.
        sealing.cancel();
        let _ = sealer.await;
        app.store.close().await;
    }
}

/// Opens and runs a server: for `tradewind server`.
///
/// # Errors
/// Those of [`Server::open`].
pub async fn serve(config: ServerConfig, clock: Arc<dyn Clock>, stop: CancellationToken) -> Result<(), ServeError> {
    Server::open(config, clock).await?.run(stop).await;
    Ok(())
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let cannot = |source| ServeError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(cannot)?;
    let addr = listener.local_addr().map_err(cannot)?;
    Ok((listener, addr))
}

fn folder(path: &Path, mode: u32) -> Result<(), ServeError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(|source| ServeError::Folder { path: path.to_owned(), source })
}
