//! Rollouts: moves of an environment between revisions. At most one is active per (service, environment); the others
//! queue in the order they came.

use std::time::Duration;
use tradewind_model::{
    event::Actor,
    id::{EnvName, RolloutId, ServiceName},
    time::Timestamp,
};

use super::{
    Page,
    counters::{self, Counter},
    runs::Claim,
};
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "id, service, env, kind, phase, active, queue_seq, plan, state, next_wake_at, note, ticket, requester, \
         created_at, finished_at, lease_holder, lease_until, fence, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM rollouts WHERE org_id = $1 AND id = $2");
    ACTIVE = concat!(
        "SELECT ", columns!(), " FROM rollouts WHERE org_id = $1 AND service = $2 AND env = $3 AND active = 1"
    );
    QUEUE = concat!(
        "SELECT ", columns!(), " FROM rollouts
         WHERE org_id = $1 AND service = $2 AND env = $3 AND finished_at IS NULL AND active = 0 ORDER BY queue_seq"
    );
    UNFINISHED = concat!(
        "SELECT ", columns!(), " FROM rollouts WHERE org_id = $1 AND finished_at IS NULL ORDER BY service, env, queue_seq"
    );
    NEXT_WAKE = "SELECT MIN(next_wake_at) AS at FROM rollouts WHERE org_id = $1 AND active = 1 AND finished_at IS NULL";
    LIST = concat!(
        "SELECT ", columns!(), " FROM rollouts
         WHERE org_id = $1 AND service = $2 AND (CAST($3 AS TEXT) IS NULL OR env = $3) AND (CAST($4 AS TEXT) IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5"
    );
    LAST_COMPLETED = concat!(
        "SELECT ", columns!(), " FROM rollouts WHERE org_id = $1 AND service = $2 AND env = $3 AND phase = 'completed'
         ORDER BY finished_at DESC, id DESC LIMIT 1"
    );
    INSERT = "INSERT INTO rollouts (org_id, id, service, env, kind, phase, active, queue_seq, plan, state, next_wake_at,
            note, ticket, requester, created_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1)";
    UPDATE = "UPDATE rollouts SET phase = $1, active = $2, plan = $3, state = $4, next_wake_at = $5, finished_at = $6,
            version = version + 1
        WHERE org_id = $7 AND id = $8 AND version = $9 AND fence = $10";
    // The lease is asked for twice on purpose: PostgreSQL checks the inner SELECT before it waits for the row, and only
    // the outer WHERE after it.
    CLAIM_DUE quiet "who works, not what was done" = concat!(
        "UPDATE rollouts SET lease_holder = $1, lease_until = $2, fence = fence + 1
         WHERE id = (SELECT id FROM rollouts
                     WHERE org_id = $3 AND active = 1 AND finished_at IS NULL AND next_wake_at <= $4 AND lease_until <= $4
                     ORDER BY next_wake_at, id LIMIT 1)
           AND active = 1 AND finished_at IS NULL AND lease_until <= $4
         RETURNING ", columns!()
    );
    CLAIM quiet "who works, not what was done" = concat!(
        "UPDATE rollouts SET lease_holder = $1, lease_until = $2, fence = fence + 1
         WHERE org_id = $3 AND id = $4 AND finished_at IS NULL AND lease_until <= $5 RETURNING ", columns!()
    );
    UNCLAIM quiet "who works, not what was done" =
        "UPDATE rollouts SET lease_until = 0 WHERE org_id = $1 AND id = $2 AND fence = $3";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollout {
    pub id: RolloutId,
    pub service: ServiceName,
    pub env: EnvName,
    /// `normal`, `hotfix`, `rollback`, `drill`.
    pub kind: String,
    pub phase: String,
    /// It moves the environment now; the database admits one.
    pub active: bool,
    /// Order of the queue of its (service, environment).
    pub queue_seq: i64,
    pub plan: Json,
    pub state: Json,
    /// When it has to be looked at again without a signal.
    pub next_wake_at: Option<Timestamp>,
    pub note: Option<String>,
    pub ticket: Option<String>,
    pub requester: Actor,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub claim: Claim,
    pub version: i64,
}

pub struct NewRollout {
    pub id: RolloutId,
    pub service: ServiceName,
    pub env: EnvName,
    pub kind: String,
    pub phase: String,
    pub active: bool,
    pub plan: Json,
    pub state: Json,
    pub next_wake_at: Option<Timestamp>,
    pub note: Option<String>,
    pub ticket: Option<String>,
    pub requester: Actor,
}

impl Rollout {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            service: r.parse("service")?,
            env: r.parse("env")?,
            kind: r.text("kind")?,
            phase: r.text("phase")?,
            active: r.bool("active")?,
            queue_seq: r.i64("queue_seq")?,
            plan: r.json("plan")?,
            state: r.json("state")?,
            next_wake_at: r.opt_time("next_wake_at")?,
            note: r.opt_text("note")?,
            ticket: r.opt_text("ticket")?,
            requester: r.actor("requester")?,
            created_at: r.time("created_at")?,
            finished_at: r.opt_time("finished_at")?,
            claim: Claim::from_row(r)?,
            version: r.i64("version")?,
        })
    }
}

/// What brought an environment where it is.
pub async fn last_completed(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Option<Rollout>> {
    let args = args![r.org(), service, env];
    r.fetch_opt(&LAST_COMPLETED, args).await?.as_ref().map(Rollout::from_row).transpose()
}

pub async fn get(r: &mut impl Reader, id: RolloutId) -> Result<Rollout> {
    let args = args![r.org(), id];
    let row = r.fetch_opt(&GET, args).await?;
    Rollout::from_row(&row.ok_or_else(|| StoreError::not_found("rollout", id))?)
}

pub async fn active(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Option<Rollout>> {
    let args = args![r.org(), service, env];
    r.fetch_opt(&ACTIVE, args).await?.as_ref().map(Rollout::from_row).transpose()
}

/// Those that wait, in their order.
pub async fn queue(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Vec<Rollout>> {
    let args = args![r.org(), service, env];
    r.fetch_all(&QUEUE, args).await?.iter().map(Rollout::from_row).collect()
}

/// Everywhere: active ones and those that wait.
pub async fn unfinished(r: &mut impl Reader) -> Result<Vec<Rollout>> {
    let args = args![r.org()];
    r.fetch_all(&UNFINISHED, args).await?.iter().map(Rollout::from_row).collect()
}

/// The earliest moment an active rollout has to be looked at.
pub async fn next_wake(r: &mut impl Reader) -> Result<Option<Timestamp>> {
    let args = args![r.org()];
    r.fetch_one(&NEXT_WAKE, args).await?.opt_time("at")
}

/// Newest first.
pub async fn list(
    r: &mut impl Reader,
    service: &ServiceName,
    env: Option<&EnvName>,
    page: Page<RolloutId>,
) -> Result<Vec<Rollout>> {
    let args = args![r.org(), service, env, page.after, page.limit];
    r.fetch_all(&LIST, args).await?.iter().map(Rollout::from_row).collect()
}

/// # Errors
/// [`StoreError::Duplicate`] where it is to be active and another is.
pub async fn insert(tx: &mut Tx, new: NewRollout) -> Result<Rollout> {
    let queue_seq = counters::next(tx, &new.service, Counter::Rollouts).await?;
    let now = tx.now();
    let args = args![
        tx.org(),
        new.id,
        &new.service,
        &new.env,
        &new.kind,
        &new.phase,
        new.active,
        queue_seq,
        &new.plan,
        &new.state,
        new.next_wake_at,
        new.note.as_ref(),
        new.ticket.as_ref(),
        &new.requester,
        now
    ];
    tx.execute(&INSERT, args).await.map_err(|e| one_active(e, &new.service, &new.env))?;
    Ok(Rollout {
        id: new.id,
        service: new.service,
        env: new.env,
        kind: new.kind,
        phase: new.phase,
        active: new.active,
        queue_seq,
        plan: new.plan,
        state: new.state,
        next_wake_at: new.next_wake_at,
        note: new.note,
        ticket: new.ticket,
        requester: new.requester,
        created_at: now,
        finished_at: None,
        claim: Claim::default(),
        version: 1,
    })
}

/// Phase, activity, plan, state, wake-up and end can change. Refused where the row was changed or claimed since it was
/// read.
///
/// # Errors
/// [`StoreError::Duplicate`] where it becomes active and another is.
pub async fn update(tx: &mut Tx, rollout: Rollout) -> Result<Rollout> {
    let args = args![
        &rollout.phase,
        rollout.active,
        &rollout.plan,
        &rollout.state,
        rollout.next_wake_at,
        rollout.finished_at,
        tx.org(),
        rollout.id,
        rollout.version,
        rollout.claim.fence
    ];
    let done = tx.execute(&UPDATE, args).await.map_err(|e| one_active(e, &rollout.service, &rollout.env))?;
    match done {
        1 => Ok(Rollout { version: rollout.version + 1, ..rollout }),
        _ => Err(StoreError::conflict("rollout", rollout.id)),
    }
}

/// Takes the active rollout that has waited longest for its wake-up and that no server works on. Between several
/// servers only.
pub async fn claim_due(tx: &mut Tx, holder: &str, duration: Duration) -> Result<Option<Rollout>> {
    let now = tx.now();
    let args = args![holder, now.plus(duration), tx.org(), now];
    tx.fetch_opt(&CLAIM_DUE, args).await?.as_ref().map(Rollout::from_row).transpose()
}

/// Takes this one, because something happened to it; `None` while another server works on it.
pub async fn claim(tx: &mut Tx, id: RolloutId, holder: &str, duration: Duration) -> Result<Option<Rollout>> {
    let now = tx.now();
    let args = args![holder, now.plus(duration), tx.org(), id, now];
    tx.fetch_opt(&CLAIM, args).await?.as_ref().map(Rollout::from_row).transpose()
}

/// Lets others claim it at once.
pub async fn unclaim(tx: &mut Tx, rollout: &Rollout) -> Result<()> {
    let args = args![tx.org(), rollout.id, rollout.claim.fence];
    tx.execute(&UNCLAIM, args).await?;
    Ok(())
}

fn one_active(e: StoreError, service: &ServiceName, env: &EnvName) -> StoreError {
    match e {
        StoreError::Duplicate { source, .. } => {
            StoreError::Duplicate { what: format!("an active rollout of {service} in {env}"), source }
        }
        other => other,
    }
}
