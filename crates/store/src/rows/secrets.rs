//! Secrets and their versions: sealed bytes only. What seals them is not known here.

use tradewind_model::{
    event::Actor,
    id::{InstanceId, SecretId},
    secret::{Scope, SecretName},
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
        "id, name, service, env, site, newest, changed_at, removed_at"
    };
}
macro_rules! version_columns {
    () => {
        "secret, version, key_id, sealed, fingerprint, created_at, created_by, handed_at"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM secrets WHERE org_id = $1 AND id = $2");
    FIND = concat!("SELECT ", columns!(), " FROM secrets WHERE org_id = $1 AND name = $2 AND scope = $3");
    LIST = concat!("SELECT ", columns!(), " FROM secrets WHERE org_id = $1 ORDER BY name, scope");
    NAMED = concat!(
        "SELECT ", columns!(), " FROM secrets WHERE org_id = $1 AND name = $2 AND removed_at IS NULL ORDER BY scope"
    );
    INSERT = "INSERT INTO secrets (org_id, id, name, scope, service, env, site, newest, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)";
    ADVANCE = "UPDATE secrets SET newest = $1, changed_at = $2, removed_at = NULL WHERE org_id = $3 AND id = $4 AND newest = $5";
    REMOVE = "UPDATE secrets SET removed_at = $1, changed_at = $1 WHERE org_id = $2 AND id = $3 AND removed_at IS NULL";
    INSERT_VERSION =
        "INSERT INTO secret_versions (org_id, secret, version, key_id, sealed, fingerprint, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    VERSION = concat!(
        "SELECT ", version_columns!(), " FROM secret_versions WHERE org_id = $1 AND secret = $2 AND version = $3"
    );
    VERSIONS = concat!(
        "SELECT ", version_columns!(), " FROM secret_versions WHERE org_id = $1 AND secret = $2 ORDER BY version DESC"
    );
    HANDED quiet "when a value was last used" =
        "UPDATE secret_versions SET handed_at = $1 WHERE org_id = $2 AND secret = $3 AND version = $4";
    RESEAL = "UPDATE secret_versions SET key_id = $1, sealed = $2, fingerprint = $3
        WHERE org_id = $4 AND secret = $5 AND version = $6 AND key_id = $7";
    NOT_UNDER = concat!(
        "SELECT ", version_columns!(), " FROM secret_versions WHERE org_id = $1 AND key_id <> $2
         ORDER BY secret, version LIMIT $3"
    );
    // Keys are the installation's: whatever the tenant.
    KEYS = "SELECT key_id, COUNT(*) AS sealed FROM secret_versions GROUP BY key_id ORDER BY key_id";
    HAND_OVER quiet "which process has which version" =
        "INSERT INTO secret_handovers (org_id, holder, secret, version, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (holder, secret) DO UPDATE SET version = $4, at = $5";
    HOLDERS = "SELECT holder, version FROM secret_handovers WHERE org_id = $1 AND secret = $2 ORDER BY holder";
    FORGET quiet "of processes that are gone" = "DELETE FROM secret_handovers WHERE org_id = $1 AND at < $2
            AND holder NOT IN (SELECT id FROM instances WHERE org_id = $1 AND retired_at IS NULL)";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secret {
    pub id: SecretId,
    pub name: SecretName,
    pub scope: Scope,
    /// The version in force, unless it was removed.
    pub newest: i64,
    pub changed_at: Timestamp,
    pub removed_at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    pub secret: SecretId,
    pub version: i64,
    pub key: String,
    pub sealed: Vec<u8>,
    pub fingerprint: String,
    pub at: Timestamp,
    pub by: Actor,
    /// When a process was last given it.
    pub handed_at: Option<Timestamp>,
}

/// What sealing gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSeal {
    pub key: String,
    pub sealed: Vec<u8>,
    pub fingerprint: String,
}

impl Secret {
    fn from_row(r: &Row) -> Result<Self> {
        let scope = Scope { service: r.opt_parse("service")?, env: r.opt_parse("env")?, site: r.opt_parse("site")? };
        Ok(Self {
            id: r.parse("id")?,
            name: r.parse("name")?,
            scope,
            newest: r.i64("newest")?,
            changed_at: r.time("changed_at")?,
            removed_at: r.opt_time("removed_at")?,
        })
    }
}

impl Version {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            secret: r.parse("secret")?,
            version: r.i64("version")?,
            key: r.text("key_id")?,
            sealed: r.blob("sealed")?,
            fingerprint: r.text("fingerprint")?,
            at: r.time("created_at")?,
            by: r.actor("created_by")?,
            handed_at: r.opt_time("handed_at")?,
        })
    }
}

pub async fn get(r: &mut impl Reader, id: SecretId) -> Result<Secret> {
    let args = args![r.org(), id];
    let found = r.fetch_opt(&GET, args).await?.as_ref().map(Secret::from_row).transpose()?;
    found.ok_or_else(|| StoreError::not_found("secret", id))
}

/// Of exactly this scope, removed or not.
pub async fn find(r: &mut impl Reader, name: &SecretName, scope: &Scope) -> Result<Option<Secret>> {
    let args = args![r.org(), name.as_str(), scope.key()];
    r.fetch_opt(&FIND, args).await?.as_ref().map(Secret::from_row).transpose()
}

/// By name, then scope; removed ones too.
pub async fn list(r: &mut impl Reader) -> Result<Vec<Secret>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(Secret::from_row).collect()
}

/// Those of this name that are in force, whatever their scope.
pub async fn named(r: &mut impl Reader, name: &SecretName) -> Result<Vec<Secret>> {
    let args = args![r.org(), name.as_str()];
    r.fetch_all(&NAMED, args).await?.iter().map(Secret::from_row).collect()
}

/// Without a version yet: [`set`] gives it one.
pub async fn insert(tx: &mut Tx, id: SecretId, name: &SecretName, scope: &Scope) -> Result<Secret> {
    let now = tx.now();
    let (service, env, site) = (scope.service.as_ref(), scope.env.as_ref(), scope.site.as_ref());
    let args = args![tx.org(), id, name.as_str(), scope.key(), service, env, site, now];
    tx.execute(&INSERT, args).await?;
    Ok(Secret { id, name: name.clone(), scope: scope.clone(), newest: 0, changed_at: now, removed_at: None })
}

/// Puts the next version in force; a removed secret is there again.
pub async fn set(tx: &mut Tx, secret: &Secret, seal: &NewSeal, by: &Actor) -> Result<Secret> {
    let (now, next) = (tx.now(), secret.newest + 1);
    let args = args![next, now, tx.org(), secret.id, secret.newest];
    if tx.execute(&ADVANCE, args).await? != 1 {
        return Err(StoreError::conflict("secret", secret.id));
    }
    let args = args![tx.org(), secret.id, next, &seal.key, seal.sealed.as_slice(), &seal.fingerprint, now, by];
    tx.execute(&INSERT_VERSION, args).await?;
    Ok(Secret { newest: next, changed_at: now, removed_at: None, ..secret.clone() })
}

/// False where it was removed before.
pub async fn remove(tx: &mut Tx, id: SecretId) -> Result<bool> {
    let args = args![tx.now(), tx.org(), id];
    Ok(tx.execute(&REMOVE, args).await? == 1)
}

pub async fn version(r: &mut impl Reader, secret: SecretId, version: i64) -> Result<Option<Version>> {
    let args = args![r.org(), secret, version];
    r.fetch_opt(&VERSION, args).await?.as_ref().map(Version::from_row).transpose()
}

/// Newest first.
pub async fn versions(r: &mut impl Reader, secret: SecretId) -> Result<Vec<Version>> {
    let args = args![r.org(), secret];
    r.fetch_all(&VERSIONS, args).await?.iter().map(Version::from_row).collect()
}

/// Notes that a process was given this version now.
pub async fn used(tx: &mut Tx, secret: SecretId, version: i64) -> Result<()> {
    let args = args![tx.now(), tx.org(), secret, version];
    tx.execute(&HANDED, args).await?;
    Ok(())
}

/// The same, and that it is this instance which has it from now on.
pub async fn hand_over(tx: &mut Tx, to: InstanceId, secret: SecretId, version: i64) -> Result<()> {
    let args = args![tx.org(), to, secret, version, tx.now()];
    tx.execute(&HAND_OVER, args).await?;
    used(tx, secret, version).await
}

/// Which instance was given which version last.
pub async fn holders(r: &mut impl Reader, secret: SecretId) -> Result<Vec<(InstanceId, i64)>> {
    let args = args![r.org(), secret];
    r.fetch_all(&HOLDERS, args).await?.iter().map(|row| Ok((row.parse("holder")?, row.i64("version")?))).collect()
}

/// Forgets what instances that are gone were given before this time.
pub async fn forget(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    let args = args![tx.org(), before];
    tx.execute(&FORGET, args).await
}

/// Some that are not sealed with this key.
pub async fn not_under(r: &mut impl Reader, key: &str, limit: u32) -> Result<Vec<Version>> {
    let args = args![r.org(), key, limit];
    r.fetch_all(&NOT_UNDER, args).await?.iter().map(Version::from_row).collect()
}

/// Puts another seal in place of one; false where somebody else did.
pub async fn reseal(tx: &mut Tx, old: &Version, seal: &NewSeal) -> Result<bool> {
    let args = args![&seal.key, seal.sealed.as_slice(), &seal.fingerprint, tx.org(), old.secret, old.version, &old.key];
    Ok(tx.execute(&RESEAL, args).await? == 1)
}

/// How many versions each key seals, whatever the tenant.
pub async fn keys(r: &mut impl Reader) -> Result<Vec<(String, i64)>> {
    r.fetch_all(&KEYS, args![]).await?.iter().map(|row| Ok((row.text("key_id")?, row.i64("sealed")?))).collect()
}
