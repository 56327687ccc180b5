//! Transactions: [`Tx`] changes state and writes events, [`Snapshot`] reads one consistent moment.

use std::future::Future;
use tradewind_model::{
    event::NewEvent,
    id::{EventId, OrgName},
    time::Timestamp,
};

use crate::{
    conn::{Cause, Conn, Failed},
    error::{Result, StoreError},
    stmt::Stmt,
    value::{Row, Value},
};

/// What row functions read through: inside a write transaction or outside.
pub trait Reader: Send {
    /// The tenant whose rows are seen.
    fn org(&self) -> &OrgName;

    fn fetch_all(&mut self, stmt: &'static Stmt, args: Vec<Value>) -> impl Future<Output = Result<Vec<Row>>> + Send;

    fn fetch_opt(&mut self, stmt: &'static Stmt, args: Vec<Value>) -> impl Future<Output = Result<Option<Row>>> + Send {
        async move { Ok(self.fetch_all(stmt, args).await?.into_iter().next()) }
    }

    /// A row that is there by construction (an aggregate, a `RETURNING`).
    fn fetch_one(&mut self, stmt: &'static Stmt, args: Vec<Value>) -> impl Future<Output = Result<Row>> + Send {
        async move {
            let row = self.fetch_opt(stmt, args).await?;
            row.ok_or_else(|| StoreError::corrupt(format!("{} gave no row", stmt.name)))
        }
    }
}

/// A write transaction. It sees and makes changes as if it were alone, on both databases.
pub struct Tx {
    conn: Conn,
    org: OrgName,
    now: Timestamp,
    events: u32,
    /// The first statement that changed state and has to be told of.
    loud: Option<&'static str>,
    /// Why no event has to tell of what changed.
    excused: Option<&'static str>,
    wrote: bool,
    hushed: bool,
    urgent: bool,
    /// No event can be written: see [`Store::refuse_events`](crate::Store::refuse_events).
    deaf: bool,
    /// Why the first statement that failed did.
    failed: Option<Cause>,
}

impl Tx {
    pub(crate) fn new(conn: Conn, org: OrgName, now: Timestamp, deaf: bool) -> Self {
        Self {
            conn,
            org,
            now,
            events: 0,
            loud: None,
            excused: None,
            wrote: false,
            hushed: false,
            urgent: false,
            deaf,
            failed: None,
        }
    }

    /// One time for everything in this transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Writes a fact beside the rows it tells of. It is sealed (numbered and chained) shortly after the commit.
    pub async fn event(&mut self, event: NewEvent) -> Result<EventId> {
        if self.deaf {
            let refused = StoreError::io("no event can be written", std::io::ErrorKind::Other.into());
            return self.settle(Err(refused.into()));
        }
        let id = crate::events::write::insert(self, event).await?;
        self.events += 1;
        Ok(id)
    }

    /// Lets this transaction commit a change of state that no event tells of; `reason` is for the reader of the code.
    pub fn without_event(&mut self, reason: &'static str) {
        debug_assert!(!reason.is_empty());
        self.excused = Some(reason);
    }

    /// This transaction must not fail for want of room (nothing blocks a rollback): where the disk is full, the room set
    /// aside for that is given up and the transaction runs again.
    pub fn urgent(&mut self) {
        self.urgent = true;
    }

    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// The first statement that changed state while no event could be written, and why that was let be.
    pub(crate) fn untold(&self) -> Option<(&'static str, &'static str)> {
        self.loud.filter(|_| self.deaf).map(|statement| (statement, self.excused.unwrap_or_default()))
    }

    /// Nobody is woken by this commit.
    pub(crate) fn hush(&mut self) {
        self.hushed = true;
    }

    /// Rows changed.
    pub(crate) async fn execute(&mut self, stmt: &'static Stmt, args: Vec<Value>) -> Result<u64> {
        self.admit(stmt)?;
        let done = self.conn.execute(stmt, args).await;
        let rows = self.settle(done)?;
        if rows > 0 {
            self.changed(stmt);
        }
        Ok(rows)
    }

    fn admit(&self, stmt: &'static Stmt) -> Result<()> {
        debug_assert!(!stmt.sql.is_empty());
        if self.failed.is_some() { Err(StoreError::Aborted) } else { Ok(()) }
    }

    fn changed(&mut self, stmt: &'static Stmt) {
        self.wrote = true;
        if stmt.quiet.is_none() {
            self.loud.get_or_insert(stmt.name);
        }
    }

    /// PostgreSQL gives a transaction up at its first error; so that both behave alike, so do we on SQLite.
    fn settle<T>(&mut self, done: Result<T, Failed>) -> Result<T> {
        done.map_err(|f| {
            self.failed.get_or_insert(f.cause);
            f.error
        })
    }

    /// Commits; true where someone should be woken.
    pub(crate) async fn commit(self) -> Result<bool, Failed> {
        let refused = match (self.failed, self.loud) {
            (Some(cause), _) => Some(Failed { error: StoreError::Aborted, cause }),
            (None, Some(statement)) if self.events == 0 && self.excused.is_none() => {
                Some(StoreError::EventMissing { statement }.into())
            }
            (None, _) => None,
        };
        if let Some(refused) = refused {
            self.rollback().await;
            return Err(refused);
        }
        let wake = self.wrote && !self.hushed;
        self.conn.commit().await?;
        Ok(wake)
    }

    /// Undoes everything; why it may have to.
    pub(crate) async fn rollback(self) -> Cause {
        self.conn.rollback().await;
        self.failed.unwrap_or(Cause::Other)
    }
}

impl Reader for Tx {
    fn org(&self) -> &OrgName {
        &self.org
    }

    async fn fetch_all(&mut self, stmt: &'static Stmt, args: Vec<Value>) -> Result<Vec<Row>> {
        self.admit(stmt)?;
        let done = self.conn.fetch_all(stmt, args).await;
        let rows = self.settle(done)?;
        if !stmt.is_read() && !rows.is_empty() {
            self.changed(stmt);
        }
        Ok(rows)
    }
}

/// One consistent moment of the database. Short-lived: a long one keeps SQLite's log from being folded back.
pub struct Snapshot {
    pub(crate) conn: Conn,
    org: OrgName,
}

impl Snapshot {
    pub(crate) fn new(conn: Conn, org: OrgName) -> Self {
        Self { conn, org }
    }
}

impl Reader for Snapshot {
    fn org(&self) -> &OrgName {
        &self.org
    }

    async fn fetch_all(&mut self, stmt: &'static Stmt, args: Vec<Value>) -> Result<Vec<Row>> {
        debug_assert!(stmt.is_read(), "{} writes", stmt.name);
        self.conn.fetch_all(stmt, args).await.map_err(|f| f.error)
    }
}
