//! One open transaction on either database: binding, sending, fetching. The only place that talks to the drivers.

use futures_util::{StreamExt, stream::BoxStream};
use sqlx::{Arguments, Postgres, Transaction, postgres::PgArguments, sqlite::SqliteArguments};

use crate::{
    error::{Result, StoreError},
    sqlite::SqliteTx,
    stmt::Stmt,
    value::{Cells, Row, Value},
};

pub(crate) enum Conn {
    Sqlite(SqliteTx),
    Postgres(Transaction<'static, Postgres>),
}

/// A failure together with what may help against it.
pub(crate) struct Failed {
    pub error: StoreError,
    pub cause: Cause,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// Another writer: do the whole transaction again.
    Contention,
    /// No room: make some.
    Full,
    Other,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        let cause = match &error {
            StoreError::Busy(_) => Cause::Contention,
            StoreError::Full(_) => Cause::Full,
            _ => Cause::Other,
        };
        Self { error, cause }
    }
}

fn failed(stmt: &'static str, e: sqlx::Error) -> Failed {
    StoreError::driver(stmt, e).into()
}

fn sqlite_args(stmt: &Stmt, values: Vec<Value>) -> Result<SqliteArguments, Failed> {
    let mut out = SqliteArguments::default();
    for v in values {
        match v {
            Value::I64(x) => out.add(x),
            Value::Text(x) => out.add(x),
            Value::Blob(x) => out.add(x),
        }
        .map_err(|e| failed(stmt.name, sqlx::Error::Encode(e)))?;
    }
    Ok(out)
}

fn pg_args(stmt: &Stmt, values: Vec<Value>) -> Result<PgArguments, Failed> {
    let mut out = PgArguments::default();
    for v in values {
        match v {
            Value::I64(x) => out.add(x),
            Value::Text(x) => out.add(x),
            Value::Blob(x) => out.add(x),
        }
        .map_err(|e| failed(stmt.name, sqlx::Error::Encode(e)))?;
    }
    Ok(out)
}

impl Conn {
    pub async fn execute(&mut self, stmt: &'static Stmt, values: Vec<Value>) -> Result<u64, Failed> {
        let done = match self {
            Self::Sqlite(tx) => {
                let args = sqlite_args(stmt, values)?;
                sqlx::query_with(stmt.sql, args).execute(&mut *tx.conn).await.map(|d| d.rows_affected())
            }
            Self::Postgres(tx) => {
                let args = pg_args(stmt, values)?;
                sqlx::query_with(stmt.sql, args).execute(&mut **tx).await.map(|d| d.rows_affected())
            }
        };
        done.map_err(|e| failed(stmt.name, e))
    }

    pub async fn fetch_all(&mut self, stmt: &'static Stmt, values: Vec<Value>) -> Result<Vec<Row>, Failed> {
        let rows = match self {
            Self::Sqlite(tx) => {
                let args = sqlite_args(stmt, values)?;
                let rows = sqlx::query_with(stmt.sql, args).fetch_all(&mut *tx.conn).await;
                rows.map(|rows| rows.into_iter().map(|r| Row { cells: Cells::Sqlite(r), stmt }).collect())
            }
            Self::Postgres(tx) => {
                let args = pg_args(stmt, values)?;
                let rows = sqlx::query_with(stmt.sql, args).fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(|r| Row { cells: Cells::Postgres(r), stmt }).collect())
            }
        };
        rows.map_err(|e| failed(stmt.name, e))
    }

    /// Rows one by one, for answers that do not fit in memory.
    pub fn stream(&mut self, stmt: &'static Stmt, values: Vec<Value>) -> Result<BoxStream<'_, Result<Row>>> {
        let refuse = move |e| StoreError::driver(stmt.name, e);
        Ok(match self {
            Self::Sqlite(tx) => {
                let args = sqlite_args(stmt, values).map_err(|f| f.error)?;
                let rows = sqlx::query_with(stmt.sql, args).fetch(&mut *tx.conn);
                rows.map(move |r| r.map(|r| Row { cells: Cells::Sqlite(r), stmt }).map_err(refuse)).boxed()
            }
            Self::Postgres(tx) => {
                let args = pg_args(stmt, values).map_err(|f| f.error)?;
                let rows = sqlx::query_with(stmt.sql, args).fetch(&mut **tx);
                rows.map(move |r| r.map(|r| Row { cells: Cells::Postgres(r), stmt }).map_err(refuse)).boxed()
            }
        })
    }

    pub async fn commit(self) -> Result<(), Failed> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .map_err(|e| failed("commit", e))
    }

    /// A failure here leaves nothing behind either: the connection is discarded.
    pub async fn rollback(self) {
        let done = match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        };
        if let Err(e) = done {
            tracing::debug!(error = %e, "a transaction was abandoned without an answer");
        }
    }
}
