//! The rows of desired state of one place, loaded as the model wants them and written back where they differ.

use super::{
    claims::{self, Claim},
    read,
};
use crate::{Result, ctx::Asker, hosts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tradewind_model::{
    event::NewEvent,
    id::{Digest, HostId, InstanceId, Place, RevisionId},
    protocol::{
        agent::DesiredPhase,
        edge::{RouteLimits, Sticky},
    },
    rollout::{
        desired::{PlaceDesired, WantedInstance, WantedRoute},
        history::History,
    },
    time::Timestamp,
    workload::{HealthCheck, Workload},
};
use tradewind_store::{Json, Reader, Tx, rows};

/// The `body` column of an instance: all its agent needs, fixed when the row is made, but for the phase.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InstanceBody {
    pub phase: DesiredPhase,
    pub retire_at: Option<Timestamp>,
    pub release: Digest,
    pub bundle: Digest,
    pub label: String,
    pub workload: Workload,
}

/// The `body` column of a route.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RouteBody {
    pub wanted: WantedRoute,
    pub hosts: Vec<String>,
    pub path_prefix: String,
    pub sticky: Sticky,
    pub salt: String,
    pub limits: RouteLimits,
    pub health: Option<HealthCheck>,
    pub labels: BTreeMap<RevisionId, String>,
}

/// What new rows of a place are filled with.
pub struct Filling<'a> {
    pub salt: String,
    /// By revision, as its release's spec says for this environment.
    pub revisions: &'a BTreeMap<RevisionId, RevisionBody>,
}

/// Everything about a revision that its instances and routes take over.
#[derive(Clone, Debug)]
pub struct RevisionBody {
    pub release: Digest,
    pub bundle: Digest,
    pub label: String,
    pub resolved: tradewind_model::spec::ResolvedSpec,
}

pub struct Loaded {
    pub place: Place,
    pub desired: PlaceDesired,
    instances: BTreeMap<InstanceId, rows::instances::Instance>,
    route: Option<(i64, RouteBody)>,
}

pub async fn load(r: &mut impl Reader, place: &Place) -> Result<Loaded> {
    let rows = rows::instances::of_place(r, place).await?;
    let mut desired = PlaceDesired::default();
    for row in &rows {
        let body: InstanceBody = read(&row.body)?;
        desired.instances.push(WantedInstance {
            id: row.id,
            revision: row.revision,
            ordinal: u32::try_from(row.ordinal).unwrap_or(u32::MAX),
            phase: body.phase,
            retire_at: body.retire_at,
        });
    }
    let route = match rows::routes::find(r, place).await? {
        Some(row) => {
            let body: RouteBody = read(&row.body)?;
            let version = u64::try_from(row.version).unwrap_or_default();
            desired.route = Some(WantedRoute { version, ..body.wanted.clone() });
            Some((row.version, body))
        }
        None => None,
    };
    let instances = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(Loaded { place: place.clone(), desired, instances, route })
}

impl Loaded {
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + '_ {
        self.instances.values().map(|i| i.host)
    }

    pub fn host_of(&self, id: InstanceId) -> Option<HostId> {
        self.instances.get(&id).map(|i| i.host)
    }

    pub fn route_body(&self) -> Option<&RouteBody> {
        self.route.as_ref().map(|(_, body)| body)
    }

    /// Writes what differs between the rows and `self.desired`; true when anything did.
    pub async fn save(&mut self, tx: &mut Tx, filling: &Filling<'_>) -> Result<bool> {
        let mut changed = self.save_instances(tx, filling).await?;
        changed |= self.save_route(tx, filling).await?;
        if changed {
            let mut touched: Vec<HostId> = self.hosts().collect();
            touched.push(hosts::place_on(tx).await?.id);
            touched.sort_unstable();
            touched.dedup();
            for host in touched {
                hosts::touch(tx, host).await?;
            }
        }
        Ok(changed)
    }

    async fn save_instances(&mut self, tx: &mut Tx, filling: &Filling<'_>) -> Result<bool> {
        let mut changed = false;
        let wanted: BTreeMap<InstanceId, WantedInstance> =
            self.desired.instances.iter().map(|i| (i.id, i.clone())).collect();
        let now = tx.now();
        for (id, row) in &mut self.instances {
            let mut next = row.clone();
            match wanted.get(id) {
                Some(w) => {
                    let mut body: InstanceBody = read(&row.body)?;
                    (body.phase, body.retire_at) = (w.phase, w.retire_at);
                    next.body = Json::of(&body);
                }
                None => next.retired_at = Some(now),
            }
            if next != *row {
                *row = rows::instances::update(tx, next).await?;
                changed = true;
            }
        }
        self.instances.retain(|_, row| row.retired_at.is_none());
        for w in wanted.values() {
            if self.instances.contains_key(&w.id) {
                continue;
            }
            let Some(from) = filling.revisions.get(&w.revision) else { continue };
            let body = InstanceBody {
                phase: w.phase,
                retire_at: w.retire_at,
                release: from.release,
                bundle: from.bundle,
                label: from.label.clone(),
                workload: from.resolved.workload_of(w.ordinal),
            };
            let host = hosts::place_on(tx).await?.id;
            let new = rows::instances::NewInstance {
                id: w.id,
                host,
                place: self.place.clone(),
                revision: w.revision,
                ordinal: i64::from(w.ordinal),
                body: Json::of(&body),
            };
            self.instances.insert(w.id, rows::instances::insert(tx, new).await?);
            changed = true;
        }
        Ok(changed)
    }

    async fn save_route(&mut self, tx: &mut Tx, filling: &Filling<'_>) -> Result<bool> {
        let Some(wanted) = self.desired.route.clone() else { return Ok(false) };
        let over = self.route.as_ref().map_or(0, |(version, _)| *version);
        let version = i64::try_from(wanted.version).unwrap_or(i64::MAX);
        if version <= over {
            return Ok(false);
        }
        let mut body = self.route_with(wanted, filling);
        self.leave_to_others(tx, &mut body).await?;
        // One decision may raise the version twice: every number is taken, so that rows and effects agree on them.
        let mut at = over;
        while at < version {
            at = rows::routes::put(tx, &self.place, at, &Json::of(&body)).await?;
        }
        self.route = Some((at, body));
        Ok(true)
    }

    /// An earlier release may ask for a host that has gone to another service since. Nothing holds a rollback up: the
    /// place then goes on answering where it does, and one that answers nowhere yet does so under a name of its own.
    async fn leave_to_others(&self, tx: &mut Tx, body: &mut RouteBody) -> Result<()> {
        let wanted = Claim { hosts: &body.hosts, path: &body.path_prefix };
        let Some(taken) = claims::held(tx, &self.place, wanted).await? else { return Ok(()) };
        let Place { service, env, site } = &self.place;
        (body.hosts, body.path_prefix) = match &self.route {
            Some((_, old)) => (old.hosts.clone(), old.path_prefix.clone()),
            None => (vec![format!("{site}.{env}.{service}.invalid")], "/".to_owned()),
        };
        tx.event(NewEvent {
            kind: "route.taken".into(),
            schema: 1,
            actor: Asker::system("rollout").actor,
            subject: format!("place/{}", self.place),
            cause: None,
            service: Some(service.to_string()),
            env: Some(env.to_string()),
            before: None,
            after: Some(serde_json::json!({
                "route": taken.route, "owner": taken.owner.to_string(), "hosts": body.hosts, "path": body.path_prefix,
            })),
        })
        .await?;
        Ok(())
    }

    /// The route's hosts, limits and the like come from the revision that takes most of its traffic.
    fn route_with(&self, wanted: WantedRoute, filling: &Filling<'_>) -> RouteBody {
        let old = self.route.as_ref().map(|(_, body)| body);
        let leader = wanted.splits.iter().max_by_key(|(_, w)| *w).map(|(r, _)| *r);
        let from = leader
            .and_then(|r| filling.revisions.get(&r))
            .or_else(|| filling.revisions.values().find(|b| b.resolved.route.is_some()));
        // Who is tried says how its clients are told apart; the release before it may not have cared.
        let tried = wanted.trial.as_ref().filter(|t| t.counted);
        let tried = tried.and_then(|t| filling.revisions.get(&t.canary)?.resolved.route.as_ref());
        let mut labels: BTreeMap<RevisionId, String> = old.map(|b| b.labels.clone()).unwrap_or_default();
        labels.extend(filling.revisions.iter().map(|(r, b)| (*r, b.label.clone())));
        labels.retain(|r, _| wanted.splits.iter().any(|(s, _)| s == r));
        match from.and_then(|b| b.resolved.route.as_ref().map(|route| (b, route))) {
            Some((b, route)) => RouteBody {
                wanted,
                hosts: route.hosts.clone(),
                path_prefix: route.path.clone(),
                sticky: tried.map_or_else(|| route.sticky.clone(), |r| r.sticky.clone()),
                salt: filling.salt.clone(),
                limits: route.limits,
                health: b.resolved.workload.health.clone(),
                labels,
            },
            None => RouteBody {
                hosts: old.map(|o| o.hosts.clone()).unwrap_or_default(),
                path_prefix: old.map_or_else(|| "/".into(), |o| o.path_prefix.clone()),
                sticky: old.map_or(Sticky::None, |o| o.sticky.clone()),
                salt: filling.salt.clone(),
                limits: old.map(|o| o.limits).unwrap_or_default(),
                health: old.and_then(|o| o.health.clone()),
                wanted,
                labels,
            },
        }
    }
}

/// What completed at a place; an unknown place has an empty history.
pub async fn history(r: &mut impl Reader, place: &Place) -> Result<History> {
    Ok(rows::places::get(r, place).await?.history)
}
