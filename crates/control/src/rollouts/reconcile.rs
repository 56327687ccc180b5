//! Moves rollouts on. Takes no input: it wakes on a commit, on an agent that comes or goes, or on a rollout's own timer,
//! looks at every active rollout, and decides. It also lets warm predecessors and freezes go when their
//! time is up.

use super::{
    advance,
    places::{self, Filling},
    queue,
};
use crate::{Ctx, Result, ctx::Asker, freezes, judging, rounds::Loop};
use std::{collections::BTreeMap, time::Duration};
use tradewind_model::{event::NewEvent, id::Place, time::Timestamp};
use tradewind_store::{StoreError, Tx, rows, transact};

/// The longest sleep: another server's commits are seen no later than this.
const TICK: Duration = Duration::from_secs(1);

/// Runs until it is dropped.
pub async fn run(ctx: Ctx) {
    let mut commits = ctx.store.commits();
    let mut agents = ctx.agents.watch();
    loop {
        commits.borrow_and_update();
        agents.borrow_and_update();
        let looked = once(&ctx).await;
        ctx.rounds.note(Loop::Rollouts, ctx.now(), TICK, &looked);
        let wake = match looked {
            Ok(wake) => wake,
            Err(e) => {
                tracing::error!(error = &e as &dyn std::error::Error, "rollouts could not be looked at");
                None
            }
        };
        let wait = wake.map_or(TICK, |t| t.since(ctx.now()).min(TICK)).max(Duration::from_millis(5));
        tokio::select! {
            _ = commits.changed() => {}
            _ = agents.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Looks at everything once; the earliest time something is due without a signal.
pub async fn once(ctx: &Ctx) -> Result<Option<Timestamp>> {
    let mut wake = freezes::expire(ctx).await.unwrap_or_else(|e| {
        tracing::error!(error = &e as &dyn std::error::Error, "freezes could not be looked at");
        None
    });
    let unfinished = rows::rollouts::unfinished(&mut ctx.store.read().await?).await?;
    let mut waiting = Vec::new();
    let active: Vec<_> = unfinished.iter().filter(|row| row.active).map(|row| row.id).collect();
    ctx.folds.keep(&active);
    for row in unfinished {
        if !row.active {
            waiting.push((row.service, row.env));
            continue;
        }
        let (id, version) = (row.id, row.version);
        if let Err(e) = judging::refresh(ctx, &row).await {
            tracing::error!(rollout = %id, error = &e as &dyn std::error::Error, "evidence could not be read");
        }
        let advanced = transact!(ctx.store, tx => {
            let row = rows::rollouts::get(tx, id).await?;
            advance::advance(tx, ctx, row).await
        });
        match advanced {
            Ok(row) => {
                if row.version != version {
                    tracing::debug!(rollout = %id, phase = row.phase, "advanced");
                }
                wake = earliest(wake, row.next_wake_at.filter(|_| row.active));
            }
            // Someone else moved it on at the same moment; their commit wakes us again.
            Err(crate::Error::Store(StoreError::Conflict { .. })) => {}
            Err(e) => {
                tracing::error!(rollout = %id, error = &e as &dyn std::error::Error, "rollout could not be decided");
            }
        }
    }
    waiting.dedup();
    for (service, env) in waiting {
        transact!(ctx.store, tx => queue::begin_next(tx, ctx, &service, &env).await)?;
    }
    Ok(earliest(wake, retire(ctx).await?))
}

/// Stops warm predecessors whose time is up, where no rollout is under way that could need them.
async fn retire(ctx: &Ctx) -> Result<Option<Timestamp>> {
    let due: Vec<Place> = {
        let mut r = ctx.store.read().await?;
        rows::places::list(&mut r, None).await?.into_iter().map(|p| p.place).collect()
    };
    let mut wake = None;
    for place in due {
        let loaded = places::load(&mut ctx.store.read().await?, &place).await?;
        let Some(at) = loaded.desired.next_retirement() else { continue };
        if at > ctx.now() {
            wake = earliest(wake, Some(at));
            continue;
        }
        transact!(ctx.store, tx => retire_at(tx, &place).await)?;
    }
    Ok(wake)
}

async fn retire_at(tx: &mut Tx, place: &Place) -> Result<()> {
    if rows::rollouts::active(tx, &place.service, &place.env).await?.is_some() {
        return Ok(());
    }
    let mut loaded = places::load(tx, place).await?;
    if !loaded.desired.retire(tx.now()) {
        return Ok(());
    }
    let revisions = BTreeMap::new();
    let salt = loaded.route_body().map(|b| b.salt.clone()).unwrap_or_default();
    loaded.save(tx, &Filling { salt, revisions: &revisions }).await?;
    tx.event(NewEvent {
        kind: "revision.retired".into(),
        schema: 1,
        actor: Asker::system("rollout").actor,
        subject: format!("place/{place}"),
        cause: None,
        service: Some(place.service.to_string()),
        env: Some(place.env.to_string()),
        before: None,
        after: None,
    })
    .await?;
    Ok(())
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
