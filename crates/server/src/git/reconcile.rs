//! Compares branches with runs, and starts what a crash between the two has left out. It takes no input: it looks when
//! the server starts and now and then, because a push that lost its hook tells nobody.

use super::{GitError, follow, wire::Update};
use crate::App;
use std::{collections::HashSet, time::Duration};
use tradewind_control::{ctx::Asker, rounds::Loop};
use tradewind_model::{
    event::Actor,
    fault,
    id::{Commit, ServiceName},
};
use tradewind_store::{Hold, StoreError, rows};

const TICK: Duration = Duration::from_secs(30);
/// Looks between two packings of all repositories: six hours.
const PACK_EVERY: u32 = 6 * 60 * 2;

/// Looks until the server stops.
pub async fn run(app: App) {
    let mut told = HashSet::new();
    for look in 1_u32.. {
        let done = once(&app, &mut told).await;
        app.ctx.rounds.note(Loop::Pushes, app.ctx.now(), TICK, &done);
        if let Err(error) = done {
            tracing::error!(error = %fault::chain(&error), "branches could not be compared with runs");
        }
        if look.is_multiple_of(PACK_EVERY) {
            pack(&app).await;
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = app.stop.cancelled() => return,
        }
    }
}

async fn pack(app: &App) {
    // While a copy is being made, nothing goes.
    let Ok(Some(_held)) = Hold::of(&app.config.data).to_collect() else { return };
    for service in app.git.repos.services().unwrap_or_default() {
        if let Err(error) = app.git.repos.pack(&service).await {
            tracing::warn!(%service, error = %fault::chain(&error), "a repository could not be packed");
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("the repositories cannot be listed")]
    List(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Start(#[from] follow::StartError),
}

/// `told` keeps what was complained of from being complained of again at every look.
async fn once(app: &App, told: &mut HashSet<Commit>) -> Result<(), LookError> {
    for service in app.git.repos.services()? {
        // A repository that git cannot read is no reason to leave the others alone.
        if let Err(error) = of_service(app, &service, told).await {
            tracing::error!(%service, error = %fault::chain(&error), "branches could not be compared with runs");
        }
    }
    Ok(())
}

async fn of_service(app: &App, service: &ServiceName, told: &mut HashSet<Commit>) -> Result<(), LookError> {
    // A repository without a service never had a push accepted.
    if rows::services::find(&mut app.store.read().await?, service).await?.is_none() {
        return Ok(());
    }
    for (branch, tip) in app.git.repos.branches(service).await? {
        look(app, service, &branch, tip, told).await?;
    }
    Ok(())
}

async fn look(
    app: &App,
    service: &ServiceName,
    branch: &str,
    tip: Commit,
    told: &mut HashSet<Commit>,
) -> Result<(), LookError> {
    let name = format!("refs/heads/{branch}");
    let latest = rows::runs::latest_of_ref(&mut app.store.read().await?, service, &name).await?;
    if latest.is_some_and(|run| run.commit == tip) {
        return Ok(());
    }
    let moved = app.git.repos.last_move(service, &name).filter(|m| m.new == tip);
    let by = moved.as_ref().map_or_else(
        || Asker::system("git"),
        |m| {
            let actor = Actor::User { name: m.who.clone(), principal: m.principal };
            Asker { cause: m.cause.clone(), ..Asker::trusted(actor) }
        },
    );
    let old = moved.map_or_else(|| zero(&tip), |m| m.old);
    let update = Update { old, new: tip, name };
    match follow::start(app, service, &update, &by).await? {
        Ok(run) => tracing::info!(%service, branch, %run, "a branch had moved without a run"),
        Err(complaint) if told.insert(update.new) => {
            let text = complaint.text(fault::Lang::En);
            tracing::warn!(%service, branch, text, "a branch cannot be run");
        }
        Err(_) => {}
    }
    Ok(())
}

fn zero(like: &Commit) -> Commit {
    "0".repeat(like.as_str().len()).parse().unwrap_or_else(|_| like.clone())
}
