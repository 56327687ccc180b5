//! Idempotency keys: a request that is sent twice is answered twice and done once.

use std::time::Duration;
use tradewind_model::{id::Digest, time::Timestamp};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader as _, Tx},
    value::args,
};

statements! {
    GET = "SELECT route, request_hash, status, response, created_at FROM idempotency
        WHERE org_id = $1 AND actor = $2 AND key = $3";
    BEGIN quiet "what the request does is told of" =
        "INSERT INTO idempotency (org_id, actor, key, route, request_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    RESUME quiet "what the request does is told of" =
        "UPDATE idempotency SET created_at = $1 WHERE org_id = $2 AND actor = $3 AND key = $4";
    FINISH quiet "what the request did is told of" =
        "UPDATE idempotency SET status = $1, response = $2 WHERE org_id = $3 AND actor = $4 AND key = $5";
    FORGET quiet "nothing was done" =
        "DELETE FROM idempotency WHERE org_id = $1 AND actor = $2 AND key = $3 AND status IS NULL";
    PURGE quiet "past the time that repeats are answered" = "DELETE FROM idempotency WHERE created_at < $1";
}

/// A request as the one who sent it named it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The token's id: keys of different callers never meet.
    pub actor: String,
    pub key: String,
    /// Method and route template.
    pub route: String,
    /// Over the body.
    pub hash: Digest,
}

/// What to do with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Do it, then [`finish`] (or [`forget`] where it was refused).
    New,
    /// It was done; this was the answer.
    Done { status: u16, response: String },
    /// It is being done at this moment.
    InProgress,
    /// The key was used for something else.
    Mismatch,
}

/// Notes the request, or says what is known of it. One that was begun longer than `abandoned_after` ago and never
/// finished (its server died) is new again.
pub async fn begin(tx: &mut Tx, request: &Request, abandoned_after: Duration) -> Result<Admission> {
    let now = tx.now();
    let args = args![tx.org(), &request.actor, &request.key];
    let Some(row) = tx.fetch_opt(&GET, args).await? else {
        let hash = request.hash.as_bytes().as_slice();
        let args = args![tx.org(), &request.actor, &request.key, &request.route, hash, now];
        tx.execute(&BEGIN, args).await?;
        return Ok(Admission::New);
    };
    if row.text("route")? != request.route || row.digest("request_hash")? != request.hash {
        return Ok(Admission::Mismatch);
    }
    if let Some(status) = row.opt_i64("status")? {
        let status = u16::try_from(status).map_err(|e| StoreError::unreadable("a stored answer's status", e))?;
        return Ok(Admission::Done { status, response: row.text("response")? });
    }
    let begun = row.time("created_at")?;
    // One from the future was begun before the clock was set back; how long ago nobody knows.
    if now.since(begun) < abandoned_after && begun.since(now) < abandoned_after {
        return Ok(Admission::InProgress);
    }
    let args = args![now, tx.org(), &request.actor, &request.key];
    tx.execute(&RESUME, args).await?;
    Ok(Admission::New)
}

/// Keeps the answer for repeats. Best in the transaction that does what was asked.
pub async fn finish(tx: &mut Tx, request: &Request, status: u16, response: &str) -> Result<()> {
    let args = args![i64::from(status), response, tx.org(), &request.actor, &request.key];
    tx.execute(&FINISH, args).await?;
    Ok(())
}

/// The request was refused and may be sent again under the same key.
pub async fn forget(tx: &mut Tx, request: &Request) -> Result<()> {
    let args = args![tx.org(), &request.actor, &request.key];
    tx.execute(&FORGET, args).await?;
    Ok(())
}

/// Forgets requests from before `before`; how many.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(&PURGE, args![before]).await
}
