//! What people do to a rollout: pause, resume, promote a wave, change its share, abort, acknowledge.

use super::{PlanDoc, advance, earlier, events, get, queue, read};
use crate::{Ctx, Error, Result, ctx::Asker, faults};
use serde_json::{Value, json};
use tradewind_model::{
    access::{Action, Subject},
    event::NewEvent,
    fault::Fault,
    id::{EnvName, RolloutId, ServiceName},
    rollout::{faults as roll, state::State},
    time::Timestamp,
};
use tradewind_store::{Json, Tx, rows, rows::rollouts::Rollout, transact};

/// Traffic stays where it is and no wave begins until `resume`. Failures still turn it round.
pub async fn pause(ctx: &Ctx, id: RolloutId, reason: &str, by: &Asker) -> Result<()> {
    change(ctx, id, "rollout.paused", reason, by, |_, state, _| Ok(state.set_paused(true).then(nothing))).await
}

pub async fn resume(ctx: &Ctx, id: RolloutId, reason: &str, by: &Asker) -> Result<()> {
    change(ctx, id, "rollout.resumed", reason, by, |_, state, _| Ok(state.set_paused(false).then(nothing))).await
}

/// Lets the wave that is being judged go on, whatever the evidence says so far. Evidence against it still turns it round.
/// `wave` counts from 0; refused unless it is this one.
pub async fn promote(ctx: &Ctx, id: RolloutId, wave: usize, reason: &str, by: &Asker) -> Result<()> {
    change(ctx, id, "rollout.promote_requested", reason, by, |_, state, now| {
        let site = state.promote(wave, by.name(), reason, now).map_err(|fault| fault.with("rollout", id))?;
        Ok(Some(json!({ "site": site, "wave": wave })))
    })
    .await
}

/// Gives the wave that is being judged another share, in basis points. `wave` counts from 0; refused unless it is this one.
pub async fn set_share(ctx: &Ctx, id: RolloutId, wave: usize, share: u32, reason: &str, by: &Asker) -> Result<()> {
    change(ctx, id, "rollout.share_set", reason, by, |doc, state, _| {
        let set = state.set_share(&doc.plan, wave, share).map_err(|fault| fault.with("rollout", id))?;
        Ok(Some(json!({ "site": set.site, "wave": set.wave, "from": set.from, "share": set.to })))
    })
    .await
}

/// Every site it touched goes back to its own previous revision.
pub async fn abort(ctx: &Ctx, id: RolloutId, reason: &str, by: &Asker) -> Result<()> {
    let who = by.name().to_owned();
    change(ctx, id, "rollout.abort_requested", reason, by, |doc, state, now| {
        if !doc.plan.returns() {
            return Err(Fault::new(&faults::NO_ABORT_HALF_MADE).with("rollout", id).into());
        }
        Ok(state.request_abort(&who, reason, now).then(nothing))
    })
    .await
}

/// Of a change that is told by its reason alone.
fn nothing() -> Value {
    json!({})
}

/// Whoever reads the log at night wants to know why.
pub(crate) fn reason_given(reason: &str) -> Result<()> {
    if reason.trim().is_empty() {
        return Err(Fault::new(&faults::REASON_NEEDED).into());
    }
    Ok(())
}

/// `apply` says what of the change is told beside its reason; `None` where it is too late for it.
async fn change(
    ctx: &Ctx,
    id: RolloutId,
    kind: &str,
    reason: &str,
    by: &Asker,
    apply: impl Fn(&PlanDoc, &mut State, Timestamp) -> Result<Option<Value>>,
) -> Result<()> {
    reason_given(reason)?;
    transact!(ctx.store, tx => {
        let mut row = get(tx, id).await?;
        let doc: PlanDoc = read(&row.plan)?;
        let mut state: State = read(&row.state)?;
        let before = state.clone();
        let mut told = match apply(&doc, &mut state, tx.now()) {
            Ok(Some(told)) => told,
            Ok(None) => return Err(earlier::over(tx, &row, &before).await?.into()),
            Err(Error::Refused(fault)) if fault.code == &roll::NOT_ACTIVE => {
                return Err(earlier::over(tx, &row, &before).await?.into());
            }
            Err(Error::Refused(fault)) if fault.code == &roll::SHARE_SAME => {
                let wave = before.begun().unwrap_or_default();
                return Err(fault.with("set", earlier::share_set(tx, &row, wave).await?).into());
            }
            Err(e) => return Err(e),
        };
        if state == before {
            return Ok(());
        }
        if state.abort.is_some() {
            tx.urgent();
        }
        row.state = Json::of(&state);
        let row = rows::rollouts::update(tx, row).await?;
        told["reason"] = reason.into();
        tx.event(events::about(&row, kind, by, told)).await?;
        if row.active { advance::advance(tx, ctx, row).await.map(|_| ()) } else { drop_queued(tx, row, state).await }
    })
}

/// A rollout that never began is aborted without a decision: there is nothing to take back.
async fn drop_queued(tx: &mut Tx, mut row: Rollout, mut state: State) -> Result<()> {
    let Some(reason) = state.abort.clone() else { return Ok(()) };
    state.phase = tradewind_model::rollout::state::Phase::Aborted;
    state.reason = Some(reason);
    row.phase = state.phase.as_str().into();
    row.state = Json::of(&state);
    row.finished_at = Some(tx.now());
    rows::rollouts::update(tx, row).await?;
    Ok(())
}

/// Lets the queue go on after a failure. Returns what it lets go.
pub async fn acknowledge(
    ctx: &Ctx,
    service: &ServiceName,
    env: &EnvName,
    note: &str,
    by: &Asker,
) -> Result<Vec<RolloutId>> {
    reason_given(note)?;
    by.allow(Action::Deploy, &Subject::env(service.clone(), env.clone()))?;
    transact!(ctx.store, tx => {
            let queue = rows::queues::get(tx, service, env).await?;
            if queue.frozen.is_none() {
                let open = Fault::new(&faults::NOT_FROZEN).with("service", service).with("env", env);
                return Err(open.with("since", earlier::opened(&queue)).into());
            }
            rows::queues::acknowledge(tx, service, env, &by.actor, note).await?;
            tx.event(NewEvent {
                                                    service: Some(service.to_string()),
                env: Some(env.to_string()),
                after: Some(json!({ "note": note })),
    ..by.event("queue.acknowledged", format!("queue/{service}/{env}"))})
            .await?;
            let waiting: Vec<_> = rows::rollouts::queue(tx, service, env).await?.iter().map(|r| r.id).collect();
            queue::begin_next(tx, ctx, service, env).await?;
            Ok(waiting)
        })
}
