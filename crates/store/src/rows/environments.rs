//! Environments: dev, staging, production; their policy and their freeze.

use tradewind_model::{event::Actor, id::EnvName, time::Timestamp};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "name, policy, frozen_at, frozen_by, frozen_reason, created_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM environments WHERE org_id = $1 AND name = $2");
    LIST = concat!("SELECT ", columns!(), " FROM environments WHERE org_id = $1 ORDER BY name");
    INSERT = "INSERT INTO environments (org_id, name, policy, created_at, version) VALUES ($1, $2, '{}', $3, 1)
        ON CONFLICT (org_id, name) DO NOTHING";
    UPDATE = "UPDATE environments SET policy = $1, frozen_at = $2, frozen_by = $3, frozen_reason = $4, version = version + 1
        WHERE org_id = $5 AND name = $6 AND version = $7";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Environment {
    pub name: EnvName,
    /// The server-side policy; `{}` where there is none.
    pub policy: Json,
    /// A freeze blocks new waves; nothing blocks a rollback.
    pub frozen: Option<Freeze>,
    pub created_at: Timestamp,
    pub version: i64,
}

/// Who stopped it, when and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Freeze {
    pub at: Timestamp,
    pub by: Actor,
    pub reason: String,
}

impl Freeze {
    /// From the columns `frozen_at`, `frozen_by`, `frozen_reason`.
    pub(crate) fn from_row(r: &Row) -> Result<Option<Self>> {
        let Some(at) = r.opt_time("frozen_at")? else { return Ok(None) };
        Ok(Some(Self { at, by: r.actor("frozen_by")?, reason: r.text("frozen_reason")? }))
    }
}

impl Environment {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            name: r.parse("name")?,
            policy: r.json("policy")?,
            frozen: Freeze::from_row(r)?,
            created_at: r.time("created_at")?,
            version: r.i64("version")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, name: &EnvName) -> Result<Option<Environment>> {
    let args = args![r.org(), name];
    r.fetch_opt(&GET, args).await?.as_ref().map(Environment::from_row).transpose()
}

pub async fn get(r: &mut impl Reader, name: &EnvName) -> Result<Environment> {
    find(r, name).await?.ok_or_else(|| StoreError::not_found("environment", name))
}

pub async fn list(r: &mut impl Reader) -> Result<Vec<Environment>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(Environment::from_row).collect()
}

/// Makes it where it does not exist; true where it was made, and then an event has to say so.
pub async fn ensure(tx: &mut Tx, name: &EnvName) -> Result<bool> {
    let args = args![tx.org(), name, tx.now()];
    Ok(tx.execute(&INSERT, args).await? == 1)
}

/// Policy and freeze can change.
pub async fn update(tx: &mut Tx, env: Environment) -> Result<Environment> {
    let frozen = env.frozen.as_ref();
    let args = args![
        &env.policy,
        frozen.map(|f| f.at),
        frozen.map(|f| &f.by),
        frozen.map(|f| &f.reason),
        tx.org(),
        &env.name,
        env.version
    ];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Environment { version: env.version + 1, ..env }),
        _ => Err(StoreError::conflict("environment", env.name)),
    }
}
