//! People and service accounts.

use tradewind_model::{
    event::Actor,
    id::{OrgName, UserId},
    time::Timestamp,
};

use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

macro_rules! columns {
    () => {
        "org_id, id, handle, kind, name, email, password, password_set_at, totp, totp_since, totp_step, created_by, created_at, \
         last_seen_at, disabled_at, erased_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM users WHERE org_id = $1 AND id = $2");
    BY_HANDLE = concat!("SELECT ", columns!(), " FROM users WHERE org_id = $1 AND handle = $2");
    LIST = concat!("SELECT ", columns!(), " FROM users WHERE org_id = $1 ORDER BY handle");
    COUNT = "SELECT COUNT(*) AS n FROM users WHERE org_id = $1 AND kind = 'person'";
    INSERT = "INSERT INTO users (org_id, id, handle, kind, name, email, password, password_set_at, created_by, created_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)";
    UPDATE = "UPDATE users SET name = $1, email = $2, password = $3, password_set_at = $4, totp = $5, totp_since = $6,
        totp_step = $7, disabled_at = $8, erased_at = $9, version = version + 1 WHERE org_id = $10 AND id = $11 AND version = $12";
    SEEN quiet "liveness only" = "UPDATE users SET last_seen_at = $1 WHERE org_id = $2 AND id = $3";
    STEP quiet "told of by the sign-in it belongs to" =
        "UPDATE users SET totp_step = $1 WHERE org_id = $2 AND id = $3 AND totp_step < $1";
}

#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub org: OrgName,
    pub id: UserId,
    pub handle: String,
    pub is_service: bool,
    pub name: String,
    pub email: Option<String>,
    /// A PHC string.
    pub password: Option<String>,
    pub password_set_at: Option<Timestamp>,
    /// The second factor's secret, sealed; it is asked for from `totp_since` on.
    pub totp: Option<String>,
    pub totp_since: Option<Timestamp>,
    pub totp_step: i64,
    pub created_by: Actor,
    pub created_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    /// When what was known of them was taken away.
    pub erased_at: Option<Timestamp>,
    pub version: i64,
}

/// What protects an account is in no log.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("handle", &self.handle).finish_non_exhaustive()
    }
}

pub struct NewUser {
    pub id: UserId,
    pub handle: String,
    pub is_service: bool,
    pub name: String,
    pub email: Option<String>,
    pub password: Option<String>,
    pub created_by: Actor,
}

impl User {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            org: r.parse("org_id")?,
            id: r.parse("id")?,
            handle: r.text("handle")?,
            is_service: r.text("kind")? == "service",
            name: r.text("name")?,
            email: r.opt_text("email")?,
            password: r.opt_text("password")?,
            password_set_at: r.opt_time("password_set_at")?,
            totp: r.opt_text("totp")?,
            totp_since: r.opt_time("totp_since")?,
            totp_step: r.i64("totp_step")?,
            created_by: r.actor("created_by")?,
            created_at: r.time("created_at")?,
            last_seen_at: r.opt_time("last_seen_at")?,
            disabled_at: r.opt_time("disabled_at")?,
            erased_at: r.opt_time("erased_at")?,
            version: r.i64("version")?,
        })
    }

    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

pub async fn find(r: &mut impl Reader, id: UserId) -> Result<Option<User>> {
    let args = args![r.org(), id];
    r.fetch_opt(&GET, args).await?.as_ref().map(User::from_row).transpose()
}

pub async fn by_handle(r: &mut impl Reader, handle: &str) -> Result<Option<User>> {
    let args = args![r.org(), handle];
    r.fetch_opt(&BY_HANDLE, args).await?.as_ref().map(User::from_row).transpose()
}

/// By handle.
pub async fn list(r: &mut impl Reader) -> Result<Vec<User>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(User::from_row).collect()
}

/// How many people there are.
pub async fn count(r: &mut impl Reader) -> Result<u64> {
    let args = args![r.org()];
    r.fetch_one(&COUNT, args).await?.u64("n")
}

pub async fn insert(tx: &mut Tx, new: NewUser) -> Result<User> {
    let now = tx.now();
    let set_at = new.password.is_some().then_some(now);
    let kind = if new.is_service { "service" } else { "person" };
    let args = args![
        tx.org(),
        new.id,
        &new.handle,
        kind,
        &new.name,
        new.email.clone(),
        new.password.clone(),
        set_at,
        &new.created_by,
        now
    ];
    tx.execute(&INSERT, args).await?;
    Ok(User {
        org: tx.org().clone(),
        id: new.id,
        handle: new.handle,
        is_service: new.is_service,
        name: new.name,
        email: new.email,
        password: new.password,
        password_set_at: set_at,
        totp: None,
        totp_since: None,
        totp_step: 0,
        created_by: new.created_by,
        created_at: now,
        last_seen_at: None,
        disabled_at: None,
        erased_at: None,
        version: 1,
    })
}

/// Writes name, address, password, second factor, and since when it is disabled or erased.
pub async fn update(tx: &mut Tx, user: User) -> Result<User> {
    let args = args![
        &user.name,
        user.email.clone(),
        user.password.clone(),
        user.password_set_at,
        user.totp.clone(),
        user.totp_since,
        user.totp_step,
        user.disabled_at,
        user.erased_at,
        tx.org(),
        user.id,
        user.version
    ];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(User { version: user.version + 1, ..user }),
        _ => Err(StoreError::conflict("user", user.id)),
    }
}

pub async fn seen(tx: &mut Tx, id: UserId) -> Result<()> {
    let args = args![tx.now(), tx.org(), id];
    tx.execute(&SEEN, args).await?;
    Ok(())
}

/// Uses up a step of the second factor; false where it, or a later one, was used before.
pub async fn use_step(tx: &mut Tx, id: UserId, step: i64) -> Result<bool> {
    let args = args![step, tx.org(), id];
    Ok(tx.execute(&STEP, args).await? == 1)
}
