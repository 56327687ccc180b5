//! Hosts: machines with an agent.

use tradewind_model::{
    id::{Digest, HostId, OrgName},
    time::Timestamp,
};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

macro_rules! columns {
    () => {
        "org_id, id, name, enrolled_at, last_seen_at, removed_at"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM hosts WHERE org_id = $1 AND id = $2");
    BY_NAME = concat!("SELECT ", columns!(), " FROM hosts WHERE org_id = $1 AND name = $2");
    // Before it is known who asks, there is no tenant to look in.
    BY_KEY = concat!("SELECT ", columns!(), " FROM hosts WHERE key_hash = $1 AND removed_at IS NULL");
    LIST = concat!("SELECT ", columns!(), " FROM hosts WHERE org_id = $1 AND removed_at IS NULL ORDER BY name");
    INSERT = "INSERT INTO hosts (org_id, id, name, key_hash, enrolled_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (org_id, name) DO NOTHING";
    REKEY = "UPDATE hosts SET key_hash = $1, enrolled_at = $2, removed_at = NULL WHERE org_id = $3 AND id = $4";
    REMOVE = "UPDATE hosts SET removed_at = $1 WHERE org_id = $2 AND id = $3 AND removed_at IS NULL";
    SEEN quiet "liveness only" = "UPDATE hosts SET last_seen_at = $1 WHERE org_id = $2 AND id = $3";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    pub org: OrgName,
    pub id: HostId,
    pub name: String,
    pub enrolled_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    /// From then on its key is worth nothing and nobody is shown it; its instances and tasks of old still name it.
    pub removed_at: Option<Timestamp>,
}

impl Host {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            org: r.parse("org_id")?,
            id: r.parse("id")?,
            name: r.text("name")?,
            enrolled_at: r.time("enrolled_at")?,
            last_seen_at: r.opt_time("last_seen_at")?,
            removed_at: r.opt_time("removed_at")?,
        })
    }
}

pub async fn get(r: &mut impl Reader, id: HostId) -> Result<Host> {
    let args = args![r.org(), id];
    let row = r.fetch_opt(&GET, args).await?;
    Host::from_row(&row.ok_or_else(|| StoreError::not_found("host", id))?)
}

pub async fn by_name(r: &mut impl Reader, name: &str) -> Result<Option<Host>> {
    let args = args![r.org(), name];
    r.fetch_opt(&BY_NAME, args).await?.as_ref().map(Host::from_row).transpose()
}

/// Whose key this is the hash of, whichever the tenant.
pub async fn by_key(r: &mut impl Reader, key_hash: &Digest) -> Result<Option<Host>> {
    r.fetch_opt(&BY_KEY, args![key_hash.as_bytes().as_slice()]).await?.as_ref().map(Host::from_row).transpose()
}

pub async fn list(r: &mut impl Reader) -> Result<Vec<Host>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(Host::from_row).collect()
}

/// # Errors
/// [`StoreError::Duplicate`] where the name is taken.
pub async fn insert(tx: &mut Tx, id: HostId, name: &str, key_hash: &Digest) -> Result<Host> {
    let now = tx.now();
    let args = args![tx.org(), id, name, key_hash.as_bytes().as_slice(), now];
    if tx.execute(&INSERT, args).await? == 0 {
        return Err(StoreError::Duplicate { what: format!("host `{name}`"), source: None });
    }
    Ok(Host {
        org: tx.org().clone(),
        id,
        name: name.to_owned(),
        enrolled_at: now,
        last_seen_at: None,
        removed_at: None,
    })
}

/// False where it was removed before.
pub async fn remove(tx: &mut Tx, id: HostId) -> Result<bool> {
    let args = args![tx.now(), tx.org(), id];
    Ok(tx.execute(&REMOVE, args).await? == 1)
}

/// A new key for a host that enrols again, be it one that was removed; the old one is worth nothing from here on.
pub async fn rekey(tx: &mut Tx, id: HostId, key_hash: &Digest) -> Result<()> {
    let args = args![key_hash.as_bytes().as_slice(), tx.now(), tx.org(), id];
    match tx.execute(&REKEY, args).await? {
        1 => Ok(()),
        _ => Err(StoreError::not_found("host", id)),
    }
}

pub async fn seen(tx: &mut Tx, id: HostId) -> Result<()> {
    let args = args![tx.now(), tx.org(), id];
    tx.execute(&SEEN, args).await?;
    Ok(())
}
