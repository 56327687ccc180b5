//! A handle and a password, and a second factor where there is one.

use super::{
    password, second_factor,
    secret::Secret,
    session::{self, Opened},
    tokens::{self, Wish},
};
use crate::{App, faults, http::Refusal};
use serde_json::json;
use std::net::IpAddr;
use tradewind_api::v1::{AcceptInvitation, CreateToken, NewToken, Scope, SignIn};
use tradewind_control::{access, ctx::Asker};
use tradewind_model::{
    access::Principal,
    event::Actor,
    fault::Fault,
    id::{OrgName, TokenId},
};
use tradewind_store::{
    Store, StoreError,
    rows::{self, users::User},
    transact,
};

/// A token of a person at a command line lasts as long.
const TOKEN_LIFE_S: u64 = 30 * 86_400;

/// Who signs in, and from where.
pub struct Attempt<'a> {
    pub from: IpAddr,
    /// What the browser or program calls itself.
    pub agent: &'a str,
    pub cause: Option<String>,
}

struct Proven {
    user: User,
    strong: bool,
}

/// A token of one's own, for the command line.
///
/// # Errors
/// [`faults::BAD_SIGN_IN`] whatever is wrong, [`faults::TOO_MANY_TRIES`], [`faults::SECOND_FACTOR`] where the password is
/// right and the code is missing.
pub async fn for_token(app: &App, asked: &SignIn, attempt: &Attempt<'_>) -> Result<NewToken, Refusal> {
    let name = asked.name.clone().unwrap_or_else(|| asked.handle.clone());
    let wished =
        CreateToken { name, scopes: vec![Scope::Admin], expires_in_s: Some(TOKEN_LIFE_S), ..CreateToken::default() };
    let wish = Wish::check(&wished)?;
    let Proven { user, strong } = prove(app, asked, attempt).await?;
    let store = app.store.for_org(user.org.clone());
    if second_factor_needed(&store, &user, strong).await? {
        // A token has nowhere to set one up from.
        return Err(Fault::new(&faults::SECOND_FACTOR_FIRST).with("name", &user.handle).into());
    }
    let secret = Secret::mint(TokenId::at(store.now()).0).map_err(Refusal::internal)?;
    let by = by(&user, attempt.cause.clone());
    let row: Result<_, StoreError> = transact!(store, tx => {
        tx.event(access::fact("user.signed_in", subject(&user), &by, told(attempt, strong))).await?;
        tokens::insert_row(tx, &wish, &secret, &by.actor, Some(user.id)).await
    });
    Ok(NewToken { token: secret.reveal(), info: tokens::view(&row?, Some(&user.handle)) })
}

/// A session, for a browser.
///
/// # Errors
/// As [`for_token`]; whoever still has to set up a second factor gets a session that can do only that.
pub async fn for_session(app: &App, asked: &SignIn, attempt: &Attempt<'_>) -> Result<(Opened, User, bool), Refusal> {
    let Proven { user, strong } = prove(app, asked, attempt).await?;
    let store = app.store.for_org(user.org.clone());
    let by = by(&user, attempt.cause.clone());
    let opened: Result<_, Refusal> = transact!(store, tx => {
        tx.event(access::fact("user.signed_in", subject(&user), &by, told(attempt, strong))).await?;
        session::open(tx, user.id, strong, attempt.from, attempt.agent).await
    });
    let needed = second_factor_needed(&store, &user, strong).await?;
    Ok((opened?, user, needed))
}

/// Takes an invitation up: makes the user, with the password they chose.
///
/// # Errors
/// [`faults::WEAK_PASSWORD`], [`faults::TOO_MANY_TRIES`], and what [`access::accept`] refuses.
pub async fn accept(app: &App, asked: &AcceptInvitation, from: IpAddr, cause: Option<String>) -> Result<User, Refusal> {
    let now = app.store.now();
    slow_down(app, from, None, now)?;
    password::check(&asked.password, "")?;
    let code = asked.code.trim();
    let hash = access::code_hash(code.as_bytes(), &asked.email);
    let password = password::hash(asked.password.clone()).await?;
    let accepted = access::accept(&app.store, &hash, password, cause).await?;
    app.throttle.was_right(from);
    Ok(accepted.user)
}

async fn prove(app: &App, asked: &SignIn, attempt: &Attempt<'_>) -> Result<Proven, Refusal> {
    let SignIn { handle, password, code, .. } = asked;
    let now = app.store.now();
    slow_down(app, attempt.from, Some(handle), now)?;
    let store = app.store.for_org(OrgName::default_org());
    let found = rows::users::by_handle(&mut store.read().await?, handle).await?;
    let stored = found.as_ref().and_then(|u| u.password.clone());
    let right = password::verify(password.clone(), stored).await?;
    let Some(user) = found else { return Err(Fault::new(&faults::BAD_SIGN_IN).into()) };
    if !right || !user.is_enabled() || user.is_service {
        return Err(refuse(app, attempt, &user).await);
    }
    let strong = match (&user.totp_since, code) {
        (None, _) => false,
        (Some(_), None) => {
            // The password was right: that alone is no try at guessing it.
            was_right(app, attempt.from, handle);
            return Err(Fault::new(&faults::SECOND_FACTOR).into());
        }
        (Some(_), Some(code)) => match second_factor::verify(app, &user, code).await? {
            true => true,
            false => return Err(refuse(app, attempt, &user).await),
        },
    };
    was_right(app, attempt.from, handle);
    Ok(Proven { user, strong })
}

/// Before anything is compared: by where it comes from, and by the account it is meant for.
pub(super) fn slow_down(
    app: &App,
    from: IpAddr,
    account: Option<&str>,
    now: tradewind_model::time::Timestamp,
) -> Result<(), Fault> {
    let slower = |seconds: u64| Fault::new(&faults::TOO_MANY_TRIES).with("seconds", seconds);
    app.throttle.take(from, now).map_err(slower)?;
    match account {
        Some(account) => app.accounts.take(account.to_owned(), now).map_err(slower),
        None => Ok(()),
    }
}

fn was_right(app: &App, from: IpAddr, account: &str) {
    app.throttle.was_right(from);
    app.accounts.was_right(account.to_owned());
}

/// A failed attempt is a fact of the account; a name nobody has is none, or anybody could fill the log.
pub(super) async fn refuse(app: &App, attempt: &Attempt<'_>, user: &User) -> Refusal {
    let store = app.store.for_org(user.org.clone());
    let by = Asker { cause: attempt.cause.clone(), ..Asker::system("access") };
    let after = Some(json!({ "address": attempt.from.to_string() }));
    let noted: Result<_, StoreError> = transact!(store, tx => {
        tx.event(access::fact("user.sign_in_failed", subject(user), &by, after.clone())).await
    });
    if let Err(error) = noted {
        tracing::warn!(%error, "a failed sign-in could not be noted");
    }
    Fault::new(&faults::BAD_SIGN_IN).into()
}

/// The password of who is signed in already, asked for again before something that guards the account is changed.
///
/// # Errors
/// [`faults::BAD_SIGN_IN`], [`faults::TOO_MANY_TRIES`].
pub async fn own_password(app: &App, user: &User, given: &str, from: IpAddr) -> Result<(), Refusal> {
    if user.password.is_none() {
        // Whoever came in by a link has none to show.
        return Ok(());
    }
    slow_down(app, from, Some(&user.handle), app.store.now())?;
    if !password::verify(given.to_owned(), user.password.clone()).await? {
        return Err(Fault::new(&faults::BAD_SIGN_IN).into());
    }
    was_right(app, from, &user.handle);
    Ok(())
}

/// Whether a policy asks this person for a second factor, and none was shown.
pub(super) async fn second_factor_needed(store: &Store, user: &User, strong: bool) -> Result<bool, Refusal> {
    let mut read = store.read().await?;
    let rights = access::of_user(&mut read, user).await?;
    Ok(!strong && access::needs_second_factor(&access::policy(&mut read).await?, &rights))
}

pub(super) fn by(user: &User, cause: Option<String>) -> Asker {
    let actor = Actor::User { name: user.handle.clone(), principal: Some(Principal::User(user.id)) };
    Asker { actor, cause, reason: None, rights: Default::default() }
}

fn told(attempt: &Attempt<'_>, strong: bool) -> Option<serde_json::Value> {
    Some(json!({ "address": attempt.from.to_string(), "second_factor": strong }))
}

pub(super) fn subject(user: &User) -> String {
    format!("user/{}", user.handle)
}
