//! Who agreed to a rollout.

use tradewind_model::{
    id::{RolloutId, UserId},
    time::Timestamp,
};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

statements! {
    OF = "SELECT user_id, handle, note, given_at FROM approvals WHERE org_id = $1 AND rollout_id = $2 ORDER BY given_at, user_id";
    GIVE = "INSERT INTO approvals (org_id, rollout_id, user_id, handle, note, given_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (rollout_id, user_id) DO NOTHING";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    pub user: UserId,
    pub handle: String,
    pub note: String,
    pub at: Timestamp,
}

impl Approval {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            user: r.parse("user_id")?,
            handle: r.text("handle")?,
            note: r.text("note")?,
            at: r.time("given_at")?,
        })
    }
}

/// Oldest first.
pub async fn of(r: &mut impl Reader, rollout: RolloutId) -> Result<Vec<Approval>> {
    let args = args![r.org(), rollout];
    r.fetch_all(&OF, args).await?.iter().map(Approval::from_row).collect()
}

/// False where they had agreed before.
pub async fn give(tx: &mut Tx, rollout: RolloutId, user: UserId, handle: &str, note: &str) -> Result<bool> {
    let args = args![tx.org(), rollout, user, handle, note, tx.now()];
    Ok(tx.execute(&GIVE, args).await? == 1)
}
