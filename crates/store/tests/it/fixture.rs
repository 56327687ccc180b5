//! What a contract is given: a store on a fresh database, and a clock that moves when told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tradewind_model::{
    event::{Actor, NewEvent},
    id::{Commit, Digest, EnvName, HostId, Place, RevisionId, ServiceName, SiteName},
    release::{BundleRef, ReleaseManifest},
    time::{Clock, Timestamp},
};
use tradewind_store::{Store, StoreError, events::Sealer, rows, transact};

use crate::cluster::Cluster;

/// 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp(1_767_225_600_000_000);

pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START.0)))
    }
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
    pub fn go_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

pub struct Fixture {
    pub store: Store,
    pub clock: Arc<HandClock>,
    /// What to open for a second store on the same database.
    pub at: String,
    /// One for the whole test: with a clock that stands still, its lease on PostgreSQL never runs out.
    sealer: tokio::sync::Mutex<Sealer>,
    _folder: Option<tempfile::TempDir>,
}

impl Fixture {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("tradewind.db").to_str().unwrap().to_owned();
        Self::open(at, Some(folder)).await
    }

    pub async fn postgres(cluster: &Cluster) -> Self {
        Self::open(cluster.database().await, None).await
    }

    async fn open(at: String, folder: Option<tempfile::TempDir>) -> Self {
        let clock = HandClock::new();
        let store = Store::open(&at, clock.clone()).await.unwrap();
        let sealer = tokio::sync::Mutex::new(Sealer::new(store.clone()));
        Self { store, clock, at, sealer, _folder: folder }
    }

    /// Another process, as far as the database can tell.
    pub async fn second(&self) -> Store {
        Store::open(&self.at, self.clock.clone()).await.unwrap()
    }

    pub async fn seal(&self) -> u64 {
        self.sealer.lock().await.seal_now().await.unwrap()
    }

    /// Runs a statement that is not the store's: what an intruder or a fault would do.
    pub async fn tamper(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql);
        if self.at.starts_with("postgres") {
            use sqlx::Connection as _;
            let mut c = sqlx::PgConnection::connect(&self.at).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut c).await.unwrap();
        } else {
            use sqlx::ConnectOptions as _;
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(&self.at)
                .busy_timeout(Duration::from_secs(10))
                .foreign_keys(false);
            let mut c = options.connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut c).await.unwrap();
            sqlx::Connection::close(c).await.unwrap();
        }
    }

    pub async fn with_service(&self, name: &str) -> ServiceName {
        let name: ServiceName = name.parse().unwrap();
        add_service(&self.store, &name).await.unwrap();
        name
    }

    pub async fn with_host(&self, name: &str) -> HostId {
        let id = HostId::at(self.store.now());
        let done: Result<(), StoreError> = transact!(self.store, tx => {
            rows::hosts::insert(tx, id, name, &Digest::of(name.as_bytes())).await?;
            tx.event(event("host.enrolled", "host/x")).await?;
            Ok(())
        });
        done.unwrap();
        id
    }

    pub async fn with_release(&self, service: &ServiceName, spec: &str) -> Digest {
        let manifest = manifest(service, spec);
        let done: Result<_, StoreError> = transact!(self.store, tx => {
            tx.event(event("release.created", "release/x")).await?;
            rows::releases::insert(tx, &manifest, None).await
        });
        done.unwrap().0.digest
    }

    pub async fn with_revision(&self, place: &Place, release: Digest) -> RevisionId {
        let id = RevisionId::at(self.store.now());
        let done: Result<_, StoreError> = transact!(self.store, tx => {
            let new = rows::revisions::NewRevision {
                id, place: place.clone(), release, label: "v1".into(), config_version: 1,
                kind: "web".into(),
            };
            tx.event(event("revision.created", "revision/x")).await?;
            rows::revisions::insert(tx, new).await
        });
        done.unwrap().id
    }
}

pub async fn add_service(store: &Store, name: &ServiceName) -> Result<(), StoreError> {
    transact!(store, tx => {
        let new = rows::services::NewService {
            name: name.clone(),
            owner: "orders team".into(),
            default_branch: "main".into(),
            created_by: someone(),
        };
        rows::services::insert(tx, new).await?;
        tx.event(NewEvent { service: Some(name.to_string()), ..event("service.created", &format!("service/{name}")) })
            .await?;
        Ok(())
    })
}

pub fn someone() -> Actor {
    Actor::named("wei")
}

pub fn event(kind: &str, subject: &str) -> NewEvent {
    NewEvent {
        kind: kind.into(),
        schema: 1,
        actor: someone(),
        subject: subject.into(),
        cause: None,
        service: None,
        env: None,
        before: None,
        after: None,
    }
}

pub fn place(service: &ServiceName) -> Place {
    Place { service: service.clone(), env: production(), site: SiteName::default_site() }
}

pub fn production() -> EnvName {
    "production".parse().unwrap()
}

pub fn commit() -> Commit {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

pub fn manifest(service: &ServiceName, spec: &str) -> ReleaseManifest {
    ReleaseManifest {
        version: 1,
        service: service.clone(),
        commit: commit(),
        bundle: BundleRef { digest: Digest::of(spec.as_bytes()), size: 1234 },
        spec: spec.into(),
        files: vec![],
    }
}
