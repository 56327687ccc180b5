//! The end of a successful run: a release, and the rollout to where its branch leads.

use super::{body::Made, error::Result, events, events::Author, live::Live};
use crate::{
    Ctx, Error, access,
    ctx::Asker,
    rollouts::{self, request},
};
use serde_json::json;
use std::sync::Arc;
use tradewind_model::{
    access::Rights, event::Actor, fault::Lang, id::EnvName, id::RolloutId, release::ReleaseManifest,
    rollout::plan::Kind, said::Said,
};
use tradewind_store::{
    Tx,
    rows::releases::{self, Release},
};

/// Makes the release and asks for its rollout; nothing where the run has made one before. A rollout that is refused
/// leaves the release, and becomes the run's reason.
pub async fn make(live: &mut Live, ctx: &Ctx, tx: &mut Tx, manifest: &ReleaseManifest, author: &Author) -> Result<()> {
    if live.body.release.is_some() {
        return Ok(());
    }
    let (release, new) = releases::insert(tx, manifest, Some(live.run.id)).await?;
    let made = Made { digest: release.digest, label: release.label() };
    let kind = if new { "release.created" } else { "release.known" };
    let after = json!({ "digest": release.digest, "label": made.label, "commit": release.commit, "run": live.run.id });
    let subject = format!("release/{}/{}", release.service, made.label);
    let told = events::write(tx, &live.run, author, kind, subject, None, after).await?;
    live.body.release = Some(made);
    let Some(env) = live.run.env.clone() else { return Ok(()) };
    match roll_out(live, ctx, tx, &release, &env, &told.to_string()).await {
        Ok(rollout) => live.body.rollout = Some(rollout),
        Err(Error::Refused(fault)) => {
            live.because(Said::in_both(|lang| {
                let between = match lang {
                    Lang::En => "; ",
                    Lang::Zh => "；",
                };
                format!("{}{between}{}", fault.what(lang), fault.fix(lang))
            }));
        }
        Err(e @ Error::Store(_)) => return Err(e.into()),
    }
    Ok(())
}

/// With the rights, as they are now, of whoever pushed and of whoever moved it on.
async fn roll_out(
    live: &Live,
    ctx: &Ctx,
    tx: &mut Tx,
    release: &Release,
    env: &EnvName,
    cause: &str,
) -> crate::Result<RolloutId> {
    let target = rollouts::target(tx, &release.service, env, &release.digest.to_string()).await?;
    let by = behind(tx, &live.run.actor, cause).await?;
    if let Some(other) = live.body.moved_on_by.as_ref().filter(|a| **a != live.run.actor) {
        let other = behind(tx, other, cause).await?;
        request::may(&other, &release.service, env, &target)?;
    }
    request::request(tx, ctx, &release.service, env, &target, Kind::Normal, &request::Wish::default(), &by).await
}

/// Whoever acted before there were rights, and the control plane itself, may.
async fn behind(tx: &mut Tx, actor: &Actor, cause: &str) -> crate::Result<Asker> {
    let rights = match actor {
        Actor::User { principal: Some(principal), .. } => access::rights(tx, *principal).await?,
        Actor::User { principal: None, .. } | Actor::System { .. } | Actor::Agent { .. } => Rights::all(),
    };
    Ok(Asker { actor: actor.clone(), cause: Some(cause.to_owned()), reason: None, rights: Arc::new(rights) })
}
