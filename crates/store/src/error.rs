//! What can go wrong with the store, by what the caller can do about it.

use tradewind_model::{fault::Fault, id::BadId};

use crate::faults;

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The driver's error, kept as a source and never matched on outside the store.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was in the way until the time ran out. [`transact!`](crate::transact) has retried already.
    #[error("the database is busy")]
    Busy(#[source] Source),
    /// Compare-and-swap lost: the row is not at the version the caller read.
    #[error("{what} was changed by someone else in between")]
    Conflict { what: String },
    /// A unique key is taken.
    #[error("{what} exists already")]
    Duplicate {
        what: String,
        #[source]
        source: Option<Source>,
    },
    #[error("{what} does not exist")]
    NotFound { what: String },
    /// What is stored cannot be what was written.
    #[error("the stored data is damaged: {what}")]
    Corrupt {
        what: String,
        #[source]
        source: Option<Source>,
    },
    #[error("the database has schema {found}, this program knows up to {known}")]
    SchemaNewer { found: i64, known: i64 },
    #[error("the database has schema {found}, reading it needs {needed}")]
    SchemaOlder { found: i64, needed: i64 },
    #[error("schema step {step} was applied from a text other than this program's")]
    SchemaAltered { step: i64 },
    #[error("no room left on the store's disk")]
    Full(#[source] Source),
    /// A file or connection failed.
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: Source,
    },
    /// A lease went to another holder, or ran out and was taken.
    #[error("the lease `{name}` is not held any more (fence {fence})")]
    StaleFence { name: String, fence: i64 },
    /// A transaction changed state (`statement` was the first to) and wrote no event.
    #[error("{statement} changed state without an event")]
    EventMissing { statement: &'static str },
    /// An earlier statement of this transaction failed and its error was not passed on.
    #[error("the transaction had failed before")]
    Aborted,
    /// Content did not have the digest it was announced with.
    #[error("content is {found}, expected {expected}")]
    DigestMismatch { expected: tradewind_model::id::Digest, found: tradewind_model::id::Digest },
    /// A statement failed for a reason that is a defect of this program.
    #[error("{statement} failed")]
    Statement {
        statement: &'static str,
        #[source]
        source: Source,
    },
}

impl StoreError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into(), source: None }
    }

    pub(crate) fn unreadable(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Corrupt { what: what.into(), source: Some(source.into()) }
    }

    pub(crate) fn not_found(kind: &str, name: impl std::fmt::Display) -> Self {
        Self::NotFound { what: format!("{kind} `{name}`") }
    }

    pub(crate) fn conflict(kind: &str, name: impl std::fmt::Display) -> Self {
        Self::Conflict { what: format!("{kind} `{name}`") }
    }

    pub(crate) fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full(Box::new(source)),
            _ => Self::Io { what: what.into(), source: Box::new(source) },
        }
    }

    /// True where trying again, unchanged, may succeed.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// What a person is told. Defects become an opaque fault: their sources are for the log.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Busy(_) => Fault::new(&faults::BUSY),
            Self::Conflict { what } => Fault::new(&faults::CONFLICT).with("what", what),
            Self::Duplicate { what, .. } => Fault::new(&faults::DUPLICATE).with("what", what),
            Self::NotFound { what } => Fault::new(&faults::NOT_FOUND).with("what", what),
            Self::Corrupt { what, .. } => Fault::new(&faults::DAMAGED).with("what", what),
            Self::SchemaNewer { found, known } => {
                Fault::new(&faults::SCHEMA_NEWER).with("found", found).with("known", known)
            }
            Self::SchemaOlder { found, needed } => {
                Fault::new(&faults::SCHEMA_OLDER).with("found", found).with("needed", needed)
            }
            Self::SchemaAltered { step } => Fault::new(&faults::SCHEMA_ALTERED).with("step", step),
            Self::Full(_) => Fault::new(&faults::FULL),
            Self::Io { what, .. } => Fault::new(&faults::IO).with("what", what),
            Self::StaleFence { name, .. } => Fault::new(&faults::STALE_FENCE).with("name", name),
            Self::DigestMismatch { expected, found } => {
                Fault::new(&faults::DIGEST).with("expected", expected).with("found", found)
            }
            Self::EventMissing { statement } | Self::Statement { statement, .. } => {
                Fault::new(&faults::DEFECT).with("where", statement)
            }
            Self::Aborted => Fault::new(&faults::DEFECT).with("where", "transaction"),
        }
    }

    /// A driver's error, by what the caller can do about it.
    pub(crate) fn driver(statement: &'static str, e: sqlx::Error) -> Self {
        match class(&e) {
            Class::Busy => Self::Busy(Box::new(e)),
            Class::Full => Self::Full(Box::new(e)),
            Class::Duplicate => Self::Duplicate { what: statement.to_owned(), source: Some(Box::new(e)) },
            Class::Damaged => Self::unreadable("the database file", e),
            Class::Io => Self::Io { what: "the database cannot be reached".into(), source: Box::new(e) },
            Class::Address => {
                Self::Io { what: "the database's address, user or password is not right".into(), source: Box::new(e) }
            }
            Class::Defect => Self::Statement { statement, source: Box::new(e) },
        }
    }
}

impl From<BadId> for StoreError {
    fn from(e: BadId) -> Self {
        Self::unreadable("an id", e)
    }
}

enum Class {
    Busy,
    Full,
    Duplicate,
    Damaged,
    Io,
    Address,
    Defect,
}

fn class(e: &sqlx::Error) -> Class {
    let sqlx::Error::Database(db) = e else {
        return match e {
            sqlx::Error::PoolTimedOut => Class::Busy,
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => Class::Full,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Class::Io
            }
            sqlx::Error::Configuration(_) => Class::Address,
            _ => Class::Defect,
        };
    };
    if db.is_unique_violation() {
        return Class::Duplicate;
    }
    let code = db.code().unwrap_or_default();
    if db.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // Extended result codes carry the primary one in their low byte: https://sqlite.org/rescode.html
        return match code.parse::<i32>().unwrap_or(0) & 0xff {
            5 | 6 => Class::Busy,
            13 => Class::Full,
            11 | 26 => Class::Damaged,
            8 | 10 | 14 | 15 => Class::Io,
            _ => Class::Defect,
        };
    }
    // SQLSTATE: https://www.postgresql.org/docs/15/errcodes-appendix.html
    match &*code {
        "40001" | "40P01" | "55P03" => Class::Busy,
        "53100" => Class::Full,
        "XX001" | "XX002" => Class::Damaged,
        "3D000" => Class::Address,
        c if c.starts_with("28") => Class::Address,
        c if c.starts_with("08") || c.starts_with("57P") || c.starts_with("53") => Class::Io,
        _ => Class::Defect,
    }
}
