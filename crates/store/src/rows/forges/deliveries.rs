//! What came by a link, a row a branch.

use tradewind_model::{
    id::{Commit, DeliveryId, LinkId, RunId},
    time::Timestamp,
};

use super::super::Page;
use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "id, link, delivery, part, essence, received_at, branch, before_id, after_id, pusher, state, tries, next_at, why, run, ended_at"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM forge_deliveries WHERE org_id = $1 AND id = $2");
    LIST = concat!(
        "SELECT ", columns!(), " FROM forge_deliveries
         WHERE org_id = $1 AND link = $2 AND (CAST($3 AS TEXT) IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
    );
    FIRST_WAITING = concat!(
        "SELECT ", columns!(), " FROM forge_deliveries
         WHERE org_id = $1 AND link = $2 AND next_at IS NOT NULL ORDER BY id LIMIT 1"
    );
    WAITING = "SELECT COUNT(*) AS n, MIN(received_at) AS since FROM forge_deliveries WHERE org_id = $1 AND next_at IS NOT NULL";
    INSERT = "INSERT INTO forge_deliveries (org_id, id, link, delivery, part, essence, received_at, branch, before_id, after_id,
            pusher, state, tries, next_at, why, ended_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $15) ON CONFLICT DO NOTHING";
    AGAIN quiet "how far it is; what comes of it is told of" =
        "UPDATE forge_deliveries SET tries = tries + 1, next_at = $1, why = $2 WHERE org_id = $3 AND id = $4";
    HURRY quiet "when it is tried again" =
        "UPDATE forge_deliveries SET next_at = $1 WHERE org_id = $2 AND link = $3 AND next_at IS NOT NULL";
    END = "UPDATE forge_deliveries SET state = $1, next_at = NULL, why = $2, run = $3, ended_at = $4
        WHERE org_id = $5 AND id = $6 AND next_at IS NOT NULL";
    PURGE quiet "long over" = "DELETE FROM forge_deliveries WHERE org_id = $1 AND received_at < $2 AND next_at IS NULL";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    pub id: DeliveryId,
    pub link: LinkId,
    /// In the forge's words.
    pub delivery: String,
    /// Which of the branches that it moved, from 0.
    pub part: u32,
    pub essence: Option<String>,
    pub received_at: Timestamp,
    pub branch: Option<String>,
    pub before: Option<Commit>,
    pub after: Option<Commit>,
    /// As the forge calls them.
    pub pusher: String,
    /// `waiting`, `done`, `failed`, `stale`, `ignored`.
    pub state: String,
    pub tries: u32,
    /// Some exactly while it waits.
    pub next_at: Option<Timestamp>,
    /// A sentence.
    pub why: Option<Json>,
    pub run: Option<RunId>,
    pub ended_at: Option<Timestamp>,
}

pub struct NewDelivery {
    pub id: DeliveryId,
    pub link: LinkId,
    pub delivery: String,
    pub part: u32,
    pub essence: Option<String>,
    pub branch: Option<String>,
    pub before: Option<Commit>,
    pub after: Option<Commit>,
    pub pusher: String,
    pub state: String,
    /// There is something to do for it.
    pub waits: bool,
    pub why: Option<Json>,
}

impl Delivery {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            link: r.parse("link")?,
            delivery: r.text("delivery")?,
            part: u32::try_from(r.i64("part")?).unwrap_or(u32::MAX),
            essence: r.opt_text("essence")?,
            received_at: r.time("received_at")?,
            branch: r.opt_text("branch")?,
            before: r.opt_parse("before_id")?,
            after: r.opt_parse("after_id")?,
            pusher: r.text("pusher")?,
            state: r.text("state")?,
            tries: u32::try_from(r.i64("tries")?).unwrap_or(u32::MAX),
            next_at: r.opt_time("next_at")?,
            why: r.opt_json("why")?,
            run: r.opt_parse("run")?,
            ended_at: r.opt_time("ended_at")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, id: DeliveryId) -> Result<Option<Delivery>> {
    let args = args![r.org(), id];
    r.fetch_opt(&GET, args).await?.as_ref().map(Delivery::from_row).transpose()
}

/// Newest first.
pub async fn list(r: &mut impl Reader, link: LinkId, page: Page<DeliveryId>) -> Result<Vec<Delivery>> {
    let args = args![r.org(), link, page.after, page.limit];
    r.fetch_all(&LIST, args).await?.iter().map(Delivery::from_row).collect()
}

/// The oldest for which something is to be done.
pub async fn first_waiting(r: &mut impl Reader, link: LinkId) -> Result<Option<Delivery>> {
    let args = args![r.org(), link];
    r.fetch_opt(&FIRST_WAITING, args).await?.as_ref().map(Delivery::from_row).transpose()
}

/// How many wait for something to be done, and since when the oldest.
pub async fn waiting(r: &mut impl Reader) -> Result<(u64, Option<Timestamp>)> {
    let args = args![r.org()];
    let row = r.fetch_one(&WAITING, args).await?;
    Ok((row.i64("n")?.unsigned_abs(), row.opt_time("since")?))
}

/// There is news of the forge: what waits for its time need not.
pub async fn hurry(tx: &mut Tx, link: LinkId) -> Result<()> {
    let args = args![tx.now(), tx.org(), link];
    tx.execute(&HURRY, args).await?;
    Ok(())
}

/// False where it is known by its name, or by what its signature holds together.
pub async fn insert(tx: &mut Tx, new: &NewDelivery) -> Result<bool> {
    let now = tx.now();
    let args = args![
        tx.org(),
        new.id,
        new.link,
        &new.delivery,
        new.part,
        new.essence.clone(),
        now,
        new.branch.clone(),
        new.before.clone(),
        new.after.clone(),
        &new.pusher,
        &new.state,
        new.waits.then_some(now),
        new.why.clone(),
        (!new.waits).then_some(now)
    ];
    Ok(tx.execute(&INSERT, args).await? == 1)
}

/// It did not work, and is tried again.
pub async fn again(tx: &mut Tx, id: DeliveryId, next_at: Timestamp, why: &Json) -> Result<()> {
    let args = args![next_at, why, tx.org(), id];
    tx.execute(&AGAIN, args).await?;
    Ok(())
}

/// False where it had ended.
pub async fn end(tx: &mut Tx, id: DeliveryId, state: &str, why: Option<Json>, run: Option<RunId>) -> Result<bool> {
    let args = args![state, why, run, tx.now(), tx.org(), id];
    Ok(tx.execute(&END, args).await? == 1)
}

/// Forgets what came before.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<()> {
    let args = args![tx.org(), before];
    tx.execute(&PURGE, args).await?;
    Ok(())
}
