//! Places: which revision is current at a (service, environment, site), and which one was before it.

use tradewind_model::{
    id::{Place, RevisionId, ServiceName},
    time::Timestamp,
};

use super::revisions::place;
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

macro_rules! columns {
    () => {
        "service, env, site, current_revision, previous_revision, changed_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM places WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4");
    LIST = concat!(
        "SELECT ", columns!(), " FROM places WHERE org_id = $1 AND ($2 IS NULL OR service = $2) ORDER BY service, env, site"
    );
    INSERT = "INSERT INTO places (org_id, service, env, site, current_revision, previous_revision, changed_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT (org_id, service, env, site) DO NOTHING";
    UPDATE = "UPDATE places SET current_revision = $1, previous_revision = $2, changed_at = $3, version = version + 1
        WHERE org_id = $4 AND service = $5 AND env = $6 AND site = $7 AND version = $8";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceRow {
    pub place: Place,
    /// None before the first completed rollout.
    pub current: Option<RevisionId>,
    pub previous: Option<RevisionId>,
    pub changed_at: Timestamp,
    /// 0 for one that is not stored yet.
    pub version: i64,
}

impl PlaceRow {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            place: place(r)?,
            current: r.opt_parse("current_revision")?,
            previous: r.opt_parse("previous_revision")?,
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
            current: None,
            previous: None,
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

/// Stores current and previous; `changed_at` becomes now.
pub async fn put(tx: &mut Tx, row: PlaceRow) -> Result<PlaceRow> {
    let now = tx.now();
    let p = &row.place;
    let done = if row.version == 0 {
        let args = args![tx.org(), &p.service, &p.env, &p.site, row.current, row.previous, now];
        tx.execute(&INSERT, args).await?
    } else {
        let args = args![row.current, row.previous, now, tx.org(), &p.service, &p.env, &p.site, row.version];
        tx.execute(&UPDATE, args).await?
    };
    match done {
        1 => Ok(PlaceRow { changed_at: now, version: row.version + 1, ..row }),
        _ => Err(StoreError::conflict("place", row.place)),
    }
}
