//! What a rollout's judge was told, in the order it was taken in. Rows are only added, so a reader that has seen the
//! first N needs only those after them.

use tradewind_model::{id::RolloutId, time::Timestamp};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

statements! {
    // Numbered without gaps. Two writers that meet take the same number, and one of them comes again.
    APPEND quiet "counts; what follows from them is told of" =
        "INSERT INTO evidence (org_id, rollout_id, seq, source, upto, body, received_at)
         SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), COALESCE(MAX(seq), 0) + 1, CAST($3 AS TEXT), CAST($4 AS BIGINT),
            CAST($5 AS TEXT), CAST($6 AS BIGINT) FROM evidence WHERE rollout_id = $2";
    AFTER = "SELECT seq, source, upto, body, received_at FROM evidence
        WHERE org_id = $1 AND rollout_id = $2 AND seq > $3 ORDER BY seq";
    FIRST = "SELECT seq, source, upto, body, received_at FROM evidence
        WHERE org_id = $1 AND rollout_id = $2 ORDER BY seq LIMIT $3";
    UPTO = "SELECT COALESCE(MAX(upto), 0) AS upto FROM evidence WHERE org_id = $1 AND rollout_id = $2 AND source = $3";
    PURGE quiet "evidence about rollouts long over" =
        "DELETE FROM evidence WHERE org_id = $1 AND rollout_id IN
            (SELECT id FROM rollouts WHERE org_id = $1 AND finished_at < $2)";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// From 1 within its rollout.
    pub seq: i64,
    /// Who counted; empty for what the control plane says itself.
    pub source: String,
    pub upto: i64,
    pub body: Json,
    /// By the server's clock.
    pub received_at: Timestamp,
}

impl Evidence {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            seq: r.i64("seq")?,
            source: r.text("source")?,
            upto: r.i64("upto")?,
            body: r.json("body")?,
            received_at: r.time("received_at")?,
        })
    }
}

/// `upto` is the last of the source's own numbers that `body` holds.
pub async fn append(tx: &mut Tx, rollout: RolloutId, source: &str, upto: i64, body: &Json) -> Result<()> {
    let args = args![tx.org(), rollout, source, upto, body, tx.now()];
    tx.execute(&APPEND, args).await?;
    Ok(())
}

/// What came after the first `seq`.
pub async fn after(r: &mut impl Reader, rollout: RolloutId, seq: i64) -> Result<Vec<Evidence>> {
    let args = args![r.org(), rollout, seq];
    r.fetch_all(&AFTER, args).await?.iter().map(Evidence::from_row).collect()
}

/// The first rows, `limit` at most.
pub async fn first(r: &mut impl Reader, rollout: RolloutId, limit: u32) -> Result<Vec<Evidence>> {
    let args = args![r.org(), rollout, limit];
    r.fetch_all(&FIRST, args).await?.iter().map(Evidence::from_row).collect()
}

/// The last number of a source that is stored; 0 before there is any.
pub async fn upto(r: &mut impl Reader, rollout: RolloutId, source: &str) -> Result<i64> {
    let args = args![r.org(), rollout, source];
    r.fetch_one(&UPTO, args).await?.i64("upto")
}

/// Forgets what was told about rollouts that ended before `t`.
pub async fn purge(tx: &mut Tx, t: Timestamp) -> Result<u64> {
    let args = args![tx.org(), t];
    tx.execute(&PURGE, args).await
}
