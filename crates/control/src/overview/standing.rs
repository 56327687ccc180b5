//! How each service stands in each environment: enough to choose and order them by.

use super::seen::Seen;
use crate::{Ctx, Result, status};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tradewind_api::v1::{Attention, Health, ServiceKind};
use tradewind_model::{
    access::Subject,
    id::{EnvName, InstanceId, Place, RevisionId, ServiceName},
    time::Timestamp,
    workload,
};
use tradewind_store::{
    Reader,
    rows::{
        self,
        freezes::Freeze,
        overview::{FailedRow, LiveRow, UnderWayRow},
        queues::Hold,
    },
};

pub(super) struct Service {
    pub name: ServiceName,
    pub owner: String,
    pub kind: Option<ServiceKind>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    pub envs: BTreeMap<EnvName, Env>,
}

#[derive(Default)]
pub(super) struct Env {
    pub sites: Vec<Site>,
    /// The active one, or the first that waits.
    pub rollout: Option<UnderWayRow>,
    /// Behind that one.
    pub waiting: u32,
    pub failed: Option<FailedRow>,
    pub closed: Option<Hold>,
    pub freezes: Vec<Freeze>,
}

pub(super) struct Site {
    pub row: LiveRow,
    /// Of the live revision.
    pub wanted: Vec<InstanceId>,
    pub ready: usize,
    pub health: Health,
}

impl Service {
    pub fn attention(&self) -> BTreeSet<Attention> {
        self.envs.values().flat_map(Env::attention).collect()
    }
}

impl Env {
    pub fn attention(&self) -> BTreeSet<Attention> {
        let is = |health| self.sites.iter().any(|s| s.health == health);
        let unsettled = self.failed.as_ref().is_some_and(|f| !f.settled);
        let mut found = BTreeSet::new();
        let mut note = |holds: bool, attention| {
            if holds {
                found.insert(attention);
            }
        };
        note(is(Health::Down) || unsettled || self.closed.is_some(), Attention::Failing);
        note(is(Health::Degraded), Attention::Degraded);
        note(is(Health::Unknown), Attention::Unknown);
        note(self.rollout.is_some(), Attention::UnderWay);
        note(self.closed.is_some() || !self.freezes.is_empty(), Attention::Frozen);
        found
    }
}

/// Every service the caller sees, by name.
pub(super) async fn all(r: &mut impl Reader, ctx: &Ctx, seen: &Seen) -> Result<Vec<Service>> {
    let mut envs = environments(r, ctx, seen).await?;
    let mut all = Vec::new();
    for row in rows::overview::services(r).await? {
        if !ctx.sees(&Subject::service(row.name.clone())) {
            continue;
        }
        let envs = envs.remove(&row.name).unwrap_or_default();
        let changed_at = envs.values().filter_map(changed_at).max().unwrap_or(row.created_at);
        let kind = row.kind.as_deref().and_then(kind);
        all.push(Service { name: row.name, owner: row.owner, kind, created_at: row.created_at, changed_at, envs });
    }
    Ok(all)
}

async fn environments(
    r: &mut impl Reader,
    ctx: &Ctx,
    seen: &Seen,
) -> Result<HashMap<ServiceName, BTreeMap<EnvName, Env>>> {
    let mut all: HashMap<ServiceName, BTreeMap<EnvName, Env>> = HashMap::new();
    let sees = |service: &ServiceName, env: &EnvName| ctx.sees(&Subject::env(service.clone(), env.clone()));
    let mut wanted: HashMap<RevisionId, Vec<InstanceId>> = HashMap::new();
    for (revision, instance) in rows::overview::wanted(r).await? {
        wanted.entry(revision).or_default().push(instance);
    }
    for row in rows::overview::live(r).await? {
        if ctx.sees(&Subject::place(&row.place)) {
            let Place { service, env, .. } = row.place.clone();
            all.entry(service).or_default().entry(env).or_default().sites.push(site(row, &mut wanted, seen));
        }
    }
    for row in rows::overview::under_way(r).await?.into_iter().filter(|x| sees(&x.service, &x.env)) {
        let env = all.entry(row.service.clone()).or_default().entry(row.env.clone()).or_default();
        match env.rollout {
            Some(_) => env.waiting += 1,
            None => env.rollout = Some(row),
        }
    }
    for row in rows::overview::failed(r).await?.into_iter().filter(|x| sees(&x.service, &x.env)) {
        let env = all.entry(row.service.clone()).or_default().entry(row.env.clone()).or_default();
        env.failed = Some(row);
    }
    for queue in rows::queues::frozen(r).await?.into_iter().filter(|x| sees(&x.service, &x.env)) {
        all.entry(queue.service).or_default().entry(queue.env).or_default().closed = queue.frozen;
    }
    let freezes = rows::freezes::list(r).await?;
    for (service, envs) in &mut all {
        for (name, env) in envs {
            let covers = |f: &&Freeze| {
                f.service.as_ref().is_none_or(|s| s == service) && f.env.as_ref().is_none_or(|e| e == name)
            };
            env.freezes = freezes.iter().filter(covers).cloned().collect();
        }
    }
    Ok(all)
}

fn site(row: LiveRow, wanted: &mut HashMap<RevisionId, Vec<InstanceId>>, seen: &Seen) -> Site {
    let wanted = row.live.as_ref().and_then(|l| wanted.remove(&l.revision)).unwrap_or_default();
    let kind = row.live.as_ref().and_then(|l| kind(l.kind.as_deref()?)).unwrap_or(ServiceKind::Web);
    let at_post = |i: &&InstanceId| seen.instances.get(i).is_some_and(|s| status::at_post(s.phase.into(), kind));
    let ready = wanted.iter().filter(at_post).count();
    let health = status::health(row.live.is_some(), seen.all_present, wanted.len(), ready);
    Site { row, wanted, ready, health }
}

fn kind(text: &str) -> Option<ServiceKind> {
    workload::ServiceKind::parse(text).map(Into::into)
}

fn changed_at(env: &Env) -> Option<Timestamp> {
    let live = env.sites.iter().filter(|s| s.row.live.is_some()).map(|s| s.row.changed_at);
    let began = env.rollout.as_ref().map(|x| x.created_at);
    live.chain(began).chain(env.failed.as_ref().map(|f| f.at)).max()
}
