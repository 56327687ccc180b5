//! Instances: running copies of a revision, as desired. What a host sees of them is in [`observed`](super::observed).

use tradewind_model::{
    id::{HostId, InstanceId, Place, RevisionId},
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
        "id, host_id, service, env, site, revision_id, ordinal, body, created_at, retired_at, version"
    };
}

statements! {
    GET = concat!("SELECT ", columns!(), " FROM instances WHERE org_id = $1 AND id = $2");
    ON_HOST = concat!(
        "SELECT ", columns!(), " FROM instances WHERE org_id = $1 AND host_id = $2 AND retired_at IS NULL ORDER BY id"
    );
    OF_REVISION = concat!(
        "SELECT ", columns!(), " FROM instances WHERE org_id = $1 AND revision_id = $2 AND retired_at IS NULL
         ORDER BY ordinal, id"
    );
    OF_PLACE = concat!(
        "SELECT ", columns!(), " FROM instances
         WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4 AND retired_at IS NULL
         ORDER BY revision_id, ordinal, id"
    );
    OF_PLACE_SINCE = concat!(
        "SELECT ", columns!(), " FROM instances
         WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4 AND (retired_at IS NULL OR retired_at >= $5)
         ORDER BY revision_id, ordinal, id"
    );
    LIVE = concat!(
        "SELECT ", columns!(), " FROM instances WHERE org_id = $1 AND retired_at IS NULL
         ORDER BY service, env, site, revision_id, ordinal, id"
    );
    INSERT = "INSERT INTO instances (org_id, id, host_id, service, env, site, revision_id, ordinal, body, created_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)";
    UPDATE = "UPDATE instances SET body = $1, retired_at = $2, version = version + 1
        WHERE org_id = $3 AND id = $4 AND version = $5";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    pub id: InstanceId,
    pub host: HostId,
    pub place: Place,
    pub revision: RevisionId,
    /// Its number among the copies, from 0.
    pub ordinal: i64,
    pub body: Json,
    pub created_at: Timestamp,
    /// From then on its host is told to forget it.
    pub retired_at: Option<Timestamp>,
    pub version: i64,
}

pub struct NewInstance {
    pub id: InstanceId,
    pub host: HostId,
    pub place: Place,
    pub revision: RevisionId,
    pub ordinal: i64,
    pub body: Json,
}

impl Instance {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            id: r.parse("id")?,
            host: r.parse("host_id")?,
            place: place(r)?,
            revision: r.parse("revision_id")?,
            ordinal: r.i64("ordinal")?,
            body: r.json("body")?,
            created_at: r.time("created_at")?,
            retired_at: r.opt_time("retired_at")?,
            version: r.i64("version")?,
        })
    }
}

pub async fn get(r: &mut impl Reader, id: InstanceId) -> Result<Instance> {
    let args = args![r.org(), id];
    let row = r.fetch_opt(&GET, args).await?;
    Instance::from_row(&row.ok_or_else(|| StoreError::not_found("instance", id))?)
}

/// Those a host has to have.
pub async fn on_host(r: &mut impl Reader, host: HostId) -> Result<Vec<Instance>> {
    let args = args![r.org(), host];
    r.fetch_all(&ON_HOST, args).await?.iter().map(Instance::from_row).collect()
}

/// Those not retired, by their number.
pub async fn of_revision(r: &mut impl Reader, revision: RevisionId) -> Result<Vec<Instance>> {
    let args = args![r.org(), revision];
    r.fetch_all(&OF_REVISION, args).await?.iter().map(Instance::from_row).collect()
}

/// Those not retired, by revision and number.
pub async fn of_place(r: &mut impl Reader, place: &Place) -> Result<Vec<Instance>> {
    let args = args![r.org(), &place.service, &place.env, &place.site];
    r.fetch_all(&OF_PLACE, args).await?.iter().map(Instance::from_row).collect()
}

/// The same, and those retired since then.
pub async fn of_place_since(r: &mut impl Reader, place: &Place, since: Timestamp) -> Result<Vec<Instance>> {
    let args = args![r.org(), &place.service, &place.env, &place.site, since];
    r.fetch_all(&OF_PLACE_SINCE, args).await?.iter().map(Instance::from_row).collect()
}

/// Everywhere, those not retired.
pub async fn live(r: &mut impl Reader) -> Result<Vec<Instance>> {
    let args = args![r.org()];
    r.fetch_all(&LIVE, args).await?.iter().map(Instance::from_row).collect()
}

pub async fn insert(tx: &mut Tx, new: NewInstance) -> Result<Instance> {
    let now = tx.now();
    let p = &new.place;
    let args =
        args![tx.org(), new.id, new.host, &p.service, &p.env, &p.site, new.revision, new.ordinal, &new.body, now];
    tx.execute(&INSERT, args).await?;
    let NewInstance { id, host, place, revision, ordinal, body } = new;
    Ok(Instance { id, host, place, revision, ordinal, body, created_at: now, retired_at: None, version: 1 })
}

/// Body and retirement can change.
pub async fn update(tx: &mut Tx, instance: Instance) -> Result<Instance> {
    let args = args![&instance.body, instance.retired_at, tx.org(), instance.id, instance.version];
    match tx.execute(&UPDATE, args).await? {
        1 => Ok(Instance { version: instance.version + 1, ..instance }),
        _ => Err(StoreError::conflict("instance", instance.id)),
    }
}
