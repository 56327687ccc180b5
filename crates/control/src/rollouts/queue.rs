//! The queue of rollouts of one (service, environment): one active at a time, held after a failure
//! or by a freeze.

use super::{PlanDoc, Target, advance, events, read, request};
use crate::{Ctx, Result, ctx::Asker, freezes, judging::outlook::outlook, policies};
use tradewind_model::{
    id::{EnvName, ServiceName},
    rollout::state::State,
};
use tradewind_store::{Json, Tx, rows};

/// The first whose approvals are there: who waits for a word holds up nobody else.
async fn next(tx: &mut Tx, service: &ServiceName, env: &EnvName) -> Result<Option<(rows::rollouts::Rollout, PlanDoc)>> {
    for row in rows::rollouts::queue(tx, service, env).await? {
        let doc: PlanDoc = read(&row.plan)?;
        if policies::agreement(tx, &row, doc.plan.kind).await?.is_there() {
            return Ok(Some((row, doc)));
        }
    }
    Ok(None)
}

/// Begins the next rollout when none is active and the queue is neither held nor frozen. Its plan is made anew: what completed while
/// it waited is what it starts from.
pub async fn begin_next(tx: &mut Tx, ctx: &Ctx, service: &ServiceName, env: &EnvName) -> Result<bool> {
    if rows::rollouts::active(tx, service, env).await?.is_some()
        || rows::queues::get(tx, service, env).await?.frozen.is_some()
        || freezes::is_on(tx, service, env).await?
    {
        return Ok(false);
    }
    let Some((mut row, mut doc)) = next(tx, service, env).await? else { return Ok(false) };
    let release = rows::releases::get(tx, service, &doc.release).await?;
    let target = Target { release, resolved: doc.resolved.clone() };
    let draft = request::sketch(tx, tx.now(), service, env, &target, doc.plan.kind).await?;
    doc.plan = draft.make(tx).await?.plan;
    doc.outlook = outlook(tx, ctx, service, env, &doc, None).await?;
    let mut state: State = read(&row.state)?;
    let paused = state.paused;
    state = State::queued(&doc.plan);
    state.paused = paused;
    state.begin(tx.now());
    row.active = true;
    row.phase = state.phase.as_str().into();
    row.plan = Json::of(&doc);
    row.state = Json::of(&state);
    let row = rows::rollouts::update(tx, row).await?;
    let after = serde_json::json!({ "release": doc.label, "outlook": doc.outlook });
    tx.event(events::about(&row, "rollout.begun", &Asker::system("rollout"), after)).await?;
    advance::advance(tx, ctx, row).await?;
    Ok(true)
}
