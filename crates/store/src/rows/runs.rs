//! Runs: executions of a pipeline, numbered 1, 2, 3 per service.

use std::time::Duration;
use tradewind_model::{
    event::Actor,
    id::{Commit, EnvName, RunId, ServiceName},
    time::Timestamp,
};

use super::{
    Page,
    counters::{self, Counter},
};
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "id, service, number, commit_id, git_ref, env, state, plan, body, cause, actor, created_at, finished_at, \
         lease_holder, lease_until, fence, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM runs WHERE org_id = $1 AND id = $2");
    BY_NUMBER = concat!("SELECT ", columns!(), " FROM runs WHERE org_id = $1 AND service = $2 AND number = $3");
    LIST = concat!(
        "SELECT ", columns!(), " FROM runs WHERE org_id = $1 AND service = $2 AND (CAST($3 AS BIGINT) IS NULL OR number < $3)
         ORDER BY number DESC LIMIT $4"
    );
    LIST_IN = concat!(
        "SELECT ", columns!(), " FROM runs WHERE org_id = $1 AND service = $2 AND (CAST($3 AS BIGINT) IS NULL OR number < $3)
         AND state IN ($5, $6, $7, $8, $9) ORDER BY number DESC LIMIT $4"
    );
    LATEST_OF_REF = concat!(
        "SELECT ", columns!(), " FROM runs WHERE org_id = $1 AND service = $2 AND git_ref = $3
         ORDER BY number DESC LIMIT 1"
    );
    UNFINISHED = concat!(
        "SELECT ", columns!(), " FROM runs WHERE org_id = $1 AND finished_at IS NULL ORDER BY created_at, id"
    );
    INSERT = "INSERT INTO runs (org_id, id, service, number, commit_id, git_ref, env, state, plan, body, cause, actor,
            created_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)";
    UPDATE = "UPDATE runs SET state = $1, plan = $2, body = $3, finished_at = $4, version = version + 1
        WHERE org_id = $5 AND id = $6 AND version = $7 AND fence = $8";
    // The lease is asked for twice on purpose: PostgreSQL checks the inner SELECT before it waits for the row, and only
    // the outer WHERE after it.
    CLAIM quiet "who works, not what was done" = concat!(
        "UPDATE runs SET lease_holder = $1, lease_until = $2, fence = fence + 1
         WHERE id = (SELECT id FROM runs WHERE org_id = $3 AND finished_at IS NULL AND lease_until <= $4
                     ORDER BY created_at, id LIMIT 1)
           AND finished_at IS NULL AND lease_until <= $4
         RETURNING ", columns!()
    );
    UNCLAIM quiet "who works, not what was done" =
        "UPDATE runs SET lease_until = 0 WHERE org_id = $1 AND id = $2 AND fence = $3";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub id: RunId,
    pub service: ServiceName,
    pub number: i64,
    pub commit: Commit,
    pub git_ref: String,
    /// Where its release goes by itself.
    pub env: Option<EnvName>,
    pub state: String,
    pub plan: Json,
    pub body: Json,
    pub cause: Option<String>,
    pub actor: Actor,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub claim: Claim,
    pub version: i64,
}

/// Which server works on a row. The fence rises with every claim, so that a server that lost it cannot write any more.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claim {
    pub holder: Option<String>,
    pub until: Timestamp,
    pub fence: i64,
}

impl Claim {
    pub(crate) fn from_row(r: &Row) -> Result<Self> {
        Ok(Self { holder: r.opt_text("lease_holder")?, until: r.time("lease_until")?, fence: r.i64("fence")? })
    }
}

pub struct NewRun {
    pub id: RunId,
    pub service: ServiceName,
    pub commit: Commit,
    pub git_ref: String,
    pub env: Option<EnvName>,
    pub state: String,
    pub plan: Json,
    pub body: Json,
    pub cause: Option<String>,
    pub actor: Actor,
}

impl Run {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            service: r.parse("service")?,
            number: r.i64("number")?,
            commit: r.parse("commit_id")?,
            git_ref: r.text("git_ref")?,
            env: r.opt_parse("env")?,
            state: r.text("state")?,
            plan: r.json("plan")?,
            body: r.json("body")?,
            cause: r.opt_text("cause")?,
            actor: r.actor("actor")?,
            created_at: r.time("created_at")?,
            finished_at: r.opt_time("finished_at")?,
            claim: Claim::from_row(r)?,
            version: r.i64("version")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, id: RunId) -> Result<Option<Run>> {
    let args = args![r.org(), id];
    r.fetch_opt(&GET, args).await?.as_ref().map(Run::from_row).transpose()
}

pub async fn get(r: &mut impl Reader, id: RunId) -> Result<Run> {
    find(r, id).await?.ok_or_else(|| StoreError::not_found("run", id))
}

pub async fn by_number(r: &mut impl Reader, service: &ServiceName, number: i64) -> Result<Option<Run>> {
    let args = args![r.org(), service, number];
    r.fetch_opt(&BY_NUMBER, args).await?.as_ref().map(Run::from_row).transpose()
}

/// Newest first; the cursor is a number. `states`: one to five; only runs whose row is in one of them.
pub async fn list(
    r: &mut impl Reader,
    service: &ServiceName,
    states: Option<&[&str]>,
    page: Page<i64>,
) -> Result<Vec<Run>> {
    let Some(states) = states else {
        let args = args![r.org(), service, page.after, page.limit];
        return r.fetch_all(&LIST, args).await?.iter().map(Run::from_row).collect();
    };
    // A statement is fixed; what is left over says the first once more.
    let state = |n: usize| states.get(n).or(states.first()).copied().unwrap_or_default();
    let args = args![r.org(), service, page.after, page.limit, state(0), state(1), state(2), state(3), state(4)];
    r.fetch_all(&LIST_IN, args).await?.iter().map(Run::from_row).collect()
}

/// The newest run of a ref: what a reconciler compares with where the ref points.
pub async fn latest_of_ref(r: &mut impl Reader, service: &ServiceName, git_ref: &str) -> Result<Option<Run>> {
    let args = args![r.org(), service, git_ref];
    r.fetch_opt(&LATEST_OF_REF, args).await?.as_ref().map(Run::from_row).transpose()
}

/// Of every service, oldest first.
pub async fn unfinished(r: &mut impl Reader) -> Result<Vec<Run>> {
    let args = args![r.org()];
    r.fetch_all(&UNFINISHED, args).await?.iter().map(Run::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewRun) -> Result<Run> {
    let number = counters::next(tx, &new.service, Counter::Runs).await?;
    let now = tx.now();
    let args = args![
        tx.org(),
        new.id,
        &new.service,
        number,
        &new.commit,
        &new.git_ref,
        new.env.as_ref(),
        &new.state,
        &new.plan,
        &new.body,
        new.cause.as_ref(),
        &new.actor,
        now
    ];
    tx.execute(&INSERT, args).await?;
    Ok(Run {
        id: new.id,
        service: new.service,
        number,
        commit: new.commit,
        git_ref: new.git_ref,
        env: new.env,
        state: new.state,
        plan: new.plan,
        body: new.body,
        cause: new.cause,
        actor: new.actor,
        created_at: now,
        finished_at: None,
        claim: Claim::default(),
        version: 1,
    })
}

/// State, plan, body and end can change. Refused where the row was changed or claimed since it was read.
pub async fn update(tx: &mut Tx, run: Run) -> Result<Run> {
    let args = args![&run.state, &run.plan, &run.body, run.finished_at, tx.org(), run.id, run.version, run.claim.fence];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Run { version: run.version + 1, ..run }),
        _ => Err(StoreError::conflict("run", run.id)),
    }
}

/// Takes the oldest unfinished run that no server works on. Between several servers only.
pub async fn claim(tx: &mut Tx, holder: &str, duration: Duration) -> Result<Option<Run>> {
    let now = tx.now();
    let args = args![holder, now.plus(duration), tx.org(), now];
    tx.fetch_opt(&CLAIM, args).await?.as_ref().map(Run::from_row).transpose()
}

/// Lets others claim it at once.
pub async fn unclaim(tx: &mut Tx, run: &Run) -> Result<()> {
    let args = args![tx.org(), run.id, run.claim.fence];
    tx.execute(&UNCLAIM, args).await?;
    Ok(())
}
