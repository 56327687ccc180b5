//! One link a service: where its repository is.

use tradewind_model::{
    event::Actor,
    id::{LinkId, OrgName, ServiceName, UserId},
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
        "org_id, id, service, kind, url, api, hook, account, secret, token, created_at, created_by, refused, refused_at, \
         refused_why, told_at, version"
    };
}

statements! {
    OF_SERVICE = concat!("SELECT ", columns!(), " FROM forge_links WHERE org_id = $1 AND service = $2");
    // Whoever knows a hook's name has not said whose it is.
    OF_HOOK = concat!("SELECT ", columns!(), " FROM forge_links WHERE hook = $1");
    GET = concat!("SELECT ", columns!(), " FROM forge_links WHERE org_id = $1 AND id = $2");
    LIST = concat!("SELECT ", columns!(), " FROM forge_links WHERE org_id = $1 ORDER BY service");
    INSERT = "INSERT INTO forge_links (org_id, id, service, kind, url, api, hook, account, secret, token, created_at, created_by,
            refused, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 1)";
    UPDATE = "UPDATE forge_links SET api = $1, secret = $2, token = $3, version = version + 1
        WHERE org_id = $4 AND id = $5 AND version = $6";
    REFUSE quiet "told of now and then, with how many there were" =
        "UPDATE forge_links SET refused = refused + $1, refused_at = $2, refused_why = $3 WHERE org_id = $4 AND id = $5";
    TELL = "UPDATE forge_links SET told_at = $1 WHERE org_id = $2 AND id = $3";
    REMOVE = "DELETE FROM forge_links WHERE org_id = $1 AND id = $2";
    REMOVE_DELIVERIES = "DELETE FROM forge_deliveries WHERE org_id = $1 AND link = $2";
    REMOVE_STATUSES = "DELETE FROM forge_statuses WHERE org_id = $1 AND link = $2";
}

#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    pub org: OrgName,
    pub id: LinkId,
    pub service: ServiceName,
    /// `github`, `gitlab`, …
    pub kind: String,
    /// The repository's.
    pub url: String,
    /// Where the forge answers programs, where that does not follow from `url`.
    pub api: Option<String>,
    /// The last part of the address deliveries are sent to.
    pub hook: String,
    /// Whose rights its pushes have.
    pub account: UserId,
    /// Sealed: what deliveries prove themselves with.
    pub secret: String,
    /// Sealed: what the forge knows us by.
    pub token: Option<String>,
    pub created_at: Timestamp,
    pub created_by: Actor,
    /// Deliveries that were not let in.
    pub refused: u64,
    pub refused_at: Option<Timestamp>,
    pub refused_why: Option<String>,
    /// When an event last told of them.
    pub told_at: Option<Timestamp>,
    pub version: i64,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("id", &self.id).field("service", &self.service).finish_non_exhaustive()
    }
}

pub struct NewLink {
    pub id: LinkId,
    pub service: ServiceName,
    pub kind: String,
    pub url: String,
    pub api: Option<String>,
    pub hook: String,
    pub account: UserId,
    pub secret: String,
    pub token: Option<String>,
    pub created_by: Actor,
}

impl Link {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            org: r.parse("org_id")?,
            id: r.parse("id")?,
            service: r.parse("service")?,
            kind: r.text("kind")?,
            url: r.text("url")?,
            api: r.opt_text("api")?,
            hook: r.text("hook")?,
            account: r.parse("account")?,
            secret: r.text("secret")?,
            token: r.opt_text("token")?,
            created_at: r.time("created_at")?,
            created_by: r.actor("created_by")?,
            refused: r.u64("refused")?,
            refused_at: r.opt_time("refused_at")?,
            refused_why: r.opt_text("refused_why")?,
            told_at: r.opt_time("told_at")?,
            version: r.i64("version")?,
        })
    }
}

pub async fn of_service(r: &mut impl Reader, service: &ServiceName) -> Result<Option<Link>> {
    let args = args![r.org(), service];
    r.fetch_opt(&OF_SERVICE, args).await?.as_ref().map(Link::from_row).transpose()
}

/// Whichever tenant's it is.
pub async fn of_hook(r: &mut impl Reader, hook: &str) -> Result<Option<Link>> {
    r.fetch_opt(&OF_HOOK, args![hook]).await?.as_ref().map(Link::from_row).transpose()
}

pub async fn find(r: &mut impl Reader, id: LinkId) -> Result<Option<Link>> {
    let args = args![r.org(), id];
    r.fetch_opt(&GET, args).await?.as_ref().map(Link::from_row).transpose()
}

/// By service.
pub async fn list(r: &mut impl Reader) -> Result<Vec<Link>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(Link::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewLink) -> Result<Link> {
    let now = tx.now();
    let args = args![
        tx.org(),
        new.id,
        &new.service,
        &new.kind,
        &new.url,
        new.api.clone(),
        &new.hook,
        new.account,
        &new.secret,
        new.token.clone(),
        now,
        &new.created_by
    ];
    tx.execute(&INSERT, args).await?;
    let made = find(tx, new.id).await?;
    made.ok_or_else(|| StoreError::not_found("link", new.id))
}

/// Writes where the forge answers, the secret and the token.
pub async fn update(tx: &mut Tx, link: Link) -> Result<Link> {
    let args = args![link.api.clone(), &link.secret, link.token.clone(), tx.org(), link.id, link.version];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Link { version: link.version + 1, ..link }),
        _ => Err(StoreError::conflict("link", link.id)),
    }
}

/// Counts deliveries that were not let in.
pub async fn refuse(tx: &mut Tx, id: LinkId, n: u32, why: &str) -> Result<()> {
    let args = args![n, tx.now(), why, tx.org(), id];
    tx.execute(&REFUSE, args).await?;
    Ok(())
}

/// An event told how many there were.
pub async fn tell(tx: &mut Tx, id: LinkId) -> Result<()> {
    let args = args![tx.now(), tx.org(), id];
    tx.execute(&TELL, args).await?;
    Ok(())
}

/// With all that came by it.
pub async fn remove(tx: &mut Tx, id: LinkId) -> Result<()> {
    for statement in [&REMOVE_STATUSES, &REMOVE_DELIVERIES, &REMOVE] {
        let args = args![tx.org(), id];
        tx.execute(statement, args).await?;
    }
    Ok(())
}
