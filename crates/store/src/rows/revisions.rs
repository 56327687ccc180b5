//! Revisions: a release with a configuration version for one place. It is what runs, and what one goes back to.

use tradewind_model::{
    id::{Digest, Place, RevisionId, ServiceName},
    time::Timestamp,
};

use super::Page;
use crate::{
    error::{Result, StoreError},
    stmt::statements,
    tx::{Reader, Tx},
    value::{Row, args},
};

macro_rules! columns {
    () => {
        "id, service, env, site, release_digest, label, config_version, created_at, completed_at, retired_at"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM revisions WHERE org_id = $1 AND id = $2");
    OF_PLACE = concat!(
        "SELECT ", columns!(), " FROM revisions
         WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4 AND (CAST($5 AS TEXT) IS NULL OR id < $5)
         ORDER BY id DESC LIMIT $6"
    );
    OF_RELEASE = concat!(
        "SELECT ", columns!(), " FROM revisions
         WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4 AND release_digest = $5 AND config_version = $6"
    );
    OF_SERVICE_RELEASE = concat!(
        "SELECT ", columns!(), " FROM revisions WHERE org_id = $1 AND service = $2 AND release_digest = $3 ORDER BY env, site, id"
    );
    COMPLETED = concat!(
        "SELECT ", columns!(), " FROM revisions
         WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4 AND completed_at IS NOT NULL AND completed_at < $5
         ORDER BY completed_at DESC, id DESC LIMIT $6"
    );
    LIVE = concat!("SELECT ", columns!(), " FROM revisions WHERE org_id = $1 AND retired_at IS NULL ORDER BY id");
    INSERT = "INSERT INTO revisions (org_id, id, service, env, site, release_digest, label, config_version, created_at, kind)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    SET = "UPDATE revisions SET completed_at = $1, retired_at = $2 WHERE org_id = $3 AND id = $4";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    pub id: RevisionId,
    pub place: Place,
    pub release: Digest,
    /// The release's: `v3`.
    pub label: String,
    pub config_version: i64,
    pub created_at: Timestamp,
    /// When a rollout to it last completed here.
    pub completed_at: Option<Timestamp>,
    /// When its last instance was given up.
    pub retired_at: Option<Timestamp>,
}

pub struct NewRevision {
    pub id: RevisionId,
    pub place: Place,
    pub release: Digest,
    pub label: String,
    pub config_version: i64,
    /// What it is of: `web`, `worker`, `cron`.
    pub kind: String,
}

pub(crate) fn place(r: &Row) -> Result<Place> {
    Ok(Place { service: r.parse("service")?, env: r.parse("env")?, site: r.parse("site")? })
}

impl Revision {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            place: place(r)?,
            release: r.parse("release_digest")?,
            label: r.text("label")?,
            config_version: r.i64("config_version")?,
            created_at: r.time("created_at")?,
            completed_at: r.opt_time("completed_at")?,
            retired_at: r.opt_time("retired_at")?,
        })
    }
}

pub async fn get(r: &mut impl Reader, id: RevisionId) -> Result<Revision> {
    let args = args![r.org(), id];
    let row = r.fetch_opt(&GET, args).await?;
    Revision::from_row(&row.ok_or_else(|| StoreError::not_found("revision", id))?)
}

/// `None`: it is not made yet.
pub async fn of_id(r: &mut impl Reader, id: RevisionId) -> Result<Option<Revision>> {
    let args = args![r.org(), id];
    r.fetch_opt(&GET, args).await?.as_ref().map(Revision::from_row).transpose()
}

/// Newest first.
pub async fn of_place(r: &mut impl Reader, place: &Place, page: Page<RevisionId>) -> Result<Vec<Revision>> {
    let args = args![r.org(), &place.service, &place.env, &place.site, page.after, page.limit];
    r.fetch_all(&OF_PLACE, args).await?.iter().map(Revision::from_row).collect()
}

/// The one revision a release and a configuration version make at a place.
pub async fn of_release(
    r: &mut impl Reader,
    place: &Place,
    release: &Digest,
    config_version: i64,
) -> Result<Option<Revision>> {
    let args = args![r.org(), &place.service, &place.env, &place.site, release, config_version];
    r.fetch_opt(&OF_RELEASE, args).await?.as_ref().map(Revision::from_row).transpose()
}

/// What a release became, wherever it did.
pub async fn of_service_release(r: &mut impl Reader, service: &ServiceName, release: &Digest) -> Result<Vec<Revision>> {
    let args = args![r.org(), service, release];
    r.fetch_all(&OF_SERVICE_RELEASE, args).await?.iter().map(Revision::from_row).collect()
}

/// Those that completed here before `before`, the last one first: what "previous" is taken from.
pub async fn completed(
    r: &mut impl Reader,
    place: &Place,
    before: Option<Timestamp>,
    limit: u32,
) -> Result<Vec<Revision>> {
    let before = before.unwrap_or(Timestamp(i64::MAX));
    let args = args![r.org(), &place.service, &place.env, &place.site, before, limit];
    r.fetch_all(&COMPLETED, args).await?.iter().map(Revision::from_row).collect()
}

/// Everywhere, those that are not retired.
pub async fn live(r: &mut impl Reader) -> Result<Vec<Revision>> {
    let args = args![r.org()];
    r.fetch_all(&LIVE, args).await?.iter().map(Revision::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewRevision) -> Result<Revision> {
    let now = tx.now();
    let p = &new.place;
    let args = args![
        tx.org(),
        new.id,
        &p.service,
        &p.env,
        &p.site,
        new.release,
        &new.label,
        new.config_version,
        now,
        &new.kind
    ];
    tx.execute(&INSERT, args).await?;
    let NewRevision { id, place, release, label, config_version, kind: _ } = new;
    Ok(Revision { id, place, release, label, config_version, created_at: now, completed_at: None, retired_at: None })
}

/// A rollout to it completed here, now.
pub async fn complete(tx: &mut Tx, id: RevisionId) -> Result<Revision> {
    let revision = get(tx, id).await?;
    set(tx, Revision { completed_at: Some(tx.now()), ..revision }).await
}

/// Nothing of it runs any more.
pub async fn retire(tx: &mut Tx, id: RevisionId) -> Result<Revision> {
    let revision = get(tx, id).await?;
    set(tx, Revision { retired_at: Some(tx.now()), ..revision }).await
}

/// It is started again.
pub async fn revive(tx: &mut Tx, id: RevisionId) -> Result<Revision> {
    let revision = get(tx, id).await?;
    set(tx, Revision { retired_at: None, ..revision }).await
}

async fn set(tx: &mut Tx, revision: Revision) -> Result<Revision> {
    let args = args![revision.completed_at, revision.retired_at, tx.org(), revision.id];
    tx.execute(&SET, args).await?;
    Ok(revision)
}
