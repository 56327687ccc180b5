//! Freezes people set: no wave of what they cover begins and nothing leaves its queue. What runs goes on, and nothing
//! blocks a rollback.

use crate::{Ctx, Error, Result, ctx::Asker, faults, rollouts::intervene, services};
use serde_json::json;
use std::time::Duration;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Part, Subject},
    event::NewEvent,
    fault::Fault,
    id::{EnvName, FreezeId, ServiceName},
    rollout::{faults as roll, reason::Reason},
    said,
    said::Said,
    time::Timestamp,
};
use tradewind_store::{
    Reader, StoreError, Tx,
    rows::{
        self,
        freezes::{Freeze, NewFreeze},
    },
    transact,
};

/// Beyond it nobody means a time.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// # Errors
/// [`faults::FREEZE_WHAT`], [`faults::REASON_NEEDED`], [`faults::FREEZE_END`], [`faults::NO_SERVICE`],
/// [`faults::NO_ENVIRONMENT`].
pub async fn set(ctx: &Ctx, wish: &v1::SetFreeze, by: &Asker) -> Result<v1::Freeze> {
    if wish.all == (wish.service.is_some() || wish.env.is_some()) {
        return Err(Fault::new(&faults::FREEZE_WHAT).into());
    }
    let reason = reason(&wish.reason)?;
    by.allow(Action::Freeze, &covers(wish.service.as_ref(), wish.env.as_ref()))?;
    transact!(ctx.store, tx => {
        let until = until(wish, tx.now())?;
        known(tx, wish.service.as_ref(), wish.env.as_ref()).await?;
        let new = NewFreeze {
            id: FreezeId::at(tx.now()),
            service: wish.service.clone(),
            env: wish.env.clone(),
            reason: reason.clone(),
            by: by.actor.clone(),
            until,
        };
        let freeze = rows::freezes::insert(tx, new).await?;
        tx.event(about(&freeze, "freeze.set", by, &freeze.reason)).await?;
        Ok(view(freeze))
    })
}

/// Others that cover the same place stay. Gives it as it was.
///
/// # Errors
/// [`faults::NO_FREEZE`], [`faults::FREEZE_OVER`], [`faults::REASON_NEEDED`].
pub async fn lift(ctx: &Ctx, id: FreezeId, why: &str, by: &Asker) -> Result<v1::Freeze> {
    let why = reason(why)?;
    transact!(ctx.store, tx => {
        let freeze = rows::freezes::get(tx, id).await.map_err(|e| match e {
            StoreError::NotFound { .. } => Error::from(Fault::new(&faults::NO_FREEZE).with("freeze", id)),
            other => other.into(),
        })?;
        by.allow(Action::Freeze, &covers(freeze.service.as_ref(), freeze.env.as_ref()))?;
        if let Some(ended) = &freeze.ended {
            let over = Fault::new(&faults::FREEZE_OVER).with("freeze", id).with("since", ended.at.to_minute());
            return Err(over.with("who", services::who(&ended.by)).into());
        }
        rows::freezes::end(tx, id, &by.actor).await?;
        tx.event(about(&freeze, "freeze.lifted", by, &why)).await?;
        Ok(view(freeze))
    })
}

/// What a freeze is about, for who sets or lifts it.
fn covers(service: Option<&ServiceName>, env: Option<&EnvName>) -> Subject {
    Subject { service: Part::of(service.cloned()), env: Part::of(env.cloned()), site: Part::Every }
}

/// Those that are on, oldest first. Whoever sees one of the places it holds sees it.
pub async fn list(ctx: &Ctx) -> Result<Vec<v1::Freeze>> {
    let mut on = rows::freezes::list(&mut ctx.store.read().await?).await?;
    on.retain(|f| {
        let (service, env) = (Part::if_any(f.service.clone()), Part::if_any(f.env.clone()));
        ctx.sees(&Subject { service, env, site: Part::None })
    });
    Ok(on.into_iter().map(view).collect())
}

/// Those that hold this service in this environment, as the API shows them.
pub(crate) async fn shown(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Vec<v1::Freeze>> {
    Ok(rows::freezes::covering(r, service, env).await?.into_iter().map(view).collect())
}

pub(crate) async fn is_on(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<bool> {
    Ok(!rows::freezes::covering(r, service, env).await?.is_empty())
}

/// Who holds this service in this environment and why, in a sentence.
pub(crate) async fn why(r: &mut impl Reader, service: &ServiceName, env: &EnvName) -> Result<Option<Said>> {
    let on = rows::freezes::covering(r, service, env).await?;
    let told: Vec<Said> = on.iter().map(told).collect();
    Ok((!told.is_empty()).then(|| Said::join(&told, &tradewind_model::fault::Text { en: "; ", zh: "；" })))
}

fn told(f: &Freeze) -> Said {
    let since = f.at.to_minute();
    let when = match f.until {
        Some(t) => {
            said!("since {since} until {until}", "自 {since} 起至 {until}", since = since, until = t.to_minute())
        }
        None => said!("since {since}", "自 {since} 起", since = since),
    };
    let reason = Reason::new(&roll::FROZEN).with("who", services::who(&f.by)).with("when", when);
    reason.with("why", &f.reason).with("freeze", f.id).said()
}

/// Ends those whose time is over; when the next one's is.
pub(crate) async fn expire(ctx: &Ctx) -> Result<Option<Timestamp>> {
    let on = rows::freezes::list(&mut ctx.store.read().await?).await?;
    let now = ctx.now();
    let (due, later): (Vec<_>, Vec<_>) = on.into_iter().partition(|f| f.until.is_some_and(|t| t <= now));
    for freeze in due {
        transact!(ctx.store, tx => end(tx, &freeze).await)?;
    }
    Ok(later.iter().filter_map(|f| f.until).min())
}

async fn end(tx: &mut Tx, freeze: &Freeze) -> Result<()> {
    let by = Asker::system("freeze");
    if rows::freezes::end(tx, freeze.id, &by.actor).await? {
        tx.event(about(freeze, "freeze.expired", &by, &freeze.reason)).await?;
    } else {
        tx.without_event("someone else ended it at the same moment");
    }
    Ok(())
}

fn about(freeze: &Freeze, kind: &str, by: &Asker, reason: &str) -> NewEvent {
    let until = freeze.until.map(v1::Time::from);
    NewEvent {
        service: freeze.service.as_ref().map(ToString::to_string),
        env: freeze.env.as_ref().map(ToString::to_string),
        after: Some(json!({ "service": freeze.service, "env": freeze.env, "reason": reason, "until": until })),
        ..by.event(kind, format!("freeze/{}", freeze.id))
    }
}

pub(crate) fn view(f: Freeze) -> v1::Freeze {
    v1::Freeze {
        id: f.id,
        service: f.service,
        env: f.env,
        reason: f.reason,
        by: services::who(&f.by),
        since: f.at.into(),
        until: f.until.map(Into::into),
    }
}

/// One line, whatever was typed: it is shown in the middle of other people's terminals.
fn reason(given: &str) -> Result<String> {
    let plain: String = given.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    intervene::reason_given(&line)?;
    Ok(line)
}

fn until(wish: &v1::SetFreeze, now: Timestamp) -> Result<Option<Timestamp>> {
    let after = wish.for_s.map(|s| now.plus(Duration::from_secs(s)));
    let until = wish.until.map(|t| t.0).into_iter().chain(after).min();
    if let Some(until) = until.filter(|t| *t <= now || *t > now.plus(LONGEST)) {
        let bad = Fault::new(&faults::FREEZE_END).with("now", now.to_minute());
        return Err(bad.with("until", until.to_minute()).into());
    }
    Ok(until)
}

/// A freeze of what does not exist would hold nothing, and whoever mistyped it would not know.
async fn known(r: &mut impl Reader, service: Option<&ServiceName>, env: Option<&EnvName>) -> Result<()> {
    let named = match service {
        Some(service) => vec![services::get(r, service).await?.name],
        None => Vec::new(),
    };
    let Some(env) = env else { return Ok(()) };
    if rows::environments::find(r, env).await?.is_some() {
        return Ok(());
    }
    let candidates = if named.is_empty() { services::names(r).await? } else { named };
    for service in &candidates {
        let spec = services::newest_spec(r, service).await?;
        if spec.is_some_and(|s| s.environments.iter().any(|e| e.name == *env)) {
            return Ok(());
        }
    }
    Err(Fault::new(&faults::NO_ENVIRONMENT).with("env", env).into())
}
