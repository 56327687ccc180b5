//! The end of a successful run: a release, and the rollout to where its branch leads.

use super::{body::Made, error::Result, events, events::Author, live::Live};
use crate::{
    Ctx, Error,
    ctx::Asker,
    rollouts::{self, request},
};
use serde_json::json;
use tradewind_model::{
    fault::Lang, id::EnvName, id::RolloutId, release::ReleaseManifest, rollout::plan::Kind, said::Said,
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
    let by = Asker { actor: live.run.actor.clone(), cause: Some(told.to_string()) };
    match roll_out(ctx, tx, &release, &env, &by).await {
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

async fn roll_out(ctx: &Ctx, tx: &mut Tx, release: &Release, env: &EnvName, by: &Asker) -> crate::Result<RolloutId> {
    let target = rollouts::target(tx, &release.service, env, &release.digest.to_string()).await?;
    request::request(tx, ctx, &release.service, env, &target, Kind::Normal, &request::Wish::default(), by).await
}
