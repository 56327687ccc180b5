//! Environments: dev, staging, production; their policy.

use tradewind_model::{id::EnvName, time::Timestamp};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "name, policy, created_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM environments WHERE org_id = $1 AND name = $2");
    LIST = concat!("SELECT ", columns!(), " FROM environments WHERE org_id = $1 ORDER BY name");
    INSERT = "INSERT INTO environments (org_id, name, policy, created_at, version) VALUES ($1, $2, '{}', $3, 1)
        ON CONFLICT (org_id, name) DO NOTHING";
    UPDATE = "UPDATE environments SET policy = $1, version = version + 1 WHERE org_id = $2 AND name = $3 AND version = $4";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Environment {
    pub name: EnvName,
    /// The server-side policy; `{}` where there is none.
    pub policy: Json,
    pub created_at: Timestamp,
    pub version: i64,
}

impl Environment {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            name: r.parse("name")?,
            policy: r.json("policy")?,
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

/// Its policy can change.
pub async fn update(tx: &mut Tx, env: Environment) -> Result<Environment> {
    let args = args![&env.policy, tx.org(), &env.name, env.version];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Environment { version: env.version + 1, ..env }),
        _ => Err(StoreError::conflict("environment", env.name)),
    }
}
