//! Leases: at most one holder of a name, for a time, and a fence that rises with every holder.
//!
//! Whoever held a lease and slept through its end must not act: transactions that rely on one call [`check`] first,
//! and a stale fence is refused there.

use std::time::Duration;
use tradewind_model::time::Timestamp;

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

statements! {
    // A lease that ends later than any holder could have asked for was written under a clock that has since jumped
    // back: it counts as ended, and the fence keeps its holder out.
    TAKE quiet "who works, not what was done" =
        "INSERT INTO leases (name, holder, until_at, fence) VALUES ($1, $2, $3, 1)
         ON CONFLICT (name) DO UPDATE SET holder = $2, until_at = $3, fence = leases.fence + 1
         WHERE leases.until_at <= $4 OR leases.until_at > $5
         RETURNING fence";
    RENEW quiet "who works, not what was done" =
        "UPDATE leases SET until_at = $1 WHERE name = $2 AND holder = $3 AND until_at > $4 AND ($5 < 0 OR fence = $5)
         RETURNING fence";
    RELEASE quiet "who works, not what was done" =
        "UPDATE leases SET until_at = 0 WHERE name = $1 AND holder = $2 AND fence = $3";
    GET = "SELECT name, holder, until_at, fence FROM leases WHERE name = $1";
}

/// Proof of a lease at some moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    pub name: String,
    pub holder: String,
    pub until: Timestamp,
    /// Rises with every change of holder.
    pub fence: i64,
}

impl Lease {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            name: r.text("name")?,
            holder: r.text("holder")?,
            until: r.time("until_at")?,
            fence: r.i64("fence")?,
        })
    }
}

/// Takes the lease where nobody holds it, or prolongs the holder's own; `None` while another holds it.
pub async fn acquire(tx: &mut Tx, name: &str, holder: &str, duration: Duration) -> Result<Option<Lease>> {
    let now = tx.now();
    let until = now.plus(duration);
    let lease = |fence| Lease { name: name.to_owned(), holder: holder.to_owned(), until, fence };
    let mine = tx.fetch_opt(&RENEW, args![until, name, holder, now, -1_i64]).await?;
    if let Some(row) = mine {
        return Ok(Some(lease(row.i64("fence")?)));
    }
    let taken = tx.fetch_opt(&TAKE, args![name, holder, until, now, until.plus(duration)]).await?;
    taken.map(|row| Ok(lease(row.i64("fence")?))).transpose()
}

/// # Errors
/// [`StoreError::StaleFence`] where it ran out or went to another.
pub async fn renew(tx: &mut Tx, lease: &Lease, duration: Duration) -> Result<Lease> {
    let now = tx.now();
    let until = now.plus(duration);
    let row = tx.fetch_opt(&RENEW, args![until, &lease.name, &lease.holder, now, lease.fence]).await?;
    match row {
        Some(_) => Ok(Lease { until, ..lease.clone() }),
        None => Err(stale(lease)),
    }
}

/// Gives the lease back at once. Giving back what is not held any more changes nothing.
pub async fn release(tx: &mut Tx, lease: &Lease) -> Result<()> {
    tx.execute(&RELEASE, args![&lease.name, &lease.holder, lease.fence]).await?;
    Ok(())
}

/// Refuses to go on in this transaction unless the lease is still held.
///
/// # Errors
/// [`StoreError::StaleFence`].
pub async fn check(tx: &mut Tx, lease: &Lease) -> Result<()> {
    let now = tx.now();
    match get(tx, &lease.name).await? {
        Some(l) if l.fence == lease.fence && l.holder == lease.holder && l.until > now => Ok(()),
        _ => Err(stale(lease)),
    }
}

/// As it is stored; it may have run out.
pub async fn get(r: &mut impl Reader, name: &str) -> Result<Option<Lease>> {
    r.fetch_opt(&GET, args![name]).await?.as_ref().map(Lease::from_row).transpose()
}

fn stale(lease: &Lease) -> StoreError {
    StoreError::StaleFence { name: lease.name.clone(), fence: lease.fence }
}
