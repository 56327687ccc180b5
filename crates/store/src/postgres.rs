//! A PostgreSQL database: opening it and its schema.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use std::time::Duration;
use tradewind_model::time::Timestamp;

use crate::{
    error::{Result, StoreError},
    migrate::{self, Applied, Dialect, Schema, Step},
};

/// Names our schema lock among the advisory locks of the database.
const SCHEMA_LOCK: i64 = 0x7477_5f73_6368_656d;

pub(crate) async fn open(url: &str, now: Timestamp, schema: Schema<'_>) -> Result<PgPool> {
    let refuse = |e| StoreError::driver("open", e);
    let mut conn = PgConnection::connect(url).await.map_err(refuse)?;
    // Two servers may start at once: the second waits and finds the work done.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(SCHEMA_LOCK).execute(&mut conn).await.map_err(refuse)?;
    bring_up(&mut conn, now, schema).await?;
    conn.close().await.map_err(refuse)?;
    PgPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(30)).connect(url).await.map_err(refuse)
}

pub(crate) async fn open_to_read(url: &str, steps: &[Step]) -> Result<PgPool> {
    let refuse = |e| StoreError::driver("open", e);
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(30))
        .connect(url)
        .await
        .map_err(refuse)?;
    let ours: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('schema_steps')::text").fetch_one(&pool).await.map_err(refuse)?;
    if ours.is_none() {
        return Err(StoreError::corrupt("the database is not one of Tradewind"));
    }
    let applied = applied(&mut *pool.acquire().await.map_err(refuse)?).await?;
    migrate::complete(steps, &applied)?;
    Ok(pool)
}

async fn applied(conn: &mut PgConnection) -> Result<Applied> {
    let refuse = |e| StoreError::driver("inspect", e);
    let steps = sqlx::query_as(migrate::APPLIED.sql).fetch_all(&mut *conn).await.map_err(refuse)?;
    let has_floor: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('schema_floor')::text").fetch_one(&mut *conn).await.map_err(refuse)?;
    let floor = match has_floor {
        None => None,
        Some(_) => sqlx::query_scalar(migrate::OLDEST.sql).fetch_optional(&mut *conn).await.map_err(refuse)?,
    };
    Ok(Applied { steps, floor })
}

async fn bring_up(conn: &mut PgConnection, now: Timestamp, schema: Schema<'_>) -> Result<()> {
    let refuse = |e| StoreError::driver("migrate", e);
    sqlx::raw_sql(migrate::STEPS_TABLE).execute(&mut *conn).await.map_err(refuse)?;
    let applied = applied(conn).await?;
    for step in migrate::pending(schema.steps, &applied)? {
        let mut tx = conn.begin().await.map_err(refuse)?;
        sqlx::raw_sql(AssertSqlSafe(step.text(Dialect::Postgres))).execute(&mut *tx).await.map_err(refuse)?;
        sqlx::query(migrate::RECORD.sql)
            .bind(step.number)
            .bind(step.name)
            .bind(step.checksum())
            .bind(now.0)
            .execute(&mut *tx)
            .await
            .map_err(refuse)?;
        if step.raises() {
            sqlx::query(migrate::RAISE.sql).bind(schema.floor).execute(&mut *tx).await.map_err(refuse)?;
        }
        tx.commit().await.map_err(refuse)?;
        tracing::info!(step = step.number, name = step.name, "schema step applied");
    }
    Ok(())
}

pub(crate) async fn bytes(pool: &PgPool) -> Result<u64> {
    let size: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
        .fetch_one(pool)
        .await
        .map_err(|e| StoreError::driver("size", e))?;
    Ok(size.unsigned_abs())
}
