//! Values on their way into the database and rows on their way out. Columns are i64, text or bytes, nothing else.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};
use std::str::FromStr;
use tradewind_model::{event::Actor, id, time::Timestamp};

use crate::{
    error::{Result, StoreError},
    stmt::Stmt,
};

/// An argument. NULL is typed, because PostgreSQL wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    I64(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

/// `args![id, now, name]`: what a statement's `$1`, `$2`, `$3` stand for.
macro_rules! args {
    ($($x:expr),* $(,)?) => { vec![$($crate::value::Value::from($x)),*] };
}
pub(crate) use args;

macro_rules! values {
    ($variant:ident: $($t:ty => $f:expr),* $(,)?) => {$(
        impl From<$t> for Value {
            fn from(x: $t) -> Self { Self::$variant(Some(($f)(x))) }
        }
        impl From<Option<$t>> for Value {
            fn from(x: Option<$t>) -> Self { Self::$variant(x.map($f)) }
        }
    )*};
}

values! { I64: i64 => |x| x, u32 => i64::from, bool => i64::from, Timestamp => |t: Timestamp| t.0 }
values! { Text: &str => str::to_owned, String => |s| s, &String => String::clone, Json => |j: Json| j.0, &Json => |j: &Json| j.0.clone(),
&Actor => |a: &Actor| Json::of(a).0 }
values! { Blob: Vec<u8> => |b| b, &[u8] => <[u8]>::to_vec }

macro_rules! texts {
    ($($t:ty),* $(,)?) => { values! { Text: $($t => |x: $t| x.to_string(), &$t => |x: &$t| x.to_string()),* } };
}
texts! {
    id::RunId, id::JobId, id::RevisionId, id::RolloutId, id::InstanceId, id::TaskId, id::HostId, id::EventId, id::TokenId, id::FreezeId,
    id::UserId, id::GroupId, id::GrantId, id::InvitationId, id::SessionId,
    id::SecretId, id::LinkId, id::DeliveryId,
    id::OrgName, id::ServiceName, id::EnvName, id::SiteName, id::Digest, id::Commit,
}

/// A value that belongs to the caller, as the text that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// # Panics
    /// When `x` cannot be JSON at all (a map with keys that are no strings).
    pub fn of<T: Serialize + ?Sized>(x: &T) -> Self {
        Self(serde_json::to_string(x).expect("a stored value serializes"))
    }
    /// # Errors
    /// [`StoreError::Corrupt`] where the text is not a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0)
            .map_err(|e| StoreError::unreadable(format!("a stored {}", std::any::type_name::<T>()), e))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// `{}`.
    pub fn empty() -> Self {
        Self("{}".into())
    }
}

/// A row of either database.
pub struct Row {
    pub(crate) cells: Cells,
    pub(crate) stmt: &'static Stmt,
}

pub(crate) enum Cells {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    fn unreadable(&self, column: &str, e: impl Into<crate::error::Source>) -> StoreError {
        StoreError::unreadable(format!("column `{column}` of {}", self.stmt.name), e)
    }

    fn required<T>(&self, column: &str, x: Option<T>) -> Result<T> {
        x.ok_or_else(|| StoreError::corrupt(format!("column `{column}` of {} is empty", self.stmt.name)))
    }

    pub fn opt_i64(&self, column: &str) -> Result<Option<i64>> {
        match &self.cells {
            Cells::Sqlite(r) => r.try_get(column),
            Cells::Postgres(r) => r.try_get(column),
        }
        .map_err(|e| self.unreadable(column, e))
    }

    pub fn opt_text(&self, column: &str) -> Result<Option<String>> {
        match &self.cells {
            Cells::Sqlite(r) => r.try_get(column),
            Cells::Postgres(r) => r.try_get(column),
        }
        .map_err(|e| self.unreadable(column, e))
    }

    pub fn opt_blob(&self, column: &str) -> Result<Option<Vec<u8>>> {
        match &self.cells {
            Cells::Sqlite(r) => r.try_get(column),
            Cells::Postgres(r) => r.try_get(column),
        }
        .map_err(|e| self.unreadable(column, e))
    }

    pub fn i64(&self, column: &str) -> Result<i64> {
        self.required(column, self.opt_i64(column)?)
    }
    pub fn text(&self, column: &str) -> Result<String> {
        self.required(column, self.opt_text(column)?)
    }
    pub fn blob(&self, column: &str) -> Result<Vec<u8>> {
        self.required(column, self.opt_blob(column)?)
    }
    pub fn bool(&self, column: &str) -> Result<bool> {
        Ok(self.i64(column)? != 0)
    }
    pub fn time(&self, column: &str) -> Result<Timestamp> {
        self.i64(column).map(Timestamp)
    }
    pub fn opt_time(&self, column: &str) -> Result<Option<Timestamp>> {
        Ok(self.opt_i64(column)?.map(Timestamp))
    }
    pub fn json(&self, column: &str) -> Result<Json> {
        self.text(column).map(Json)
    }
    pub fn opt_json(&self, column: &str) -> Result<Option<Json>> {
        Ok(self.opt_text(column)?.map(Json))
    }
    pub fn actor(&self, column: &str) -> Result<Actor> {
        self.json(column)?.read()
    }
    pub fn u64(&self, column: &str) -> Result<u64> {
        u64::try_from(self.i64(column)?).map_err(|e| self.unreadable(column, e))
    }
    pub fn parse<T>(&self, column: &str) -> Result<T>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.text(column)?.parse().map_err(|e: T::Err| self.unreadable(column, e))
    }
    pub fn opt_parse<T>(&self, column: &str) -> Result<Option<T>>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.opt_text(column)?.map(|s| s.parse()).transpose().map_err(|e: T::Err| self.unreadable(column, e))
    }
    /// 32 bytes.
    pub fn digest(&self, column: &str) -> Result<id::Digest> {
        let bytes: [u8; 32] = self
            .blob(column)?
            .try_into()
            .map_err(|b: Vec<u8>| StoreError::corrupt(format!("column `{column}` has {} bytes, not 32", b.len())))?;
        Ok(id::Digest::from_bytes(bytes))
    }
}
