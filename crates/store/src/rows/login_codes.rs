//! One-time codes: used once, before their end, or not at all.

use tradewind_model::{id::Digest, time::Timestamp};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader as _, Tx},
    value::args,
};

statements! {
    INSERT = "INSERT INTO login_codes (org_id, hash, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    CONSUME = "UPDATE login_codes SET used_at = $1 WHERE hash = $2 AND used_at IS NULL AND expires_at > $1";
    PURGE quiet "they are worth nothing any more" = "DELETE FROM login_codes WHERE expires_at <= $1";
}

pub async fn insert(tx: &mut Tx, hash: &Digest, expires_at: Timestamp) -> Result<()> {
    let args = args![tx.org(), hash.as_bytes().as_slice(), tx.now(), expires_at];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

/// True exactly once, and only before the code's end.
pub async fn consume(tx: &mut Tx, hash: &Digest) -> Result<bool> {
    let args = args![tx.now(), hash.as_bytes().as_slice()];
    Ok(tx.execute(&CONSUME, args).await? == 1)
}

/// Forgets codes that ended before `end`; how many.
pub async fn purge(tx: &mut Tx, end: Timestamp) -> Result<u64> {
    tx.execute(&PURGE, args![end]).await
}
