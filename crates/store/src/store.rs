//! [`Store`]: opened once a process, cloned freely.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tradewind_model::{
    id::OrgName,
    time::{Clock, Timestamp},
};

use crate::{
    conn::{Cause, Conn, Failed},
    error::{Result, StoreError},
    migrate, postgres,
    reserve::Reserve,
    sqlite::{self, SqliteTx},
    tx::{Snapshot, Tx},
};

/// How often a transaction that met another writer is tried before [`StoreError::Busy`] is told.
const ATTEMPTS: u32 = 24;

/// State, event log, leases. Clones share their connections.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    org: OrgName,
}

struct Shared {
    db: Db,
    /// None where the room is not ours to keep.
    reserve: Option<Reserve>,
    clock: Arc<dyn Clock>,
    commits: watch::Sender<u64>,
    head: watch::Sender<i64>,
    /// How long the last commits took.
    pace: Mutex<VecDeque<Duration>>,
    deaf: Deaf,
}

/// Commits that [`Store::pace`] speaks of.
const PACED: usize = 256;

/// How long commits take: of the last ones of this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    pub count: usize,
    pub median: Duration,
    pub slowest: Duration,
}

/// For tests of what happens when no event can be written.
#[derive(Default)]
struct Deaf {
    is: AtomicBool,
    /// Statements that changed state all the same, and were committed. With the reason given.
    changed: Mutex<Vec<(&'static str, &'static str)>>,
}

pub(crate) enum Db {
    Sqlite { writer: sqlx::SqlitePool, readers: sqlx::SqlitePool },
    Postgres(sqlx::PgPool),
}

/// Which database is behind a [`Store`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Store {
    /// `postgres://…`, or the path of a SQLite file, which is made where there is none (its folder must exist).
    ///
    /// Brings the schema up to date; an existing SQLite file is first copied to `PATH.before-step-N`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] and [`StoreError::SchemaNewer`] leave the database as it was found.
    pub async fn open(at: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_with(at, clock, migrate::OURS).await
    }

    /// With another schema than this program's: for tests of the steps themselves.
    #[doc(hidden)]
    pub async fn open_with(at: &str, clock: Arc<dyn Clock>, schema: migrate::Schema<'_>) -> Result<Self> {
        let (db, reserve) = if at.starts_with("postgres://") || at.starts_with("postgresql://") {
            (Db::Postgres(postgres::open(at, clock.now(), schema).await?), None)
        } else {
            let path = PathBuf::from(at.strip_prefix("sqlite:").unwrap_or(at));
            let (writer, readers) = sqlite::open(&path, clock.now(), schema).await?;
            (Db::Sqlite { writer, readers }, Some(Reserve::beside(&path)))
        };
        let shared = Shared {
            db,
            reserve,
            clock,
            commits: watch::Sender::new(0),
            head: watch::Sender::new(0),
            pace: Mutex::default(),
            deaf: Deaf::default(),
        };
        let store = Self { shared: Arc::new(shared), org: OrgName::default_org() };
        let (seq, _) = crate::events::seal::head(&mut store.read().await?).await?;
        store.publish_head(seq);
        store.refill_reserve().await;
        Ok(store)
    }

    /// For reading alone: nothing is made, brought up to date or locked, whether a server runs on it or not.
    ///
    /// # Errors
    /// As [`Store::open`]'s; [`StoreError::SchemaOlder`] where the database was not brought up to date.
    pub async fn open_to_read(at: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let db = if at.starts_with("postgres://") || at.starts_with("postgresql://") {
            Db::Postgres(postgres::open_to_read(at, migrate::STEPS).await?)
        } else {
            let path = PathBuf::from(at.strip_prefix("sqlite:").unwrap_or(at));
            let (writer, readers) = sqlite::open_to_read(&path, migrate::STEPS).await?;
            Db::Sqlite { writer, readers }
        };
        let shared = Shared {
            db,
            reserve: None,
            clock,
            commits: watch::Sender::new(0),
            head: watch::Sender::new(0),
            pace: Mutex::default(),
            deaf: Deaf::default(),
        };
        Ok(Self { shared: Arc::new(shared), org: OrgName::default_org() })
    }

    /// The same store, seeing another tenant's rows.
    pub fn for_org(&self, org: OrgName) -> Self {
        Self { shared: self.shared.clone(), org }
    }

    /// The tenant whose rows are seen.
    pub fn org(&self) -> &OrgName {
        &self.org
    }

    pub fn backend(&self) -> Backend {
        match self.shared.db {
            Db::Sqlite { .. } => Backend::Sqlite,
            Db::Postgres(_) => Backend::Postgres,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// For tests: from now on no event can be written, or again.
    #[doc(hidden)]
    pub fn refuse_events(&self, refuse: bool) {
        self.shared.deaf.is.store(refuse, Ordering::SeqCst);
    }

    /// For tests: what changed state while no event could be written, and the reason given for that.
    #[doc(hidden)]
    pub fn changed_untold(&self) -> Vec<(&'static str, &'static str)> {
        self.shared.deaf.changed.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// For [`transact!`](crate::transact): an open transaction, or the error to give up with.
    #[doc(hidden)]
    pub async fn begin_attempt(&self, attempt: &mut Attempt) -> Result<Tx> {
        loop {
            attempt.number += 1;
            match self.begin().await {
                Err(e) if e.is_busy() && !attempt.is_last() => attempt.stand_back().await,
                other => return other,
            }
        }
    }

    /// For [`transact!`](crate::transact): commits or undoes; `Continue` where everything has to be done again.
    #[doc(hidden)]
    pub async fn end_attempt<T, E: From<StoreError>>(
        &self,
        tx: Tx,
        answer: Result<T, E>,
        attempt: &Attempt,
    ) -> ControlFlow<Result<T, E>> {
        let urgent = tx.is_urgent();
        let (answer, cause) = match answer {
            Ok(answer) => match self.commit(tx).await {
                Ok(wake) => {
                    if wake {
                        self.shared.commits.send_modify(|n| *n += 1);
                    }
                    return ControlFlow::Break(Ok(answer));
                }
                Err(failed) => (Err(failed.error.into()), failed.cause),
            },
            Err(e) => (Err(e), tx.rollback().await),
        };
        let again = !attempt.is_last()
            && match cause {
                Cause::Contention => {
                    attempt.stand_back().await;
                    true
                }
                Cause::Full => urgent && self.spend_reserve().await,
                Cause::Other => false,
            };
        if again { ControlFlow::Continue(()) } else { ControlFlow::Break(answer) }
    }

    async fn commit(&self, tx: Tx) -> Result<bool, Failed> {
        let untold = tx.untold();
        let began = Instant::now();
        let wake = tx.commit().await?;
        self.note_pace(began.elapsed());
        if let Some(change) = untold {
            self.shared.deaf.changed.lock().unwrap_or_else(|e| e.into_inner()).push(change);
        }
        Ok(wake)
    }

    fn note_pace(&self, took: Duration) {
        let mut pace = self.shared.pace.lock().unwrap_or_else(|e| e.into_inner());
        if pace.len() == PACED {
            pace.pop_front();
        }
        pace.push_back(took);
    }

    /// None before the first commit.
    pub fn pace(&self) -> Option<Pace> {
        let mut last: Vec<_> = self.shared.pace.lock().unwrap_or_else(|e| e.into_inner()).iter().copied().collect();
        last.sort_unstable();
        Some(Pace { count: last.len(), median: *last.get(last.len() / 2)?, slowest: *last.last()? })
    }

    /// How large the database is, in bytes; what is not yet in its main file is not counted.
    pub async fn bytes(&self) -> Result<u64> {
        match &self.shared.db {
            Db::Sqlite { readers, .. } => sqlite::bytes(readers).await,
            Db::Postgres(pool) => postgres::bytes(pool).await,
        }
    }

    async fn spend_reserve(&self) -> bool {
        match &self.shared.reserve {
            Some(reserve) => reserve.spend().await,
            None => false,
        }
    }

    /// Sets room aside again, once there is plenty. The [`Sealer`](crate::events::Sealer) does so from time to time.
    pub(crate) async fn refill_reserve(&self) {
        if let Some(reserve) = &self.shared.reserve {
            reserve.refill().await;
        }
    }

    async fn begin(&self) -> Result<Tx> {
        let conn = match &self.shared.db {
            Db::Sqlite { writer, .. } => SqliteTx::write(writer).await.map(Conn::Sqlite),
            Db::Postgres(pool) => pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await.map(Conn::Postgres),
        };
        let conn = conn.map_err(|e| StoreError::driver("begin", e))?;
        Ok(Tx::new(conn, self.org.clone(), self.now(), self.shared.deaf.is.load(Ordering::SeqCst)))
    }

    /// One consistent moment to read from. Row functions take it as `&mut store.read().await?`. Hold one at a time: they
    /// are few.
    pub async fn read(&self) -> Result<Snapshot> {
        let conn = match &self.shared.db {
            Db::Sqlite { readers, .. } => SqliteTx::read(readers).await.map(Conn::Sqlite),
            Db::Postgres(pool) => {
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map(Conn::Postgres)
            }
        };
        let conn = conn.map_err(|e| StoreError::driver("begin", e))?;
        Ok(Snapshot::new(conn, self.org.clone()))
    }

    /// Changes with every commit of this process that wrote something. What another process commits is not seen here:
    /// whoever waits on it keeps a timer as well.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.shared.commits.subscribe()
    }

    /// The number of the last sealed event, as this process knows it; rises while a [`Sealer`](crate::events::Sealer)
    /// runs, by whichever process the events were sealed.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.shared.head.subscribe()
    }

    pub(crate) fn publish_head(&self, seq: i64) {
        self.shared.head.send_if_modified(|head| {
            let rises = seq > *head;
            *head = seq.max(*head);
            rises
        });
    }

    /// A whole copy of the database at this moment, at `to`, where nothing is yet. For SQLite alone: PostgreSQL brings its
    /// own program for it.
    ///
    /// # Errors
    /// [`StoreError::Full`]; [`StoreError::Io`] also on PostgreSQL.
    pub async fn copy_to(&self, to: &Path) -> Result<()> {
        match &self.shared.db {
            Db::Sqlite { readers, .. } => sqlite::copy(readers, to).await,
            Db::Postgres(_) => Err(not_a_file()),
        }
    }

    /// Reads all of the database file and its indexes.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first thing that is wrong; [`StoreError::Io`] on PostgreSQL.
    pub async fn examine(&self) -> Result<()> {
        match &self.shared.db {
            Db::Sqlite { readers, .. } => sqlite::examine(readers).await,
            Db::Postgres(_) => Err(not_a_file()),
        }
    }

    /// The last step of the schema that this program knows, and the database has once it is open.
    pub fn schema() -> i64 {
        migrate::STEPS.last().map_or(0, |s| s.number)
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        match &self.shared.db {
            Db::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

fn not_a_file() -> StoreError {
    StoreError::Io { what: "a PostgreSQL database is no file".into(), source: "use pg_dump".into() }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("backend", &self.backend()).field("org", &self.org).finish_non_exhaustive()
    }
}

/// How often a transaction was tried.
#[doc(hidden)]
#[derive(Default)]
pub struct Attempt {
    number: u32,
}

impl Attempt {
    fn is_last(&self) -> bool {
        self.number >= ATTEMPTS
    }

    /// Longer with every attempt, and never the same for two writers.
    async fn stand_back(&self) {
        let ceiling = 2_u64 << self.number.min(7);
        tokio::time::sleep(Duration::from_millis(random() % ceiling)).await;
    }
}

/// Changes state: runs the body with a write transaction and commits what it did, with the events it wrote.
///
/// `transact!(store, tx => { …; Ok(answer) })`, inside an async function; `tx` is a `&mut Tx`, the body's `?` and
/// `return` end the body alone, and the value is the body's `Result<T, E>` with any `E: From<StoreError>`.
///
/// Where another writer was in the way, everything is undone and the body runs again: it must do nothing but talk to
/// the transaction, and load inside what it changes. An error undoes everything.
///
/// Besides the body's own errors: [`StoreError::EventMissing`] where state changed and nothing tells of it.
///
/// It is a macro and not a method because the future of an `AsyncFnMut` cannot be required to be `Send` yet.
#[macro_export]
macro_rules! transact {
    ($store:expr, $tx:ident => $body:expr) => {{
        let store: &$crate::Store = &$store;
        let mut attempt = $crate::Attempt::default();
        loop {
            match store.begin_attempt(&mut attempt).await {
                Err(e) => break Err(::core::convert::From::from(e)),
                Ok(mut open) => {
                    let answer = {
                        let $tx: &mut $crate::Tx = &mut open;
                        async { $body }.await
                    };
                    match store.end_attempt(open, answer, &attempt).await {
                        ::core::ops::ControlFlow::Break(answer) => break answer,
                        ::core::ops::ControlFlow::Continue(()) => {}
                    }
                }
            }
        }
    }};
}

/// Different on every call; not for secrets.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::hash::RandomState::new().build_hasher().finish()
}
