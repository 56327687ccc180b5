//! A SQLite file: making one, refusing a damaged one, opening it, its schema and its backups.

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs, io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};
use tradewind_model::time::Timestamp;

use crate::{
    error::{Result, StoreError},
    migrate::{self, Applied, Dialect, Schema, Step},
    store::random,
};

/// Files up to this size are read through when they are opened (about 0.1 s); damage in larger ones shows when it is met.
const READ_THROUGH_BYTES: u64 = 64 << 20;
const READERS: u32 = 8;

/// Rows that wait between the thread that reads and who takes them: a reading of everything is not held up by handing over.
const ROWS_AHEAD: usize = 1_024;

/// The one writer and the readers.
pub(crate) async fn open(path: &Path, now: Timestamp, schema: Schema<'_>) -> Result<(SqlitePool, SqlitePool)> {
    match fs::metadata(path) {
        Ok(meta) => {
            let applied = inspect(path, meta.len()).await?;
            let pending = migrate::pending(schema.steps, &applied)?;
            if !pending.is_empty() {
                upgrade(path, now, &pending, schema.floor).await?;
            }
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(path, now, schema).await?,
        Err(e) => return Err(failed(path, e)),
    }

    let pool =
        SqlitePoolOptions::new().max_lifetime(None).test_before_acquire(false).acquire_timeout(Duration::from_secs(30));
    let refuse = |e| StoreError::driver("open", e);
    let writer =
        pool.clone().max_connections(1).idle_timeout(None).connect_with(options(path)).await.map_err(refuse)?;
    let readers = pool
        .max_connections(READERS)
        .idle_timeout(Some(Duration::from_secs(60)))
        .after_release(|conn, _| Box::pin(async move { Ok(send(conn, "ROLLBACK").await.is_ok()) }))
        .connect_with(options(path).pragma("query_only", "ON").row_buffer_size(ROWS_AHEAD))
        .await
        .map_err(refuse)?;
    Ok((writer, readers))
}

/// The same, unable to change anything. The writer is there because a store has one; it refuses.
pub(crate) async fn open_to_read(path: &Path, steps: &[Step]) -> Result<(SqlitePool, SqlitePool)> {
    let size = fs::metadata(path).map_err(|e| failed(path, e))?.len();
    migrate::complete(steps, &inspect(path, size).await?)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(10))
        .row_buffer_size(ROWS_AHEAD);
    let writer = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .after_release(|conn, _| Box::pin(async move { Ok(send(conn, "ROLLBACK").await.is_ok()) }))
        .connect_with(options)
        .await
        .map_err(|e| StoreError::driver("open", e))?;
    Ok((writer, readers))
}

/// A transaction of ours and not of the driver's: SQLite ends one by itself where the disk is full, and the driver, which
/// counts along, would then hand out a connection that is useless for good.
pub(crate) struct SqliteTx {
    pub conn: PoolConnection<Sqlite>,
    /// A writer's that has neither committed nor rolled back. A reader's is rolled back as its connection goes back.
    open: bool,
}

impl SqliteTx {
    pub async fn write(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut tx = Self { conn: pool.acquire().await?, open: true };
        send(&mut tx.conn, "BEGIN IMMEDIATE").await?;
        Ok(tx)
    }

    pub async fn read(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut tx = Self { conn: pool.acquire().await?, open: false };
        send(&mut tx.conn, "BEGIN").await?;
        Ok(tx)
    }

    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        send(&mut self.conn, "COMMIT").await?;
        self.open = false;
        Ok(())
    }

    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        if self.open {
            send(&mut self.conn, "ROLLBACK").await?;
            self.open = false;
        }
        Ok(())
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if self.open {
            self.conn.close_on_drop();
        }
    }
}

async fn send(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(conn).await.map(|_| ())
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
}

async fn connect(options: SqliteConnectOptions) -> Result<SqliteConnection> {
    options.connect().await.map_err(|e| StoreError::driver("open", e))
}

async fn close(conn: SqliteConnection) -> Result<()> {
    conn.close().await.map_err(|e| StoreError::driver("open", e))
}

fn failed(path: &Path, e: io::Error) -> StoreError {
    StoreError::io(format!("{} cannot be used: {e}", path.display()), e)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|f| f.sync_all()).map_err(|e| failed(folder, e))
}

/// Builds the database beside its name and links it there when it is whole, so that an empty or half-made file under
/// that name is always damage and never a beginning.
async fn create(path: &Path, now: Timestamp, schema: Schema<'_>) -> Result<()> {
    let new = beside(path, ".new");
    for leftover in [&new, &beside(&new, "-journal")] {
        match fs::remove_file(leftover) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(leftover, e)),
            _ => {}
        }
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(|e| failed(&new, e))?;
    let mut conn = connect(options(&new).journal_mode(SqliteJournalMode::Delete)).await?;
    sqlx::raw_sql(migrate::STEPS_TABLE).execute(&mut conn).await.map_err(|e| StoreError::driver("create", e))?;
    for step in schema.steps {
        apply(&mut conn, step, now, schema.floor).await?;
    }
    close(conn).await?;
    fs::File::open(&new).and_then(|f| f.sync_all()).map_err(|e| failed(&new, e))?;
    fs::hard_link(&new, path).map_err(|e| failed(path, e))?;
    fs::remove_file(&new).map_err(|e| failed(&new, e))?;
    sync_folder_of(path)
}

/// The steps that were applied to what is there. Refuses what is no whole database of ours, without writing to it.
async fn inspect(path: &Path, size: u64) -> Result<Applied> {
    let name = path.display();
    // Never opened by ourselves: closing a file drops the locks that SQLite has on it elsewhere in this process.
    if size == 0 {
        return Err(StoreError::corrupt(format!("{name} is empty")));
    }
    let refuse = |e| StoreError::driver("inspect", e);
    // Read-only: even closing a writing connection could fold a log into a file that is not to be touched.
    let mut conn = connect(SqliteConnectOptions::new().filename(path).read_only(true)).await?;
    if size <= READ_THROUGH_BYTES {
        let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut conn).await.map_err(refuse)?;
        if found != "ok" {
            return Err(StoreError::corrupt(format!("{name}: {found}")));
        }
    }
    let ours: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_steps'")
        .fetch_one(&mut conn)
        .await
        .map_err(refuse)?;
    if ours == 0 {
        return Err(StoreError::corrupt(format!("{name} is not a database of Tradewind")));
    }
    let steps = sqlx::query_as(migrate::APPLIED.sql).fetch_all(&mut conn).await.map_err(refuse)?;
    let has_floor: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_floor'")
        .fetch_one(&mut conn)
        .await
        .map_err(refuse)?;
    let floor = match has_floor {
        0 => None,
        _ => sqlx::query_scalar(migrate::OLDEST.sql).fetch_optional(&mut conn).await.map_err(refuse)?,
    };
    close(conn).await?;
    Ok(Applied { steps, floor })
}

async fn upgrade(path: &Path, now: Timestamp, pending: &[&Step], floor: i64) -> Result<()> {
    let mut conn = connect(options(path)).await?;
    if let Some(first) = pending.first() {
        back_up(&mut conn, &beside(path, &format!(".before-step-{}", first.number))).await?;
    }
    for step in pending {
        apply(&mut conn, step, now, floor).await?;
        tracing::info!(step = step.number, name = step.name, "schema step applied");
    }
    close(conn).await
}

/// A whole copy under `to`. One that is there already was made before the same step, so it is as good.
async fn back_up(conn: &mut SqliteConnection, to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    // Two processes may be at it.
    let half = beside(to, &format!(".part-{:016x}", random()));
    let name = half.to_str().ok_or_else(|| failed(&half, io::ErrorKind::InvalidFilename.into()))?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name.to_owned()).execute(conn).await;
    let kept = copied.map_err(|e| StoreError::driver("backup", e)).and_then(|_| {
        fs::set_permissions(&half, fs::Permissions::from_mode(0o600)).map_err(|e| failed(&half, e))?;
        fs::File::open(&half).and_then(|f| f.sync_all()).map_err(|e| failed(&half, e))?;
        fs::rename(&half, to).map_err(|e| failed(to, e))
    });
    if kept.is_err()
        && let Err(e) = fs::remove_file(&half)
    {
        tracing::debug!(error = %e, "half a copy was left behind");
    }
    kept?;
    sync_folder_of(to)
}

/// A whole copy of an open database, as of one moment, whatever is written meanwhile.
pub(crate) async fn copy(readers: &SqlitePool, to: &Path) -> Result<()> {
    let options = (*readers.connect_options()).clone().pragma("query_only", "OFF");
    let mut conn = connect(options).await?;
    back_up(&mut conn, to).await?;
    close(conn).await
}

/// Of the file as it will be once its log is folded in.
pub(crate) async fn bytes(readers: &SqlitePool) -> Result<u64> {
    let refuse = |e| StoreError::driver("size", e);
    let mut conn = readers.acquire().await.map_err(refuse)?;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *conn).await.map_err(refuse)?;
    let page: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut *conn).await.map_err(refuse)?;
    Ok(pages.unsigned_abs() * page.unsigned_abs())
}

/// Reads every page and index.
pub(crate) async fn examine(readers: &SqlitePool) -> Result<()> {
    let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(readers)
        .await
        .map_err(|e| StoreError::driver("integrity_check", e))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::corrupt(found)) }
}

async fn apply(conn: &mut SqliteConnection, step: &Step, now: Timestamp, floor: i64) -> Result<()> {
    let refuse = |e| StoreError::driver("migrate", e);
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.map_err(refuse)?;
    // Another process may have been faster.
    let applied: Vec<(i64, String)> = sqlx::query_as(migrate::APPLIED.sql).fetch_all(&mut *tx).await.map_err(refuse)?;
    if applied.iter().any(|(number, _)| *number == step.number) {
        return Ok(());
    }
    sqlx::raw_sql(AssertSqlSafe(step.text(Dialect::Sqlite))).execute(&mut *tx).await.map_err(refuse)?;
    sqlx::query(migrate::RECORD.sql)
        .bind(step.number)
        .bind(step.name)
        .bind(step.checksum())
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(refuse)?;
    if step.raises() {
        sqlx::query(migrate::RAISE.sql).bind(floor).execute(&mut *tx).await.map_err(refuse)?;
    }
    tx.commit().await.map_err(refuse)
}
