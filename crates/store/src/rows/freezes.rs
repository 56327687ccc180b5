//! Freezes people set: of a service, an environment, both, or everything. Several may hold the same place.
//!
//! A freeze is on until its row says that it ended; that its time is over ends it by that row too, so that rows and log agree.

use tradewind_model::{
    event::Actor,
    id::{EnvName, FreezeId, ServiceName},
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
        "id, service, env, reason, set_at, set_by, until_at, ended_at, ended_by"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM freezes WHERE org_id = $1 AND id = $2");
    ON = concat!("SELECT ", columns!(), " FROM freezes WHERE org_id = $1 AND ended_at IS NULL ORDER BY set_at, id");
    COVERING = concat!(
        "SELECT ", columns!(), " FROM freezes WHERE org_id = $1 AND ended_at IS NULL
            AND (service IS NULL OR service = $2) AND (env IS NULL OR env = $3) ORDER BY set_at, id"
    );
    INSERT = "INSERT INTO freezes (org_id, id, service, env, reason, set_at, set_by, until_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    END = "UPDATE freezes SET ended_at = $1, ended_by = $2 WHERE org_id = $3 AND id = $4 AND ended_at IS NULL";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewFreeze {
    pub id: FreezeId,
    /// None: of every service.
    pub service: Option<ServiceName>,
    /// None: in every environment.
    pub env: Option<EnvName>,
    pub reason: String,
    pub by: Actor,
    /// None: until a person lifts it.
    pub until: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Freeze {
    pub id: FreezeId,
    /// None: of every service.
    pub service: Option<ServiceName>,
    /// None: in every environment.
    pub env: Option<EnvName>,
    pub reason: String,
    pub at: Timestamp,
    pub by: Actor,
    /// None: until a person lifts it.
    pub until: Option<Timestamp>,
    pub ended: Option<Ended>,
}

/// When it ended, and by whose hand; the control plane's own where its time was over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    pub at: Timestamp,
    pub by: Actor,
}

impl Freeze {
    fn from_row(r: &Row) -> Result<Self> {
        let ended = match r.opt_time("ended_at")? {
            Some(at) => Some(Ended { at, by: r.actor("ended_by")? }),
            None => None,
        };
        Ok(Self {
            id: r.parse("id")?,
            service: r.opt_parse("service")?,
            env: r.opt_parse("env")?,
            reason: r.text("reason")?,
            at: r.time("set_at")?,
            by: r.actor("set_by")?,
            until: r.opt_time("until_at")?,
            ended,
        })
    }
}

/// Whether it is on or over.
pub async fn get(r: &mut impl Reader, id: FreezeId) -> Result<Freeze> {
    let args = args![r.org(), id];
    let found = r.fetch_opt(&GET, args).await?.as_ref().map(Freeze::from_row).transpose()?;
    found.ok_or_else(|| StoreError::not_found("freeze", id))
}

/// Those that are on, oldest first.
pub async fn list(r: &mut impl Reader) -> Result<Vec<Freeze>> {
    let args = args![r.org()];
    r.fetch_all(&ON, args).await?.iter().map(Freeze::from_row).collect()
}

/// Those that are on and hold this service in this environment, oldest first.
pub async fn covering(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Vec<Freeze>> {
    let args = args![r.org(), service, env];
    r.fetch_all(&COVERING, args).await?.iter().map(Freeze::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewFreeze) -> Result<Freeze> {
    let at = tx.now();
    let args = args![tx.org(), new.id, new.service.as_ref(), new.env.as_ref(), &new.reason, at, &new.by, new.until];
    tx.execute(&INSERT, args).await?;
    let NewFreeze { id, service, env, reason, by, until } = new;
    Ok(Freeze { id, service, env, reason, at, by, until, ended: None })
}

/// False where it had ended before.
pub async fn end(tx: &mut Tx, id: FreezeId, by: &Actor) -> Result<bool> {
    let args = args![tx.now(), by, tx.org(), id];
    Ok(tx.execute(&END, args).await? == 1)
}
