//! What a host reported last, whole; and the generation of what it was told last.

use tradewind_model::{id::HostId, time::Timestamp};

use crate::{
    error::Result,
    stmt::statements,
    tx::{Reader, Tx},
    value::{Json, Row, args},
};

statements! {
    GET = "SELECT host_id, epoch, seq, received_at, body FROM observed WHERE org_id = $1 AND host_id = $2";
    LIST = "SELECT host_id, epoch, seq, received_at, body FROM observed WHERE org_id = $1 ORDER BY host_id";
    PUT quiet "what was seen; what follows from it is told of" =
        "INSERT INTO observed (org_id, host_id, epoch, seq, received_at, body) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (host_id) DO UPDATE SET epoch = $3, seq = $4, received_at = $5, body = $6
         WHERE observed.epoch <> $3 OR observed.seq < $4";
    GENERATION = "SELECT generation FROM host_generations WHERE org_id = $1 AND host_id = $2";
    BUMP quiet "a number for what the rows say" =
        "INSERT INTO host_generations (org_id, host_id, generation) VALUES ($1, $2, 1)
         ON CONFLICT (host_id) DO UPDATE SET generation = host_generations.generation + 1 RETURNING generation";
    LEAP = "UPDATE host_generations SET generation = generation + $1";
    OUTRUN quiet "a number for what the rows say" =
        "UPDATE host_generations SET generation = $3 + 1 WHERE org_id = $1 AND host_id = $2 AND generation < $3";
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observation {
    pub host: HostId,
    /// Names the agent's process; a new one counts from the beginning.
    pub epoch: String,
    pub seq: i64,
    /// By the server's clock.
    pub received_at: Timestamp,
    pub body: Json,
}

impl Observation {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            host: r.parse("host_id")?,
            epoch: r.text("epoch")?,
            seq: r.i64("seq")?,
            received_at: r.time("received_at")?,
            body: r.json("body")?,
        })
    }
}

pub async fn find(r: &mut impl Reader, host: HostId) -> Result<Option<Observation>> {
    let args = args![r.org(), host];
    r.fetch_opt(&GET, args).await?.as_ref().map(Observation::from_row).transpose()
}

pub async fn list(r: &mut impl Reader) -> Result<Vec<Observation>> {
    let args = args![r.org()];
    r.fetch_all(&LIST, args).await?.iter().map(Observation::from_row).collect()
}

/// False, and nothing changed, where this or a later one of the same epoch is stored already.
pub async fn put(tx: &mut Tx, host: HostId, epoch: &str, seq: i64, body: &Json) -> Result<bool> {
    let args = args![tx.org(), host, epoch, seq, tx.now(), body];
    Ok(tx.execute(&PUT, args).await? == 1)
}

/// The number of the host's desired state; 0 where it was never told anything.
pub async fn generation(r: &mut impl Reader, host: HostId) -> Result<i64> {
    let args = args![r.org(), host];
    r.fetch_opt(&GENERATION, args).await?.map_or(Ok(0), |row| row.i64("generation"))
}

/// The desired state of this host changed in this transaction; its new number.
pub async fn bump_generation(tx: &mut Tx, host: HostId) -> Result<i64> {
    let args = args![tx.org(), host];
    tx.fetch_one(&BUMP, args).await?.i64("generation")
}

/// Puts the numbers of all hosts' desired states up by `by`, other tenants' too: so far that none of them was ever given to
/// a host before the database was put back to an earlier time. How many hosts.
pub async fn leap(tx: &mut Tx, by: i64) -> Result<u64> {
    tx.execute(&LEAP, args![by]).await
}

/// Puts the number of the host's desired state above `held`, where it was told anything at all and that is behind; whether
/// it was.
pub async fn outrun(tx: &mut Tx, host: HostId, held: i64) -> Result<bool> {
    let args = args![tx.org(), host, held];
    Ok(tx.execute(&OUTRUN, args).await? == 1)
}
