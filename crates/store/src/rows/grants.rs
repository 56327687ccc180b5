//! Roles given to people and groups.

use std::{fmt, str::FromStr};
use tradewind_model::{
    access::{Bounds, Grant},
    event::Actor,
    id::{GrantId, GroupId, UserId},
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
        "id, holder, role, service, env, site, granted_by, granted_at"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM grants WHERE org_id = $1 AND id = $2");
    LIST = concat!("SELECT ", columns!(), " FROM grants WHERE org_id = $1 ORDER BY id");
    OF_USER = concat!("SELECT ", columns!(), " FROM grants WHERE org_id = $1 AND (holder = $2 OR holder IN
        (SELECT 'group/' || group_id FROM group_members WHERE org_id = $1 AND user_id = $3)) ORDER BY id");
    INSERT = "INSERT INTO grants (org_id, id, holder, role, service, env, site, granted_by, granted_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    DELETE = "DELETE FROM grants WHERE org_id = $1 AND id = $2";
    DELETE_OF = "DELETE FROM grants WHERE org_id = $1 AND holder = $2";
}

/// Who holds a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    User(UserId),
    Group(GroupId),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user/{id}"),
            Self::Group(id) => write!(f, "group/{id}"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` holds no role: expected user/ID or group/ID")]
pub struct BadHolder(String);

impl FromStr for Holder {
    type Err = BadHolder;
    fn from_str(s: &str) -> Result<Self, BadHolder> {
        let bad = || BadHolder(s.to_owned());
        match s.split_once('/').ok_or_else(bad)? {
            ("user", id) => id.parse().map(Self::User).map_err(|_| bad()),
            ("group", id) => id.parse().map(Self::Group).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Granted {
    pub id: GrantId,
    pub holder: Holder,
    pub grant: Grant,
    pub by: Actor,
    pub at: Timestamp,
}

impl Granted {
    fn from_row(r: &Row) -> Result<Self> {
        let bounds = Bounds { service: r.opt_parse("service")?, env: r.opt_parse("env")?, site: r.opt_parse("site")? };
        Ok(Self {
            id: r.parse("id")?,
            holder: r.parse("holder")?,
            grant: Grant { role: r.parse("role")?, bounds },
            by: r.actor("granted_by")?,
            at: r.time("granted_at")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, id: GrantId) -> Result<Option<Granted>> {
    let args = args![r.org(), id];
    r.fetch_opt(&GET, args).await?.as_ref().map(Granted::from_row).transpose()
}

/// Oldest first.
pub async fn list(r: &mut impl Reader) -> Result<Vec<Granted>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(Granted::from_row).collect()
}

/// Those of a person and of the groups they are in.
pub async fn of_user(r: &mut impl Reader, user: UserId) -> Result<Vec<Granted>> {
    let args = args![r.org(), Holder::User(user).to_string(), user];
    r.fetch_all(&OF_USER, args).await?.iter().map(Granted::from_row).collect()
}

pub async fn insert(tx: &mut Tx, id: GrantId, holder: Holder, grant: Grant, by: &Actor) -> Result<Granted> {
    let now = tx.now();
    let Bounds { service, env, site } = &grant.bounds;
    let (role, holder_text) = (grant.role.as_str(), holder.to_string());
    let args = args![tx.org(), id, holder_text, role, service.as_ref(), env.as_ref(), site.as_ref(), by, now];
    tx.execute(&INSERT, args).await?;
    Ok(Granted { id, holder, grant, by: by.clone(), at: now })
}

/// False where there is none of that id.
pub async fn delete(tx: &mut Tx, id: GrantId) -> Result<bool> {
    let args = args![tx.org(), id];
    Ok(tx.execute(&DELETE, args).await? == 1)
}

/// All of one holder; how many.
pub async fn delete_of(tx: &mut Tx, holder: Holder) -> Result<u64> {
    let args = args![tx.org(), holder.to_string()];
    tx.execute(&DELETE_OF, args).await
}
