//! People signed in with a browser, and the codes that stand in for a lost second factor.

use tradewind_model::{
    id::{Digest, OrgName, SessionId, UserId},
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
        "org_id, id, user_id, strong, agent, address, created_at, seen_at, expires_at, ended_at"
    };
}

statements! {
    // Before it is known who asks, there is no tenant to look in.
    BY_HASH = concat!("SELECT ", columns!(), " FROM sessions WHERE hash = $1");
    OF_USER = concat!("SELECT ", columns!(), " FROM sessions
        WHERE org_id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 ORDER BY id DESC");
    INSERT = "INSERT INTO sessions (org_id, id, hash, user_id, strong, agent, address, created_at, seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)";
    SEEN quiet "liveness only" = "UPDATE sessions SET seen_at = $1 WHERE org_id = $2 AND id = $3";
    STRONGER = "UPDATE sessions SET strong = 1 WHERE org_id = $1 AND id = $2";
    END = "UPDATE sessions SET ended_at = $1 WHERE org_id = $2 AND id = $3 AND user_id = $4 AND ended_at IS NULL";
    END_OF = "UPDATE sessions SET ended_at = $1 WHERE org_id = $2 AND user_id = $3 AND id <> $4 AND ended_at IS NULL";
    FORGET = "DELETE FROM sessions WHERE org_id = $1 AND user_id = $2";
    PURGE quiet "they are worth nothing any more" = "DELETE FROM sessions WHERE expires_at <= $1";
    CODE = "INSERT INTO recovery_codes (org_id, hash, user_id, created_at) VALUES ($1, $2, $3, $4)";
    CODES_LEFT = "SELECT COUNT(*) AS n FROM recovery_codes WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL";
    USE_CODE = "UPDATE recovery_codes SET used_at = $1 WHERE org_id = $2 AND hash = $3 AND user_id = $4 AND used_at IS NULL";
    DROP_CODES = "DELETE FROM recovery_codes WHERE org_id = $1 AND user_id = $2";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    pub org: OrgName,
    pub id: SessionId,
    pub user: UserId,
    /// Opened with a second factor.
    pub strong: bool,
    pub agent: String,
    pub address: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl Session {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            org: r.parse("org_id")?,
            id: r.parse("id")?,
            user: r.parse("user_id")?,
            strong: r.bool("strong")?,
            agent: r.text("agent")?,
            address: r.text("address")?,
            created_at: r.time("created_at")?,
            seen_at: r.time("seen_at")?,
            expires_at: r.time("expires_at")?,
            ended_at: r.opt_time("ended_at")?,
        })
    }
}

/// Whichever the tenant, over or not.
pub async fn by_hash(r: &mut impl Reader, hash: &Digest) -> Result<Option<Session>> {
    r.fetch_opt(&BY_HASH, args![hash.as_bytes().as_slice()]).await?.as_ref().map(Session::from_row).transpose()
}

/// Those that are open, newest first.
pub async fn of_user(r: &mut impl Reader, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let args = args![r.org(), user, now];
    r.fetch_all(&OF_USER, args).await?.iter().map(Session::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: &Session, hash: &Digest) -> Result<()> {
    let args = args![
        tx.org(),
        new.id,
        hash.as_bytes().as_slice(),
        new.user,
        new.strong,
        &new.agent,
        &new.address,
        new.created_at,
        new.expires_at
    ];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

pub async fn seen(tx: &mut Tx, id: SessionId) -> Result<()> {
    let args = args![tx.now(), tx.org(), id];
    tx.execute(&SEEN, args).await?;
    Ok(())
}

/// Its owner has shown a second factor.
pub async fn strengthen(tx: &mut Tx, id: SessionId) -> Result<()> {
    let args = args![tx.org(), id];
    tx.execute(&STRONGER, args).await?;
    Ok(())
}

/// False where this user has no such session that is open.
pub async fn end(tx: &mut Tx, id: SessionId, user: UserId) -> Result<bool> {
    let args = args![tx.now(), tx.org(), id, user];
    Ok(tx.execute(&END, args).await? == 1)
}

/// All of a user but one; how many.
pub async fn end_others(tx: &mut Tx, user: UserId, but: Option<SessionId>) -> Result<u64> {
    let but = but.map_or_else(String::new, |id| id.to_string());
    let args = args![tx.now(), tx.org(), user, but];
    tx.execute(&END_OF, args).await
}

/// Forgets those that ended before `end`; how many.
pub async fn purge(tx: &mut Tx, end: Timestamp) -> Result<u64> {
    tx.execute(&PURGE, args![end]).await
}

/// In the place of those there were.
pub async fn set_codes(tx: &mut Tx, user: UserId, hashes: &[Digest]) -> Result<()> {
    let of = args![tx.org(), user];
    tx.execute(&DROP_CODES, of).await?;
    for hash in hashes {
        let args = args![tx.org(), hash.as_bytes().as_slice(), user, tx.now()];
        tx.execute(&CODE, args).await?;
    }
    Ok(())
}

pub async fn codes_left(r: &mut impl Reader, user: UserId) -> Result<u64> {
    let args = args![r.org(), user];
    r.fetch_one(&CODES_LEFT, args).await?.u64("n")
}

/// True exactly once.
pub async fn use_code(tx: &mut Tx, user: UserId, hash: &Digest) -> Result<bool> {
    let args = args![tx.now(), tx.org(), hash.as_bytes().as_slice(), user];
    Ok(tx.execute(&USE_CODE, args).await? == 1)
}

/// Takes away what is known of where somebody signed in from.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<u64> {
    let args = args![tx.org(), user];
    tx.execute(&FORGET, args).await
}
