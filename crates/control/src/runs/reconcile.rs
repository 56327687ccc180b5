//! Moving runs on from what the rows say.

use super::{Runs, error::Result, live::Live};
use crate::{Ctx, rounds::Loop};
use std::{collections::BTreeSet, time::Duration};
use tradewind_model::{id::RunId, time::Timestamp};
use tradewind_store::{
    StoreError, Tx,
    rows::{runs, tasks, tasks::Task},
    transact,
};

use super::RunError;

/// How long the reconciler sleeps when nothing wakes it: for what other processes committed, and for time limits.
const TICK: Duration = Duration::from_secs(15);

pub fn owner(run: RunId) -> String {
    format!("run/{run}")
}

fn run_of(task: &Task) -> Option<RunId> {
    task.owner.strip_prefix("run/")?.parse().ok()
}

/// Is it a job of a run?
pub fn owns(task: &Task) -> bool {
    run_of(task).is_some()
}

/// Moves the runs that tasks belong to, in the transaction that noted what became of them. Tasks of others are let be.
///
/// # Errors
/// Only of the store.
pub async fn reported(tx: &mut Tx, ctx: &Ctx, news: &[Task]) -> crate::Result<()> {
    let due: BTreeSet<RunId> = news.iter().filter_map(run_of).collect();
    for run in due {
        let row = runs::get(tx, run).await?;
        match settle(tx, ctx, row).await {
            Ok(()) => {}
            Err(RunError::Store(e)) => return Err(e.into()),
            // Nobody asked for anything, so nothing can be refused; a report must not be lost over it in any case.
            Err(e @ RunError::Refused(_)) => tracing::error!(%run, error = %e, "a report moved nothing"),
        }
    }
    Ok(())
}

async fn settle(tx: &mut Tx, ctx: &Ctx, row: runs::Run) -> Result<()> {
    Live::load(tx, row).await?.settle(ctx, tx, &[]).await
}

impl Runs {
    /// Moves every unfinished run as far as the rows allow; when to look again at the latest.
    pub async fn reconcile(&self) -> Result<Option<Timestamp>> {
        let ctx = &self.ctx;
        let now = ctx.now();
        let mut wake: Option<Timestamp> = None;
        let open = {
            let mut snapshot = ctx.store.read().await?;
            let unfinished = tasks::unfinished(&mut snapshot).await?;
            self.tails.keep(&unfinished.iter().map(|t| t.id).collect());
            runs::unfinished(&mut snapshot).await?
        };
        for row in open {
            let id = row.id;
            let due = {
                let mut snapshot = ctx.store.read().await?;
                let live = Live::load(&mut snapshot, row).await?;
                wake = [wake, live.wake_at(now)].into_iter().flatten().min();
                live.is_due(ctx, &mut snapshot, now).await?
            };
            if !due {
                continue;
            }
            let moved: Result<()> = transact!(ctx.store, tx => {
                let row = runs::get(tx, id).await?;
                settle(tx, ctx, row).await
            });
            match moved {
                // Someone else moved it at the same moment; their commit wakes us again.
                Ok(()) | Err(RunError::Store(StoreError::Conflict { .. })) => {}
                Err(e) => {
                    tracing::error!(run = %id, error = &e as &dyn std::error::Error, "a run could not be moved on");
                }
            }
        }
        Ok(wake)
    }

    /// Looks at the unfinished runs whenever something may have changed: on a commit, when an agent comes or goes, on a
    /// timer. It takes no input and keeps nothing between two looks. Runs until it is dropped.
    pub async fn reconciler(self) {
        let mut commits = self.ctx.store.commits();
        let mut agents = self.ctx.agents.watch();
        loop {
            commits.borrow_and_update();
            agents.borrow_and_update();
            let done = self.reconcile().await;
            self.ctx.rounds.note(Loop::Runs, self.ctx.now(), TICK, &done);
            let sleep = match done {
                Ok(wake) => wake.map_or(TICK, |at| at.since(self.ctx.now()).clamp(Duration::from_millis(5), TICK)),
                Err(e) => {
                    tracing::error!(error = &e as &dyn std::error::Error, "runs could not be looked at");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                _ = commits.changed() => {}
                _ = agents.changed() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }
}
