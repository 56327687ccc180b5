//! An event as it is stored, and the bytes its hash is taken over.

use sha2::{Digest as _, Sha256};
use tradewind_model::id::Digest;

/// What is stored, unparsed: a hash is over what is there, not over what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub org: String,
    pub id: String,
    /// Microseconds since the epoch.
    pub at: i64,
    pub kind: String,
    pub schema: i64,
    pub actor_type: String,
    pub actor_name: String,
    pub subject: String,
    pub cause: Option<String>,
    pub service: Option<String>,
    pub env: Option<String>,
    /// JSON, as it was written.
    pub before: Option<String>,
    /// JSON, as it was written.
    pub after: Option<String>,
}

/// A record in its place. A digest that is missing or cannot be one is `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    pub seq: i64,
    pub prev: Option<Digest>,
    pub hash: Option<Digest>,
    /// None: it is there and cannot be read, or it belongs to another tenant.
    pub record: Option<Record>,
}

/// What stands before the first event.
pub fn genesis() -> Digest {
    Digest::from_bytes([0; 32])
}

impl Record {
    /// SHA-256 over a version word, `prev`, and every field with its length before it.
    ///
    /// The number is not among them: the chain gives each event its place, and so a row that was moved can be told from
    /// a row that was altered.
    pub fn hash(&self, prev: &Digest) -> Digest {
        let mut h = Sha256::new();
        h.update(b"tradewind event 1");
        h.update(prev.as_bytes());
        let mut field = |bytes: Option<&[u8]>| match bytes {
            None => h.update([0]),
            Some(b) => {
                h.update([1]);
                h.update((b.len() as u64).to_be_bytes());
                h.update(b);
            }
        };
        field(Some(self.org.as_bytes()));
        field(Some(self.id.as_bytes()));
        field(Some(&self.at.to_be_bytes()));
        field(Some(self.kind.as_bytes()));
        field(Some(&self.schema.to_be_bytes()));
        field(Some(self.actor_type.as_bytes()));
        field(Some(self.actor_name.as_bytes()));
        field(Some(self.subject.as_bytes()));
        for optional in [&self.cause, &self.service, &self.env, &self.before, &self.after] {
            field(optional.as_deref().map(str::as_bytes));
        }
        Digest::from_bytes(h.finalize().into())
    }
}
