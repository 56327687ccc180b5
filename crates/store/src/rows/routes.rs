//! Routes: the traffic a place is to have. The version is the one agents and edges know.

use tradewind_model::{
    id::{Place, ServiceName},
    time::Timestamp,
};

use super::revisions::place;
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

macro_rules! columns {
    () => {
        "service, env, site, body, created_at, changed_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM routes WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4");
    LIST = concat!(
        "SELECT ", columns!(), " FROM routes WHERE org_id = $1 AND (CAST($2 AS TEXT) IS NULL OR service = $2) ORDER BY service, env, site"
    );
    INSERT = "INSERT INTO routes (org_id, service, env, site, body, created_at, changed_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $6, 1) ON CONFLICT (org_id, service, env, site) DO NOTHING";
    UPDATE = "UPDATE routes SET body = $1, changed_at = $2, version = version + 1
        WHERE org_id = $3 AND service = $4 AND env = $5 AND site = $6 AND version = $7";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    pub place: Place,
    pub body: Json,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// Rises by one with every change.
    pub version: i64,
}

impl Route {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            place: place(r)?,
            body: r.json("body")?,
            created_at: r.time("created_at")?,
            changed_at: r.time("changed_at")?,
            version: r.i64("version")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, place: &Place) -> Result<Option<Route>> {
    let args = args![r.org(), &place.service, &place.env, &place.site];
    r.fetch_opt(&GET, args).await?.as_ref().map(Route::from_row).transpose()
}

/// Of one service or of all.
pub async fn list(r: &mut impl Reader, service: Option<&ServiceName>) -> Result<Vec<Route>> {
    let args = args![r.org(), service];
    r.fetch_all(&LIST, args).await?.iter().map(Route::from_row).collect()
}

/// Stores a body over version `over` (0: there is none yet) and gives the new version.
///
/// # Errors
/// [`StoreError::Conflict`] where the stored version is another.
pub async fn put(tx: &mut Tx, place: &Place, over: i64, body: &Json) -> Result<i64> {
    let (org, now) = (tx.org(), tx.now());
    let (service, env, site) = (&place.service, &place.env, &place.site);
    let done = if over == 0 {
        let args = args![org, service, env, site, body, now];
        tx.execute(&INSERT, args).await?
    } else {
        let args = args![body, now, org, service, env, site, over];
        tx.execute(&UPDATE, args).await?
    };
    if done == 1 { Ok(over + 1) } else { Err(StoreError::conflict("route", place)) }
}
