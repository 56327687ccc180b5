//! Going back: ahead of the queue, whatever is frozen, taking over what is under way.

use super::{PlanDoc, Target, advance, events, kind_str, read, request};
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
        target::{NoTarget, rollback_target},
    },
};
use tradewind_store::{Json, Tx, rows, rows::rollouts::Rollout, transact};

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
    let active = rows::rollouts::active(tx, service, env).await?;
    if let (Some(row), None) = (&active, to)
        && row.kind == kind_str(Kind::Rollback)
    {
        // The same wish again, from a second pair of hands: it is on its way.
        return Ok(row.id);
    }
    let known = match &active {
        Some(row) => Some((read::<PlanDoc>(&row.plan)?, read::<State>(&row.state)?)),
        None => None,
    };
    let places: Vec<_> =
        rows::places::list(tx, Some(service)).await?.into_iter().filter(|p| p.place.env == *env).collect();
    for p in &places {
        by.allow(Action::Revert, &Subject::place(&p.place))?;
    }
    if places.is_empty() {
        return Err(Fault::new(&faults::NOT_LIVE).with("service", service).with("env", env).into());
    }
    let mut sites = Vec::new();
    let mut refused = None;
    for p in &places {
        let wanted_here = match &wanted {
            Some(t) => Some(revision_there(tx, &p.place, t).await?),
            None => None,
        };
        let active = known.as_ref().map(|(doc, state)| (&doc.plan, state));
        match rollback_target(&p.place.site, active, &p.history, wanted_here) {
            Ok(t) => sites.push(site(tx, p.place.clone(), t.from, t.to, t.from_half_made).await?),
            Err(why) => refused = Some(refusal(why, &p.place, wanted.as_ref())),
        }
    }
    let Some(first) = sites.first() else {
        return Err(refused.unwrap_or_else(|| Fault::new(&roll::NO_PREVIOUS).with("place", env)).into());
    };
    let digest = rows::revisions::get(tx, first.to).await?.release;
    let release = rows::releases::get(tx, service, &digest).await?;
    let resolved = super::resolve(tx, service, env, &digest).await?;
    for s in &mut sites {
        s.instances = resolved.instances;
    }
    let target = Target { release, resolved };
    let plan = plan_back(tx, service, env, &target, sites).await?;
    let id = RolloutId::at(tx.now());
    if let Some((row, (doc, state))) = active.zip(known) {
        supersede(tx, row, &doc, state, id, by).await?;
    }
    hold_queue(tx, service, env, id, by).await?;
    let row = insert(tx, id, service, env, &target, plan, reason, by).await?;
    advance::advance(tx, ctx, row).await?;
    Ok(id)
}

async fn revision_there(tx: &mut Tx, place: &Place, t: &Target) -> Result<RevisionId> {
    let found = rows::revisions::of_release(tx, place, &t.release.digest, 0).await?;
    found.map(|r| r.id).ok_or_else(|| refusal(NoTarget::NeverCompletedHere, place, Some(t)).into())
}

fn refusal(why: NoTarget, place: &Place, wanted: Option<&Target>) -> Fault {
    let release = wanted.map(|t| t.release.label()).unwrap_or_default();
    let code = match why {
        NoTarget::NoPrevious => &roll::NO_PREVIOUS,
        NoTarget::AlreadyThere => &roll::NOTHING_TO_DO,
        NoTarget::NeverCompletedHere => &roll::NOT_COMPLETED_HERE,
    };
    Fault::new(code).with("place", place).with("release", release)
}

async fn site(tx: &mut Tx, place: Place, from: Option<RevisionId>, to: RevisionId, half: bool) -> Result<SitePlan> {
    let from_label = match from {
        Some(r) => Some(rows::revisions::get(tx, r).await?.label),
        None => None,
    };
    let to_label = rows::revisions::get(tx, to).await?.label;
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
    tx: &mut Tx,
    service: &ServiceName,
    env: &EnvName,
    target: &Target,
    sites: Vec<SitePlan>,
) -> Result<Plan> {
    let mut plan = request::plan(Kind::Rollback, &target.resolved, sites);
    for i in 0..plan.sites.len() {
        let Some(from) = plan.sites[i].from else { continue };
        let digest = rows::revisions::get(tx, from).await?.release;
        let other = super::resolve(tx, service, env, &digest).await?;
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

#[allow(clippy::too_many_arguments, reason = "each is a column")]
async fn insert(
    tx: &mut Tx,
    id: RolloutId,
    service: &ServiceName,
    env: &EnvName,
    target: &Target,
    plan: Plan,
    reason: &str,
    by: &Asker,
) -> Result<Rollout> {
    let mut state = State::queued(&plan);
    state.begin(tx.now());
    let doc = PlanDoc {
        plan,
        release: target.release.digest,
        label: target.release.label(),
        resolved: target.resolved.clone(),
        outlook: None,
    };
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
