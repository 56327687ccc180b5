//! Queues of rollouts, one per (service, environment): after a failure a queue is held until a person acknowledges.

use tradewind_model::{
    event::Actor,
    id::{EnvName, ServiceName},
    time::Timestamp,
};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

macro_rules! columns {
    () => {
        "service, env, frozen_at, frozen_by, frozen_reason, acknowledged_at, acknowledged_by, acknowledged_note, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM queues WHERE org_id = $1 AND service = $2 AND env = $3");
    FROZEN = concat!(
        "SELECT ", columns!(), " FROM queues WHERE org_id = $1 AND frozen_at IS NOT NULL ORDER BY service, env"
    );
    FREEZE = "INSERT INTO queues (org_id, service, env, frozen_at, frozen_by, frozen_reason, version)
        VALUES ($1, $2, $3, $4, $5, $6, 1)
        ON CONFLICT (org_id, service, env) DO UPDATE
        SET frozen_at = $4, frozen_by = $5, frozen_reason = $6, acknowledged_at = NULL, acknowledged_by = NULL,
            acknowledged_note = NULL, version = queues.version + 1";
    ACKNOWLEDGE = "UPDATE queues SET frozen_at = NULL, frozen_by = NULL, frozen_reason = NULL,
            acknowledged_at = $1, acknowledged_by = $2, acknowledged_note = $3, version = version + 1
        WHERE org_id = $4 AND service = $5 AND env = $6 AND frozen_at IS NOT NULL";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    pub service: ServiceName,
    pub env: EnvName,
    /// Nothing leaves the queue; rollbacks never enter it.
    pub frozen: Option<Hold>,
    /// The last acknowledgement since the last freeze.
    pub acknowledged: Option<Acknowledgement>,
}

/// Since when it is held, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    pub at: Timestamp,
    pub by: Actor,
    pub reason: String,
}

impl Hold {
    fn from_row(r: &Row) -> Result<Option<Self>> {
        let Some(at) = r.opt_time("frozen_at")? else { return Ok(None) };
        Ok(Some(Self { at, by: r.actor("frozen_by")?, reason: r.text("frozen_reason")? }))
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acknowledgement {
    pub at: Timestamp,
    pub by: Actor,
    pub note: String,
}

impl Queue {
    fn from_row(r: &Row) -> Result<Self> {
        let acknowledged = match r.opt_time("acknowledged_at")? {
            Some(at) => {
                Some(Acknowledgement { at, by: r.actor("acknowledged_by")?, note: r.text("acknowledged_note")? })
            }
            None => None,
        };
        Ok(Self { service: r.parse("service")?, env: r.parse("env")?, frozen: Hold::from_row(r)?, acknowledged })
    }
}

/// One that nothing ever happened to is open.
pub async fn get(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Queue> {
    let args = args![r.org(), service, env];
    match r.fetch_opt(&GET, args).await? {
        Some(row) => Queue::from_row(&row),
        None => Ok(Queue { service: service.clone(), env: env.clone(), frozen: None, acknowledged: None }),
    }
}

pub async fn frozen(r: &mut impl Reader) -> Result<Vec<Queue>> {
    let args = args![r.org()];
    r.fetch_all(&FROZEN, args).await?.iter().map(Queue::from_row).collect()
}

pub async fn freeze(tx: &mut Tx, service: &ServiceName, env: &EnvName, by: &Actor, reason: &str) -> Result<()> {
    let args = args![tx.org(), service, env, tx.now(), by, reason];
    tx.execute(&FREEZE, args).await?;
    Ok(())
}

/// False where it was not frozen.
pub async fn acknowledge(tx: &mut Tx, service: &ServiceName, env: &EnvName, by: &Actor, note: &str) -> Result<bool> {
    let args = args![tx.now(), by, note, tx.org(), service, env];
    Ok(tx.execute(&ACKNOWLEDGE, args).await? == 1)
}
