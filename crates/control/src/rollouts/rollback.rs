//! Going back: ahead of the queue, whatever is frozen, taking over what is under way.

use super::{
    PlanDoc, Target, advance, events, kind_str, request,
    ways::{Ground, UnderWay, Wanted},
};
use crate::{Ctx, Result, agents::desired, ctx::Asker, faults, hosts};
use std::collections::BTreeSet;
use tradewind_model::{
    access::{Action, Subject},
    event::Actor,
    fault::Fault,
    id::{EnvName, Place, RevisionId, RolloutId, ServiceName},
    rollout::{
        faults as roll,
        plan::{Kind, Plan, SitePlan, Strategy},
        reason::Reason,
        state::{Phase, State},
    },
};
use tradewind_store::{Json, Reader, Tx, rows, rows::rollouts::Rollout, transact};

/// Starts a rollback, and makes its first decision in the same transaction: while the earlier revision is warm, the
/// route to it is written before the caller has its answer.
pub async fn rollback(
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    to: Option<&str>,
    reason: &str,
    by: &Asker,
) -> Result<RolloutId> {
    super::intervene::reason_given(reason)?;
    by.allow(Action::Revert, &Subject::env(service.clone(), env.clone()))?;
    transact!(ctx.store, tx => start(tx, ctx, service, env, to, reason, by).await)
}

async fn start(
    tx: &mut Tx,
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    to: Option<&str>,
    reason: &str,
    by: &Asker,
) -> Result<RolloutId> {
    tx.urgent();
    let wanted = match to {
        Some(name) => Some(super::target(tx, service, env, name).await?),
        None => None,
    };
    let ground = Ground::of(tx, service, env).await?;
    if let (Some(active), None) = (&ground.active, to)
        && active.is_rollback()
    {
        // The same wish again, from a second pair of hands: it is on its way.
        return Ok(active.row.id);
    }
    for p in &ground.places {
        by.allow(Action::Revert, &Subject::place(&p.place))?;
    }
    let (target, plan) = draft(tx, &ground, service, env, wanted.as_ref()).await?;
    let id = RolloutId::at(tx.now());
    if let Some(UnderWay { row, doc, state }) = ground.active {
        supersede(tx, row, &doc, state, id, by).await?;
    }
    hold_queue(tx, service, env, id, by).await?;
    let row = insert(tx, id, service, env, request::doc(&target, plan), reason, by).await?;
    advance::advance(tx, ctx, row).await?;
    Ok(id)
}

/// Plans a rollback as it would be, were it to begin now; nothing is written.
///
/// # Errors
/// Where no site can be led anywhere, what speaks against it.
pub(super) async fn draft(
    r: &mut impl Reader,
    ground: &Ground,
    service: &ServiceName,
    env: &EnvName,
    wanted: Option<&Target>,
) -> Result<(Target, Plan)> {
    if ground.places.is_empty() {
        return Err(Fault::new(&faults::NOT_LIVE).with("service", service).with("env", env).into());
    }
    let mut sites = Vec::new();
    let mut refused = None;
    for p in &ground.places {
        let label = wanted.map(|t| t.release.label()).unwrap_or_default();
        let there = match wanted {
            Some(t) => rows::revisions::of_release(r, &p.place, &t.release.digest, 0).await?,
            None => None,
        };
        let wanted_here = wanted.is_some().then(|| Wanted { label: &label, revision: there.as_ref() });
        match ground.target(p, wanted_here) {
            Ok(t) => sites.push(site(r, p.place.clone(), t.from, t.to, t.from_half_made).await?),
            Err(why) => refused = Some(why),
        }
    }
    let Some(first) = sites.first() else {
        return Err(refused.unwrap_or_else(|| Fault::new(&roll::NO_PREVIOUS).with("place", env)).into());
    };
    let digest = rows::revisions::get(r, first.to).await?.release;
    let release = rows::releases::get(r, service, &digest).await?;
    let resolved = super::resolve(r, service, env, &digest).await?;
    for s in &mut sites {
        s.instances = resolved.instances;
    }
    let target = Target { release, resolved };
    let plan = plan_back(r, service, env, &target, sites).await?;
    Ok((target, plan))
}

async fn site(
    r: &mut impl Reader,
    place: Place,
    from: Option<RevisionId>,
    to: RevisionId,
    half: bool,
) -> Result<SitePlan> {
    let from_label = match from {
        Some(id) => Some(rows::revisions::get(r, id).await?.label),
        None => None,
    };
    let to_label = rows::revisions::get(r, to).await?.label;
    Ok(SitePlan {
        site: place.site,
        from,
        from_label,
        from_half_made: half,
        to,
        to_label,
        instances: 1,
        from_instances: None,
        layout: None,
        from_layout: None,
    })
}

/// If either release must not run beside another, the way back must not let them.
async fn plan_back(
    r: &mut impl Reader,
    service: &ServiceName,
    env: &EnvName,
    target: &Target,
    sites: Vec<SitePlan>,
) -> Result<Plan> {
    let mut plan = request::plan(Kind::Rollback, &target.resolved, sites);
    for i in 0..plan.sites.len() {
        let Some(from) = plan.sites[i].from else { continue };
        let digest = rows::revisions::get(r, from).await?.release;
        let other = super::resolve(r, service, env, &digest).await?;
        plan.sites[i].from_instances = Some(other.instances);
        let exclusive = request::plan(Kind::Rollback, &other, plan.sites.clone());
        if exclusive.flow == tradewind_model::rollout::plan::Flow::Exclusive {
            plan.flow = exclusive.flow;
            plan.strategy = Strategy::AllAtOnce;
        }
    }
    Ok(plan)
}

async fn supersede(
    tx: &mut Tx,
    mut row: Rollout,
    doc: &PlanDoc,
    mut state: State,
    by_rollout: RolloutId,
    by: &Asker,
) -> Result<()> {
    // From here on nobody but the rollback moves shards.
    let mut told = BTreeSet::new();
    for trial in desired::on_trial(&row, &doc.plan, &state) {
        told.extend(rows::instances::of_place(tx, &trial.place).await?.iter().map(|i| i.host));
    }
    for host in told {
        hosts::touch(tx, host).await?;
    }
    state.supersede(by_rollout);
    row.active = false;
    row.phase = Phase::Superseded.as_str().into();
    row.state = Json::of(&state);
    row.finished_at = Some(tx.now());
    row.next_wake_at = None;
    let row = rows::rollouts::update(tx, row).await?;
    let after = serde_json::json!({ "by": by_rollout });
    tx.event(events::about(&row, "rollout.superseded", by, after)).await?;
    Ok(())
}

/// What waits in the queue is newer than what one goes back to: a person decides whether it may still go.
async fn hold_queue(tx: &mut Tx, service: &ServiceName, env: &EnvName, id: RolloutId, by: &Asker) -> Result<()> {
    if rows::rollouts::queue(tx, service, env).await?.is_empty()
        || rows::queues::get(tx, service, env).await?.frozen.is_some()
    {
        return Ok(());
    }
    let reason = Reason::new(&roll::SUPERSEDED).with("rollout", id);
    rows::queues::freeze(tx, service, env, &by.actor, Json::of(&reason).as_str()).await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    id: RolloutId,
    service: &ServiceName,
    env: &EnvName,
    doc: PlanDoc,
    reason: &str,
    by: &Asker,
) -> Result<Rollout> {
    let mut state = State::queued(&doc.plan);
    state.begin(tx.now());
    let requester: Actor = by.actor.clone();
    let new = rows::rollouts::NewRollout {
        id,
        service: service.clone(),
        env: env.clone(),
        kind: kind_str(Kind::Rollback).into(),
        phase: state.phase.as_str().into(),
        active: true,
        plan: Json::of(&doc),
        state: Json::of(&state),
        next_wake_at: None,
        note: Some(reason.to_owned()),
        ticket: None,
        requester,
    };
    let row = rows::rollouts::insert(tx, new).await?;
    let after = serde_json::json!({ "release": doc.label, "kind": row.kind, "note": reason });
    tx.event(events::about(&row, "rollout.requested", by, after)).await?;
    Ok(row)
}
