//! Places: which revisions completed at a (service, environment, site), the current one last.

use tradewind_model::{
    id::{Place, ServiceName},
    rollout::history::History,
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
        "service, env, site, history, changed_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM places WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4");
    LIST = concat!(
        "SELECT ", columns!(), " FROM places WHERE org_id = $1 AND (CAST($2 AS TEXT) IS NULL OR service = $2) ORDER BY service, env, site"
    );
    INSERT = "INSERT INTO places (org_id, service, env, site, history, changed_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT (org_id, service, env, site) DO NOTHING";
    UPDATE = "UPDATE places SET history = $1, changed_at = $2, version = version + 1
        WHERE org_id = $3 AND service = $4 AND env = $5 AND site = $6 AND version = $7";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceRow {
    pub place: Place,
    /// Empty before the first completed rollout.
    pub history: History,
    pub changed_at: Timestamp,
    /// 0 for one that is not stored yet.
    pub version: i64,
}

impl PlaceRow {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            place: place(r)?,
            history: r.json("history")?.read()?,
            changed_at: r.time("changed_at")?,
            version: r.i64("version")?,
        })
    }
}

/// One where nothing ever ran is empty and has version 0.
pub async fn get(r: &mut impl Reader, place: &Place) -> Result<PlaceRow> {
    let args = args![r.org(), &place.service, &place.env, &place.site];
    match r.fetch_opt(&GET, args).await? {
        Some(row) => PlaceRow::from_row(&row),
        None => Ok(PlaceRow {
            place: place.clone(),
            history: History::default(),
            changed_at: Timestamp::default(),
            version: 0,
        }),
    }
}

/// Of one service or of all.
pub async fn list(r: &mut impl Reader, service: Option<&ServiceName>) -> Result<Vec<PlaceRow>> {
    let args = args![r.org(), service];
    r.fetch_all(&LIST, args).await?.iter().map(PlaceRow::from_row).collect()
}

/// Stores the history; `changed_at` becomes now.
pub async fn put(tx: &mut Tx, row: PlaceRow) -> Result<PlaceRow> {
    let now = tx.now();
    let p = &row.place;
    let history = Json::of(&row.history);
    let done = if row.version == 0 {
        let args = args![tx.org(), &p.service, &p.env, &p.site, &history, now];
        tx.execute(&INSERT, args).await?
    } else {
        let args = args![&history, now, tx.org(), &p.service, &p.env, &p.site, row.version];
        tx.execute(&UPDATE, args).await?
    };
    match done {
        1 => Ok(PlaceRow { changed_at: now, version: row.version + 1, ..row }),
        _ => Err(StoreError::conflict("place", row.place)),
    }
}
