//! A SQLite file: making one, refusing a damaged one, opening it, its schema and its backups.

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tradewind_model::time::Timestamp;

use crate::{
    error::{Result, StoreError},
    migrate::{self, Dialect, Step},
};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Files up to this size are read through when they are opened (about 0.1 s); damage in larger ones shows when it is met.
const READ_THROUGH_BYTES: u64 = 64 << 20;
const READERS: u32 = 4;

/// The one writer and the readers.
pub(crate) async fn open(path: &Path, now: Timestamp, steps: &[Step]) -> Result<(SqlitePool, SqlitePool)> {
    match fs::metadata(path) {
        Ok(meta) => refuse_damage(path, meta.len()).await?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(path, now, steps).await?,
        Err(e) => return Err(failed(path, e)),
    }
    let mut conn = connect(options(path)).await?;
    upgrade(&mut conn, path, now, steps).await?;
    close(conn).await?;

    let pool = SqlitePoolOptions::new()
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(30));
    let refuse = |e| StoreError::driver("open", e);
    let writer = pool.clone().max_connections(1).connect_with(options(path)).await.map_err(refuse)?;
    let readers = options(path).pragma("query_only", "ON");
    let readers = pool.max_connections(READERS).connect_with(readers).await.map_err(refuse)?;
    Ok((writer, readers))
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
async fn create(path: &Path, now: Timestamp, steps: &[Step]) -> Result<()> {
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
    for step in steps {
        apply(&mut conn, step, now).await?;
    }
    close(conn).await?;
    fs::File::open(&new).and_then(|f| f.sync_all()).map_err(|e| failed(&new, e))?;
    fs::hard_link(&new, path).map_err(|e| failed(path, e))?;
    fs::remove_file(&new).map_err(|e| failed(&new, e))?;
    sync_folder_of(path)
}

/// Refuses what is no whole database of ours, without writing to it.
async fn refuse_damage(path: &Path, size: u64) -> Result<()> {
    let name = path.display();
    let mut magic = [0; 16];
    let read = fs::File::open(path).and_then(|mut f| io::Read::read_exact(&mut f, &mut magic));
    match read {
        Ok(()) if &magic == MAGIC => {}
        Ok(()) => return Err(StoreError::corrupt(format!("{name} is not a database file"))),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(StoreError::corrupt(format!("{name} is cut short ({size} bytes)")));
        }
        Err(e) => return Err(failed(path, e)),
    }
    let refuse = |e| StoreError::driver("check", e);
    let mut conn = connect(options(path).pragma("query_only", "ON")).await?;
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
    close(conn).await?;
    if ours == 0 {
        return Err(StoreError::corrupt(format!("{name} is not a database of Tradewind")));
    }
    Ok(())
}

async fn upgrade(conn: &mut SqliteConnection, path: &Path, now: Timestamp, steps: &[Step]) -> Result<()> {
    let applied: Vec<(i64, String)> = sqlx::query_as(migrate::APPLIED.sql)
        .fetch_all(&mut *conn)
        .await
        .map_err(|e| StoreError::driver(migrate::APPLIED.name, e))?;
    let pending = migrate::pending(steps, &applied)?;
    if let Some(first) = pending.first() {
        back_up(conn, &beside(path, &format!(".before-step-{}", first.number))).await?;
    }
    for step in pending {
        apply(conn, step, now).await?;
        tracing::info!(step = step.number, name = step.name, "schema step applied");
    }
    Ok(())
}

/// A whole copy under `to`. One that is there already was made before the same step, so it is as good.
async fn back_up(conn: &mut SqliteConnection, to: &Path) -> Result<()> {
    if to.exists() {
        return Ok(());
    }
    let half = beside(to, ".part");
    match fs::remove_file(&half) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(&half, e)),
        _ => {}
    }
    let name = half.to_str().ok_or_else(|| failed(&half, io::ErrorKind::InvalidFilename.into()))?;
    sqlx::query("VACUUM INTO $1")
        .bind(name.to_owned())
        .execute(conn)
        .await
        .map_err(|e| StoreError::driver("backup", e))?;
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&half, fs::Permissions::from_mode(0o600)).map_err(|e| failed(&half, e))?;
    fs::File::open(&half).and_then(|f| f.sync_all()).map_err(|e| failed(&half, e))?;
    fs::rename(&half, to).map_err(|e| failed(to, e))?;
    sync_folder_of(to)
}

async fn apply(conn: &mut SqliteConnection, step: &Step, now: Timestamp) -> Result<()> {
    let refuse = |e| StoreError::driver("migrate", e);
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.map_err(refuse)?;
    sqlx::raw_sql(AssertSqlSafe(step.text(Dialect::Sqlite))).execute(&mut *tx).await.map_err(refuse)?;
    sqlx::query(migrate::RECORD.sql)
        .bind(step.number)
        .bind(step.name)
        .bind(step.checksum())
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(refuse)?;
    tx.commit().await.map_err(refuse)
}
