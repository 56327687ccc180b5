//! Tokens: scoped, expiring, known by their hash only.

use tradewind_model::{
    access::Bounds,
    event::Actor,
    id::{Digest, OrgName, TokenId, UserId},
    time::Timestamp,
};

use super::Page;
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "org_id, id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, owner_id, bounds"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM tokens WHERE org_id = $1 AND id = $2");
    // Before it is known who asks, there is no tenant to look in.
    BY_HASH = concat!("SELECT ", columns!(), " FROM tokens WHERE hash = $1");
    LIST = concat!(
        "SELECT ", columns!(), " FROM tokens WHERE org_id = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    );
    INSERT = "INSERT INTO tokens (org_id, id, name, scopes, hash, created_by, created_at, expires_at, owner_id, bounds)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    OF_OWNER = concat!("SELECT ", columns!(), " FROM tokens WHERE org_id = $1 AND owner_id = $2 AND revoked_at IS NULL ORDER BY id DESC");
    REVOKE_OF = "UPDATE tokens SET revoked_at = $1 WHERE org_id = $2 AND owner_id = $3 AND revoked_at IS NULL";
    RENAME_OF = "UPDATE tokens SET name = $1 WHERE org_id = $2 AND owner_id = $3";
    REVOKE = "UPDATE tokens SET revoked_at = $1 WHERE org_id = $2 AND id = $3 AND revoked_at IS NULL";
    TOUCH quiet "liveness only" = "UPDATE tokens SET last_used_at = $1 WHERE org_id = $2 AND id = $3";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub org: OrgName,
    pub id: TokenId,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_by: Actor,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// Whose rights it has a part of. None: the machine's owner made it, and it reaches as far as its scopes.
    pub owner: Option<UserId>,
    pub bounds: Bounds,
}

pub struct NewToken {
    pub id: TokenId,
    pub name: String,
    pub scopes: Vec<String>,
    pub hash: Digest,
    pub created_by: Actor,
    pub expires_at: Option<Timestamp>,
    pub owner: Option<UserId>,
    pub bounds: Bounds,
}

impl Token {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            org: r.parse("org_id")?,
            id: r.parse("id")?,
            name: r.text("name")?,
            scopes: r.json("scopes")?.read()?,
            created_by: r.actor("created_by")?,
            created_at: r.time("created_at")?,
            expires_at: r.opt_time("expires_at")?,
            last_used_at: r.opt_time("last_used_at")?,
            revoked_at: r.opt_time("revoked_at")?,
            owner: r.opt_parse("owner_id")?,
            bounds: r.opt_json("bounds")?.map(|b| b.read()).transpose()?.unwrap_or_default(),
        })
    }

    /// Neither revoked nor past its end.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

pub async fn get(r: &mut impl Reader, id: TokenId) -> Result<Token> {
    let args = args![r.org(), id];
    let row = r.fetch_opt(&GET, args).await?;
    Token::from_row(&row.ok_or_else(|| StoreError::not_found("token", id))?)
}

/// Whichever the tenant, valid or not: ask [`Token::is_valid`].
pub async fn by_hash(r: &mut impl Reader, hash: &Digest) -> Result<Option<Token>> {
    r.fetch_opt(&BY_HASH, args![hash.as_bytes().as_slice()]).await?.as_ref().map(Token::from_row).transpose()
}

pub async fn list(r: &mut impl Reader, page: Page<TokenId>) -> Result<Vec<Token>> {
    let args = args![r.org(), page.after, page.limit];
    r.fetch_all(&LIST, args).await?.iter().map(Token::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewToken) -> Result<Token> {
    let now = tx.now();
    let args = args![
        tx.org(),
        new.id,
        &new.name,
        Json::of(&new.scopes),
        new.hash.as_bytes().as_slice(),
        &new.created_by,
        now,
        new.expires_at,
        new.owner,
        Json::of(&new.bounds)
    ];
    tx.execute(&INSERT, args).await?;
    Ok(Token {
        org: tx.org().clone(),
        id: new.id,
        name: new.name,
        scopes: new.scopes,
        created_by: new.created_by,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
        owner: new.owner,
        bounds: new.bounds,
    })
}

/// False where it was revoked before.
pub async fn revoke(tx: &mut Tx, id: TokenId) -> Result<bool> {
    get(tx, id).await?;
    let args = args![tx.now(), tx.org(), id];
    Ok(tx.execute(&REVOKE, args).await? == 1)
}

/// Those of one owner that are not revoked, newest first.
pub async fn of_owner(r: &mut impl Reader, owner: UserId) -> Result<Vec<Token>> {
    let args = args![r.org(), owner];
    r.fetch_all(&OF_OWNER, args).await?.iter().map(Token::from_row).collect()
}

/// All of one owner; how many.
pub async fn revoke_of(tx: &mut Tx, owner: UserId) -> Result<u64> {
    let args = args![tx.now(), tx.org(), owner];
    tx.execute(&REVOKE_OF, args).await
}

/// Their names say who used them, and on which machine.
pub async fn rename_of(tx: &mut Tx, owner: UserId, name: &str) -> Result<u64> {
    let args = args![name, tx.org(), owner];
    tx.execute(&RENAME_OF, args).await
}

pub async fn touch(tx: &mut Tx, id: TokenId) -> Result<()> {
    let args = args![tx.now(), tx.org(), id];
    tx.execute(&TOUCH, args).await?;
    Ok(())
}
