//! What is shown of all services at once: a few narrow statements over everything, and a few more over what a page shows,
//! however many services there are.

use tradewind_model::{
    id::{Digest, EnvName, InstanceId, Place, RevisionId, RolloutId, ServiceName},
    rollout::history::History,
    time::Timestamp,
};

use super::revisions::place;
use crate::{
    error::Result,
    stmt::statements,
    tx::Reader,
    value::{Json, Row, Value, args},
};

/// Things named in one statement; the rest go into another.
const BATCH: usize = 50;

macro_rules! batch {
    () => {
        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, \
         $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, \
         $50, $51)"
    };
}

statements! {
    SERVICES = "SELECT name, owner, created_at,
            (SELECT r.kind FROM revisions r WHERE r.org_id = services.org_id AND r.service = services.name
             ORDER BY r.id DESC LIMIT 1) AS kind
        FROM services WHERE org_id = $1 ORDER BY name";
    // A history is stored as `["ID","ID"]`: the current revision is the last 36 characters before the last two.
    LIVE = "SELECT p.service, p.env, p.site, p.changed_at, r.id AS revision, r.label, r.release_digest, r.kind
        FROM places p LEFT JOIN revisions r ON r.id = SUBSTR(p.history, LENGTH(p.history) - 37, 36)
        WHERE p.org_id = $1 ORDER BY p.service, p.env, p.site";
    WANTED = "SELECT revision_id, id FROM instances WHERE org_id = $1 AND retired_at IS NULL ORDER BY revision_id, id";
    UNDER_WAY = "SELECT id, service, env, active, created_at FROM rollouts
        WHERE org_id = $1 AND finished_at IS NULL ORDER BY service, env, active DESC, queue_seq";
    FAILED = "SELECT f.service, f.env, f.id, r.finished_at, q.acknowledged_at,
            (SELECT MAX(c.id) FROM rollouts c WHERE c.org_id = $1 AND c.phase = 'completed' AND c.service = f.service
             AND c.env = f.env) AS completed
        FROM (SELECT service, env, MAX(id) AS id FROM rollouts WHERE org_id = $1 AND phase = 'failed'
              GROUP BY service, env) f
        JOIN rollouts r ON r.id = f.id
        LEFT JOIN queues q ON q.org_id = $1 AND q.service = f.service AND q.env = f.env
        ORDER BY f.service, f.env";
    HISTORIES = concat!(
        "SELECT service, env, site, history FROM places WHERE org_id = $1 AND service IN ", batch!()
    );
    INSTANCES = concat!(
        "SELECT id, service, env, site, revision_id, body FROM instances
         WHERE org_id = $1 AND retired_at IS NULL AND service IN ", batch!(), " ORDER BY service, env, site, ordinal, id"
    );
    ROLLOUTS = concat!(
        "SELECT id, plan, state, requester, created_at, finished_at FROM rollouts WHERE org_id = $1 AND id IN ", batch!()
    );
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceRow {
    pub name: ServiceName,
    pub owner: String,
    pub created_at: Timestamp,
    /// Of its newest revision anywhere.
    pub kind: Option<String>,
}

/// A place, and what is live there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveRow {
    pub place: Place,
    pub changed_at: Timestamp,
    /// None before the first completed rollout.
    pub live: Option<Live>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Live {
    pub revision: RevisionId,
    pub label: String,
    pub release: Digest,
    /// None of a revision from before kinds were written down.
    pub kind: Option<String>,
}

/// A rollout that has not ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnderWayRow {
    pub id: RolloutId,
    pub service: ServiceName,
    pub env: EnvName,
    pub active: bool,
    pub created_at: Timestamp,
}

/// The last rollout of a (service, environment) that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedRow {
    pub id: RolloutId,
    pub service: ServiceName,
    pub env: EnvName,
    pub at: Timestamp,
    /// A later one completed, or a person acknowledged the failure.
    pub settled: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstanceRow {
    pub id: InstanceId,
    pub place: Place,
    pub revision: RevisionId,
    pub body: Json,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RolloutRow {
    pub id: RolloutId,
    pub plan: Json,
    pub state: Json,
    pub requester: tradewind_model::event::Actor,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// Every service, by name.
pub async fn services(r: &mut impl Reader) -> Result<Vec<ServiceRow>> {
    let row = |row: &Row| {
        Ok(ServiceRow {
            name: row.parse("name")?,
            owner: row.text("owner")?,
            created_at: row.time("created_at")?,
            kind: row.opt_text("kind")?,
        })
    };
    let args = args![r.org()];
    r.fetch_all(&SERVICES, args).await?.iter().map(row).collect()
}

/// Every place, by service, environment and site.
pub async fn live(r: &mut impl Reader) -> Result<Vec<LiveRow>> {
    let row = |row: &Row| {
        let live = match row.opt_parse("revision")? {
            Some(revision) => Some(Live {
                revision,
                label: row.text("label")?,
                release: row.parse("release_digest")?,
                kind: row.opt_text("kind")?,
            }),
            None => None,
        };
        Ok(LiveRow { place: place(row)?, changed_at: row.time("changed_at")?, live })
    };
    let args = args![r.org()];
    r.fetch_all(&LIVE, args).await?.iter().map(row).collect()
}

/// Every instance that is not retired, with its revision; those of one revision together.
pub async fn wanted(r: &mut impl Reader) -> Result<Vec<(RevisionId, InstanceId)>> {
    let args = args![r.org()];
    let rows = r.fetch_all(&WANTED, args).await?;
    rows.iter().map(|row| Ok((row.parse("revision_id")?, row.parse("id")?))).collect()
}

/// By service and environment: the active one first, then those that wait, in their order.
pub async fn under_way(r: &mut impl Reader) -> Result<Vec<UnderWayRow>> {
    let row = |row: &Row| {
        Ok(UnderWayRow {
            id: row.parse("id")?,
            service: row.parse("service")?,
            env: row.parse("env")?,
            active: row.bool("active")?,
            created_at: row.time("created_at")?,
        })
    };
    let args = args![r.org()];
    r.fetch_all(&UNDER_WAY, args).await?.iter().map(row).collect()
}

/// One a (service, environment) that ever saw one.
pub async fn failed(r: &mut impl Reader) -> Result<Vec<FailedRow>> {
    let row = |row: &Row| {
        let id: RolloutId = row.parse("id")?;
        let at = row.opt_time("finished_at")?.unwrap_or_default();
        let mended = row.opt_parse::<RolloutId>("completed")?.is_some_and(|c| c > id);
        let acknowledged = row.opt_time("acknowledged_at")?.is_some_and(|t| t >= at);
        Ok(FailedRow {
            id,
            service: row.parse("service")?,
            env: row.parse("env")?,
            at,
            settled: mended || acknowledged,
        })
    };
    let args = args![r.org()];
    r.fetch_all(&FAILED, args).await?.iter().map(row).collect()
}

pub async fn histories(r: &mut impl Reader, services: &[ServiceName]) -> Result<Vec<(Place, History)>> {
    let mut found = Vec::new();
    for batch in services.chunks(BATCH) {
        let args = filled(r, batch);
        for row in r.fetch_all(&HISTORIES, args).await? {
            found.push((place(&row)?, row.json("history")?.read()?));
        }
    }
    Ok(found)
}

/// Those not retired.
pub async fn instances(r: &mut impl Reader, services: &[ServiceName]) -> Result<Vec<InstanceRow>> {
    let mut found = Vec::new();
    for batch in services.chunks(BATCH) {
        let args = filled(r, batch);
        for row in r.fetch_all(&INSTANCES, args).await? {
            found.push(InstanceRow {
                id: row.parse("id")?,
                place: place(&row)?,
                revision: row.parse("revision_id")?,
                body: row.json("body")?,
            });
        }
    }
    Ok(found)
}

pub async fn rollouts(r: &mut impl Reader, ids: &[RolloutId]) -> Result<Vec<RolloutRow>> {
    let mut found = Vec::new();
    for batch in ids.chunks(BATCH) {
        let args = filled(r, batch);
        for row in r.fetch_all(&ROLLOUTS, args).await? {
            found.push(RolloutRow {
                id: row.parse("id")?,
                plan: row.json("plan")?,
                state: row.json("state")?,
                requester: row.actor("requester")?,
                created_at: row.time("created_at")?,
                finished_at: row.opt_time("finished_at")?,
            });
        }
    }
    Ok(found)
}

/// The organisation, then as many as a statement names: the last one again where there are fewer.
fn filled<T: ToString>(r: &impl Reader, batch: &[T]) -> Vec<Value> {
    let texts = batch.iter().map(ToString::to_string);
    let last = batch.last().map(ToString::to_string).unwrap_or_default();
    let named = texts.chain(std::iter::repeat(last)).take(BATCH).map(Value::from);
    std::iter::once(Value::from(r.org())).chain(named).collect()
}
