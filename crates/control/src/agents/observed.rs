//! What agents report: stored whole, newest only. A task's end goes into its row, where the reconciler that asked for it
//! finds it; runs move on in the same transaction.

use super::Stay;
use crate::{Ctx, Result, ctx::Asker, runs, tasks};
use std::collections::BTreeMap;
use tradewind_model::{
    event::{Actor, NewEvent},
    id::{HostId, InstanceId, Place, RolloutId},
    protocol::{
        agent::{InstancePhase, Observed, ObservedInstance},
        trial::{Trip, TripCause},
    },
    rollout::facts::Seen,
    said::Said,
};
use tradewind_store::{Json, Reader, StoreError, Tx, rows, transact};

/// A host's last report.
pub struct Report {
    pub observed: Observed,
    /// Made under the newest desired state, and not under one of a store that this one has replaced.
    pub fresh: bool,
}

impl Report {
    /// The route version the edge of this host has acknowledged; 0 when it serves none.
    pub fn acked(&self, place: &Place) -> u64 {
        self.observed.routes.iter().find(|r| r.place == *place).map_or(0, |r| r.version)
    }

    /// Why this host's agent took a rollout's traffic or shards away, if it did.
    pub fn tripped(&self, place: &Place, rollout: RolloutId) -> Option<&TripCause> {
        let routes = self.observed.routes.iter().filter(|r| r.place == *place).filter_map(|r| r.tripped.as_ref());
        let shards = self.observed.shard_trips.iter().filter(|s| s.place == *place).map(|s| &s.trip);
        let of_rollout = |t: &&Trip| t.rollout == rollout.to_string();
        routes.chain(shards).find(of_rollout).map(|t| &t.cause)
    }
}

pub async fn reports(r: &mut impl Reader, hosts: &[HostId]) -> Result<Vec<(HostId, Option<Report>)>> {
    let mut reports = Vec::new();
    for host in hosts {
        let report = match rows::observed::find(r, *host).await? {
            Some(row) => {
                let observed: Observed = row.body.read()?;
                let fresh = observed.generation == super::desired::generation(r, *host).await?;
                Some(Report { observed, fresh })
            }
            None => None,
        };
        reports.push((*host, report));
    }
    Ok(reports)
}

/// What was seen of a place's instances, those no row wants any more included: a process that still ends is still alive.
pub async fn seen_at(r: &mut impl Reader, place: &Place, reports: &[(HostId, Option<Report>)]) -> Result<Vec<Seen>> {
    let mut seen = Vec::new();
    for instance in reports.iter().filter_map(|(_, r)| r.as_ref()).flat_map(|r| &r.observed.instances) {
        let row = match rows::instances::get(r, instance.id).await {
            Ok(row) => row,
            // From before this database: the agent will stop it.
            Err(StoreError::NotFound { .. }) => continue,
            Err(e) => return Err(e.into()),
        };
        if row.place == *place {
            seen.push(Seen {
                id: instance.id,
                revision: instance.revision,
                phase: instance.phase,
                message: instance.message.clone(),
            });
        }
    }
    Ok(seen)
}

/// Takes a report in. Reports that say nothing new are not written; older ones are dropped.
pub async fn ingest(ctx: &Ctx, stay: &Stay<'_>, epoch: &str, observed: Observed) -> Result<()> {
    if !stay.is_current() {
        return Ok(());
    }
    if !stay.is_news(&observed) {
        stay.reported(observed);
        return Ok(());
    }
    transact!(ctx.store, tx => {
        // Asked once more where writers stand in line: a newer connection's report may have gone in meanwhile, and one of
        // an earlier process must not lie over it.
        if !stay.is_current() {
            return Ok(());
        }
        take_in(tx, ctx, stay.host, epoch, &observed).await
    })?;
    stay.reported(observed);
    Ok(())
}

async fn take_in(tx: &mut Tx, ctx: &Ctx, host: HostId, epoch: &str, observed: &Observed) -> Result<()> {
    // A rollback waits for what hosts report.
    tx.urgent();
    let seq = i64::try_from(observed.seq).unwrap_or(i64::MAX);
    let before = rows::observed::find(tx, host).await?;
    if !rows::observed::put(tx, host, epoch, seq, &Json::of(observed)).await? {
        return Ok(());
    }
    let before: Option<Observed> = before.map(|row| row.body.read()).transpose()?;
    tell_of_instances(tx, host, before.as_ref(), observed).await?;
    let mut news = Vec::new();
    for task in &observed.tasks {
        news.extend(tasks::note(tx, host, task).await?);
    }
    runs::reported(tx, ctx, &news).await?;
    for task in news.iter().filter(|t| t.finished_at.is_some() && !runs::owns(t)) {
        tx.event(task_finished(task)).await?;
    }
    Ok(())
}

fn task_finished(task: &rows::tasks::Task) -> NewEvent {
    NewEvent {
        kind: "task.finished".into(),
        schema: 1,
        actor: Asker::system("agents").actor,
        subject: format!("task/{}", task.id),
        cause: Some(task.owner.clone()),
        service: None,
        env: None,
        before: None,
        after: Some(serde_json::json!({ "kind": task.kind })),
    }
}

/// No row knows it: it was begun after the copy this database was put back to was made.
async fn is_foreign(tx: &mut Tx, instance: InstanceId) -> Result<bool> {
    match rows::instances::get(tx, instance).await {
        Ok(_) => Ok(false),
        Err(StoreError::NotFound { .. }) => Ok(true),
        Err(e) => Err(e.into()),
    }
}

/// Desired state does not list it, so its host drains and stops it.
fn foreign(host: HostId, instance: &ObservedInstance) -> NewEvent {
    tracing::warn!(%host, instance = %instance.id, "it runs and no row knows it; its host stops it");
    NewEvent {
        kind: "instance.unknown".into(),
        schema: 1,
        actor: Actor::Agent { host: host.to_string() },
        subject: format!("instance/{}", instance.id),
        cause: None,
        service: None,
        env: None,
        before: None,
        after: Some(serde_json::json!({
            "phase": instance.phase, "revision": instance.revision, "since": instance.since, "restarts": instance.restarts,
        })),
    }
}

/// What a person would ask about later: an instance that failed, recovered, or became ready.
async fn tell_of_instances(tx: &mut Tx, host: HostId, before: Option<&Observed>, now: &Observed) -> Result<()> {
    let old: BTreeMap<InstanceId, InstancePhase> =
        before.iter().flat_map(|o| &o.instances).map(|i| (i.id, i.phase)).collect();
    for i in &now.instances {
        if old.get(&i.id) == Some(&i.phase) {
            continue;
        }
        if !old.contains_key(&i.id) && is_foreign(tx, i.id).await? {
            tx.event(foreign(host, i)).await?;
            continue;
        }
        let kind = match i.phase {
            InstancePhase::Ready => "instance.ready",
            InstancePhase::Unhealthy => "instance.unhealthy",
            InstancePhase::Backoff => "instance.exited",
            InstancePhase::Failed => "instance.failed",
            InstancePhase::Pending
            | InstancePhase::Starting
            | InstancePhase::Draining
            | InstancePhase::Stopping
            | InstancePhase::Stopped => continue,
        };
        let Ok(row) = rows::instances::get(tx, i.id).await else { continue };
        tx.event(NewEvent {
            kind: kind.into(),
            schema: 1,
            actor: Actor::Agent { host: host.to_string() },
            subject: format!("instance/{}", i.id),
            cause: None,
            service: Some(row.place.service.to_string()),
            env: Some(row.place.env.to_string()),
            before: old.get(&i.id).map(|p| serde_json::json!({ "phase": p })),
            after: Some(serde_json::json!({
                "phase": i.phase, "message": i.message.as_ref().map(Said::en), "exit": i.last_exit, "restarts": i.restarts,
            })),
        })
        .await?;
    }
    Ok(())
}
