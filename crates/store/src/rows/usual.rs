//! What places' own counters come to in ordinary times, by the hour.

use tradewind_model::id::{EnvName, HostId, Place, ServiceName};

use super::revisions::place;
use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

statements! {
    FIND = "SELECT service, env, site, host_id, hour, source, upto, body FROM usual
        WHERE org_id = $1 AND service = $2 AND env = $3 AND site = $4 AND host_id = $5 AND hour = $6";
    BETWEEN = "SELECT service, env, site, host_id, hour, source, upto, body FROM usual
        WHERE org_id = $1 AND service = $2 AND env = $3 AND hour >= $4 AND hour < $5 ORDER BY site, hour, host_id";
    PUT quiet "counts of ordinary times" =
        "INSERT INTO usual (org_id, service, env, site, host_id, hour, source, upto, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (org_id, service, env, site, host_id, hour) DO UPDATE SET source = $7, upto = $8, body = $9";
    PURGE quiet "counts of hours long past" = "DELETE FROM usual WHERE org_id = $1 AND hour < $2";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usual {
    pub place: Place,
    pub host: HostId,
    /// Hours since the epoch, in UTC.
    pub hour: i64,
    /// Who counted last, and the last of its numbers that `body` holds.
    pub source: String,
    pub upto: i64,
    pub body: Json,
}

impl Usual {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            place: place(r)?,
            host: r.parse("host_id")?,
            hour: r.i64("hour")?,
            source: r.text("source")?,
            upto: r.i64("upto")?,
            body: r.json("body")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, place: &Place, host: HostId, hour: i64) -> Result<Option<Usual>> {
    let args = args![r.org(), &place.service, &place.env, &place.site, host, hour];
    r.fetch_opt(&FIND, args).await?.as_ref().map(Usual::from_row).transpose()
}

/// Of all sites of a service in an environment, from the first of these hours up to but not including the last.
pub async fn between(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    from: i64,
    until: i64,
) -> Result<Vec<Usual>> {
    let args = args![r.org(), service, env, from, until];
    r.fetch_all(&BETWEEN, args).await?.iter().map(Usual::from_row).collect()
}

pub async fn put(tx: &mut Tx, row: &Usual) -> Result<()> {
    let p = &row.place;
    let args = args![tx.org(), &p.service, &p.env, &p.site, row.host, row.hour, &row.source, row.upto, &row.body];
    tx.execute(&PUT, args).await?;
    Ok(())
}

/// Forgets the hours before this one.
pub async fn purge(tx: &mut Tx, hour: i64) -> Result<u64> {
    let args = args![tx.org(), hour];
    tx.execute(&PURGE, args).await
}
