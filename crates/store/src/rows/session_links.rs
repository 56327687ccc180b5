//! Links that sign a browser in: used once, before their end, or not at all.

use tradewind_model::{
    id::{Digest, OrgName, UserId},
    time::Timestamp,
};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::args,
};

statements! {
    INSERT = "INSERT INTO session_links (org_id, hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    // Whoever opens one belongs to no tenant yet.
    OPEN = "SELECT org_id, user_id FROM session_links WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
    CONSUME = "UPDATE session_links SET used_at = $1 WHERE hash = $2 AND used_at IS NULL AND expires_at > $1";
    PURGE quiet "they are worth nothing any more" = "DELETE FROM session_links WHERE expires_at <= $1";
    FORGET = "DELETE FROM session_links WHERE org_id = $1 AND user_id = $2";
}

pub async fn insert(tx: &mut Tx, hash: &Digest, user: UserId, expires_at: Timestamp) -> Result<()> {
    let args = args![tx.org(), hash.as_bytes().as_slice(), user, tx.now(), expires_at];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

/// Whose it is, while it is good.
pub async fn open(r: &mut impl Reader, hash: &Digest, now: Timestamp) -> Result<Option<(OrgName, UserId)>> {
    let found = r.fetch_opt(&OPEN, args![hash.as_bytes().as_slice(), now]).await?;
    found.map(|row| Ok((row.parse("org_id")?, row.parse("user_id")?))).transpose()
}

/// True exactly once, and only before the link's end.
pub async fn consume(tx: &mut Tx, hash: &Digest) -> Result<bool> {
    let args = args![tx.now(), hash.as_bytes().as_slice()];
    Ok(tx.execute(&CONSUME, args).await? == 1)
}

pub async fn purge(tx: &mut Tx, end: Timestamp) -> Result<u64> {
    tx.execute(&PURGE, args![end]).await
}

/// All of a user.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<u64> {
    let args = args![tx.org(), user];
    tx.execute(&FORGET, args).await
}
