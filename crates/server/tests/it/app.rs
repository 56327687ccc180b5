//! A server of a test's own: real SQLite, real git, real sockets.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tradewind_api::{
    ApiError, Client,
    v1::{CreateToken, NewToken, Scope},
};
use tradewind_control::audit::Settings;
use tradewind_model::time::{Clock, SystemClock, Timestamp};
use tradewind_outbound::Guard;
use tradewind_server::{App, KeySource, Server, ServerConfig, admin};

/// The machine's clock, moved by hand.
#[derive(Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn forward(&self, by: Duration) {
        self.0.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}

pub struct TestApp {
    pub addr: SocketAddr,
    /// Where it listens for TLS.
    pub secure: Option<SocketAddr>,
    pub app: App,
    pub clock: Arc<TestClock>,
    pub admin: NewToken,
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
    data: Option<TempDir>,
}

impl TestApp {
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tw").tempdir().unwrap();
        Self::start_in(folder).await
    }

    pub async fn start_in(folder: TempDir) -> Self {
        Self::start_as(folder, |_| ()).await
    }

    pub async fn start_with(folder: TempDir, audit: Settings, outbound: Guard) -> Self {
        Self::start_as(folder, |config| (config.audit, config.outbound) = (audit, outbound)).await
    }

    /// With other settings than a test usually has.
    pub async fn start_as(folder: TempDir, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let filter = tracing_subscriber::EnvFilter::try_from_default_env();
        let filter = filter.unwrap_or_else(|_| "warn".into());
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let clock = Arc::new(TestClock::default());
        let mut config = ServerConfig {
            data: folder.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            database: None,
            vault: KeySource::File(folder.path().join("vault.key")),
            exe: env!("CARGO_BIN_EXE_tradewind-git-hook").into(),
            tls: None,
            backups: None,
            audit: Settings::default(),
            outbound: Guard::default(),
            public_url: Some("https://deploy.example.com".into()),
            authority: None,
        };
        change(&mut config);
        let server = Server::open(config, clock.clone()).await.unwrap();
        let (addr, secure, app) = (server.addr(), server.secure_addr(), server.app().clone());
        let asked = CreateToken {
            name: "admin".into(),
            scopes: vec![Scope::Admin],
            expires_in_s: None,
            ..CreateToken::default()
        };
        let admin = admin::mint_token(&app.store, &asked).await.unwrap();
        let stop = CancellationToken::new();
        let running = Some(tokio::spawn(server.run(stop.clone())));
        Self { addr, secure, app, clock, admin, stop, running, data: Some(folder) }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    pub fn data(&self) -> &Path {
        &self.app.config.data
    }

    /// The typed client, as admin.
    pub fn client(&self) -> Client {
        self.client_as(&self.admin.token)
    }

    pub fn client_as(&self, token: &str) -> Client {
        Client::new(&self.base()).unwrap().with_token(token).unwrap()
    }

    /// A token's text.
    pub async fn token(&self, scope: Scope) -> String {
        let asked = CreateToken { name: format!("{scope}@test"), scopes: vec![scope], ..CreateToken::default() };
        self.client().create_token(&asked).await.unwrap().token
    }

    /// Stops the server as a signal would, and gives the folder back.
    pub async fn stop(mut self) -> TempDir {
        self.stop.cancel();
        let running = self.running.take().unwrap();
        tokio::time::timeout(Duration::from_secs(60), running).await.expect("the server does not stop").unwrap();
        self.data.take().unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Plain HTTP, where the typed client would hide what is tested.
pub fn http() -> reqwest::Client {
    // It never speaks TLS here, and wants to know all the same with what it would.
    let _ = rustls::crypto::CryptoProvider::install_default((*tradewind_tls::provider()).clone());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Waits for something that will be true, with a guard against waiting for ever.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never came: {what}");
}

/// The code of a refusal; anything else is a mistake of the test.
pub fn code_of<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> String {
    answer.unwrap_err().problem().expect("a refusal").code.clone()
}
