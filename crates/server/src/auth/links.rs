//! Links that sign a browser in: whoever is signed in on a terminal is so in the browser, without a password typed.
//!
//! The code stands behind `#` in the address, which browsers send to nobody: it is in no log and no referrer.

use super::{
    Caller, Identity, second_factor,
    secret::Secret,
    session,
    session::Opened,
    sign_in::{self, Attempt},
};
use crate::{App, faults, http::Refusal};
use serde_json::json;
use std::time::Duration;
use tradewind_api::v1::{EnterByLink, MakeSessionLink, Scope, SessionLink};
use tradewind_control::{access, ctx::Asker};
use tradewind_model::{access::Bounds, fault::Fault, id::SessionId};
use tradewind_store::{
    StoreError,
    rows::{self, users::User},
    transact,
};

/// How long a link can be used.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// The machine owner's account, unless another name is given.
const OWNER: &str = "owner";

/// A link for who asks; for the machine's owner, whose token belongs to nobody, for the account that is named.
///
/// # Errors
/// [`faults::LIMITED_TOKEN`], [`faults::NOT_OWNERS`], and a name that is none or is taken.
pub async fn make(app: &App, caller: &Caller, by: &Asker, asked: &MakeSessionLink) -> Result<SessionLink, Refusal> {
    let user = whose(app, caller, by, asked).await?;
    let now = app.store.now();
    let secret = Secret::mint(SessionId::at(now).0).map_err(Refusal::internal)?;
    let ends = now.plus(LIFE);
    let made: Result<_, StoreError> = transact!(app.store, tx => {
        rows::session_links::purge(tx, tx.now()).await?;
        rows::session_links::insert(tx, &secret.hash(), user.id, ends).await?;
        let after = Some(json!({ "expires_at": ends }));
        tx.event(access::fact("user.link_made", sign_in::subject(&user), by, after)).await
    });
    made?;
    let code = secret.reveal();
    Ok(SessionLink { path: format!("/enter#{code}"), code, handle: user.handle, expires_at: ends.into() })
}

async fn whose(app: &App, caller: &Caller, by: &Asker, asked: &MakeSessionLink) -> Result<User, Refusal> {
    let mut read = app.store.read().await?;
    if let Identity::Token(id) = caller.identity {
        let token = rows::tokens::get(&mut read, id).await?;
        let whole = token.bounds == Bounds::default() && token.scopes.iter().any(|s| s == Scope::Admin.as_str());
        if !whole {
            return Err(Fault::new(&faults::LIMITED_TOKEN).with("name", &token.name).into());
        }
    }
    if let Some(id) = caller.user {
        let found = rows::users::find(&mut read, id).await?;
        return found
            .filter(|u| !u.is_service)
            .ok_or_else(|| Fault::new(&faults::NO_PERSON).with("name", &caller.name).into());
    }
    let handle = asked.handle.as_deref().unwrap_or(OWNER);
    match rows::users::by_handle(&mut read, handle).await? {
        None => {
            drop(read);
            Ok(access::owner_account(&app.ctx, handle, by).await?)
        }
        // Nobody becomes somebody else: an account with a password is its own person's, and who was erased has no name.
        Some(user) if user.password.is_none() && !user.name.is_empty() && user.is_enabled() && !user.is_service => {
            Ok(user)
        }
        Some(user) => Err(Fault::new(&faults::NOT_OWNERS).with("name", user.handle).into()),
    }
}

/// Opens a session by a link, which is worth nothing afterwards.
///
/// # Errors
/// [`faults::BAD_LINK`] whatever is wrong with it, [`faults::TOO_MANY_TRIES`], [`faults::SECOND_FACTOR`] where the account has
/// one and no code is there.
pub async fn enter(app: &App, asked: &EnterByLink, attempt: &Attempt<'_>) -> Result<(Opened, User, bool), Refusal> {
    let bad = || Refusal::from(Fault::new(&faults::BAD_LINK));
    sign_in::slow_down(app, attempt.from, None, app.store.now())?;
    let hash = Secret::parse(&asked.code).ok_or_else(bad)?.hash();
    let found = rows::session_links::open(&mut app.store.read().await?, &hash, app.store.now()).await?;
    let (org, id) = found.ok_or_else(bad)?;
    let store = app.store.for_org(org);
    let user = rows::users::find(&mut store.read().await?, id).await?.filter(User::is_enabled).ok_or_else(bad)?;
    let strong = match (&user.totp_since, &asked.second_factor) {
        (None, _) => false,
        (Some(_), None) => return Err(Fault::new(&faults::SECOND_FACTOR).into()),
        (Some(_), Some(code)) => match second_factor::verify(app, &user, code).await? {
            true => true,
            false => return Err(sign_in::refuse(app, attempt, &user).await),
        },
    };
    let by = sign_in::by(&user, attempt.cause.clone());
    let after = Some(json!({ "address": attempt.from.to_string(), "second_factor": strong, "link": true }));
    let opened: Result<_, Refusal> = transact!(store, tx => {
        if !rows::session_links::consume(tx, &hash).await? {
            return Err(bad());
        }
        tx.event(access::fact("user.signed_in", sign_in::subject(&user), &by, after.clone())).await?;
        session::open(tx, user.id, strong, attempt.from, attempt.agent).await
    });
    let opened = opened?;
    app.throttle.was_right(attempt.from);
    let needed = sign_in::second_factor_needed(&store, &user, strong).await?;
    Ok((opened, user, needed))
}
