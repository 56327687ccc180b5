//! Invitations: for one person, used once, before their end, or not at all.

use tradewind_model::{
    event::Actor,
    id::{Digest, InvitationId, OrgName},
    time::Timestamp,
};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "org_id, id, handle, name, email, grants, invited_by, invited_at, expires_at"
    };
}

statements! {
    // Who accepts belongs to no tenant yet.
    BY_HASH = concat!("SELECT ", columns!(), " FROM invitations
        WHERE hash = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2");
    OPEN = concat!("SELECT ", columns!(), " FROM invitations
        WHERE org_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2 ORDER BY id");
    INSERT = "INSERT INTO invitations (org_id, id, hash, handle, name, email, grants, invited_by, invited_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    ACCEPT = "UPDATE invitations SET accepted_at = $1
        WHERE org_id = $2 AND id = $3 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $1";
    FORGET = "DELETE FROM invitations WHERE org_id = $1 AND (email = $2 OR handle = $3)";
    REVOKE = "UPDATE invitations SET revoked_at = $1
        WHERE org_id = $2 AND id = $3 AND accepted_at IS NULL AND revoked_at IS NULL";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    pub org: OrgName,
    pub id: InvitationId,
    pub handle: String,
    pub name: String,
    pub email: String,
    pub grants: Json,
    pub invited_by: Actor,
    pub invited_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Invitation {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            org: r.parse("org_id")?,
            id: r.parse("id")?,
            handle: r.text("handle")?,
            name: r.text("name")?,
            email: r.text("email")?,
            grants: r.json("grants")?,
            invited_by: r.actor("invited_by")?,
            invited_at: r.time("invited_at")?,
            expires_at: r.time("expires_at")?,
        })
    }
}

/// An open one, whichever the tenant.
pub async fn by_hash(r: &mut impl Reader, hash: &Digest, now: Timestamp) -> Result<Option<Invitation>> {
    let args = args![hash.as_bytes().as_slice(), now];
    r.fetch_opt(&BY_HASH, args).await?.as_ref().map(Invitation::from_row).transpose()
}

/// Those that can still be accepted, oldest first.
pub async fn open(r: &mut impl Reader, now: Timestamp) -> Result<Vec<Invitation>> {
    let args = args![r.org(), now];
    r.fetch_all(&OPEN, args).await?.iter().map(Invitation::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: &Invitation, hash: &Digest) -> Result<()> {
    let args = args![
        tx.org(),
        new.id,
        hash.as_bytes().as_slice(),
        &new.handle,
        &new.name,
        &new.email,
        &new.grants,
        &new.invited_by,
        new.invited_at,
        new.expires_at
    ];
    tx.execute(&INSERT, args).await?;
    Ok(())
}

/// True exactly once.
pub async fn accept(tx: &mut Tx, id: InvitationId) -> Result<bool> {
    let args = args![tx.now(), tx.org(), id];
    Ok(tx.execute(&ACCEPT, args).await? == 1)
}

/// False where it was used or revoked before, or never was.
pub async fn revoke(tx: &mut Tx, id: InvitationId) -> Result<bool> {
    let args = args![tx.now(), tx.org(), id];
    Ok(tx.execute(&REVOKE, args).await? == 1)
}

/// Takes away those that went to an address, or made this user.
pub async fn forget(tx: &mut Tx, email: Option<&str>, handle: &str) -> Result<u64> {
    let args = args![tx.org(), email.map(str::to_owned), handle];
    tx.execute(&FORGET, args).await
}
