//! Users: people and service accounts.

use super::{fact, faults, grants, grants::shown_of};
use crate::{Ctx, Result, ctx::Asker, services};
use serde_json::json;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Bounds, Grant, Role, Subject, is_handle},
    fault::Fault,
    id::UserId,
};
use tradewind_store::{
    Reader, Tx,
    rows::{self, grants::Holder, users::User},
    transact,
};

pub(super) async fn named(r: &mut impl Reader, handle: &str) -> Result<User> {
    let found = rows::users::by_handle(r, handle).await?;
    found.ok_or_else(|| Fault::new(&faults::NO_USER).with("user", handle.escape_debug()).into())
}

/// Free among users and groups alike: a role is given to either by name.
pub(super) async fn free(r: &mut impl Reader, handle: &str) -> Result<()> {
    let taken = rows::users::by_handle(r, handle).await?.is_some() || rows::groups::by_name(r, handle).await?.is_some();
    if taken { Err(Fault::new(&faults::HANDLE_TAKEN).with("handle", handle).into()) } else { Ok(()) }
}

pub(super) fn well_formed(handle: &str) -> Result<()> {
    if is_handle(handle) {
        Ok(())
    } else {
        Err(Fault::new(&faults::BAD_HANDLE).with("handle", handle.escape_debug()).into())
    }
}

/// An account for a machine: it has tokens, no password.
///
/// # Errors
/// [`faults::BAD_HANDLE`], [`faults::HANDLE_TAKEN`].
pub async fn create_service_account(ctx: &Ctx, wish: &v1::CreateAccount, by: &Asker) -> Result<v1::User> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    well_formed(&wish.handle)?;
    transact!(ctx.store, tx => {
        free(tx, &wish.handle).await?;
        let new = rows::users::NewUser {
            id: UserId::at(tx.now()),
            handle: wish.handle.clone(),
            is_service: true,
            name: plain(wish.name.as_deref().unwrap_or(&wish.handle)),
            email: None,
            password: None,
            created_by: by.actor.clone(),
        };
        let user = rows::users::insert(tx, new).await?;
        let after = Some(json!({ "handle": user.handle, "kind": "service" }));
        tx.event(fact("user.created", subject(&user), by, after)).await?;
        view(tx, user).await
    })
}

/// The account of the machine's owner, whose token belongs to nobody: a person without a password, who may do everything.
///
/// # Errors
/// [`faults::BAD_HANDLE`], [`faults::HANDLE_TAKEN`].
pub async fn owner_account(ctx: &Ctx, handle: &str, by: &Asker) -> Result<User> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    well_formed(handle)?;
    transact!(ctx.store, tx => {
        free(tx, handle).await?;
        let new = rows::users::NewUser {
            id: UserId::at(tx.now()),
            handle: handle.to_owned(),
            is_service: false,
            name: handle.to_owned(),
            email: None,
            password: None,
            created_by: by.actor.clone(),
        };
        let user = rows::users::insert(tx, new).await?;
        let after = Some(json!({ "handle": user.handle, "kind": "person", "owner": true }));
        tx.event(fact("user.created", subject(&user), by, after)).await?;
        let all = Grant { role: Role::Admin, bounds: Bounds::default() };
        grants::insert(tx, Holder::User(user.id), &user.handle, all, by).await?;
        Ok(user)
    })
}

/// By handle. Who keeps access to a part only sees whom they can give a role to, and the roles in that part.
pub async fn list(ctx: &Ctx, by: &Asker) -> Result<Vec<v1::User>> {
    let whole = [Action::Access, Action::ReadAudit].iter().any(|a| by.rights.may(*a, &Subject::ORGANISATION));
    if !whole && !by.rights.may_somewhere(Action::Access) {
        by.allow(Action::Access, &Subject::ORGANISATION)?;
    }
    let mut r = ctx.store.read().await?;
    let mut shown = Vec::new();
    for user in rows::users::list(&mut r).await? {
        let mut user = view(&mut r, user).await?;
        if !whole {
            user.email = None;
            user.groups.clear();
            user.roles.retain(|g| by.rights.may(Action::Access, &g.bounds().whole()));
        }
        shown.push(user);
    }
    Ok(shown)
}

/// # Errors
/// [`faults::NO_USER`].
pub async fn show(r: &mut impl Reader, id: UserId) -> Result<v1::User> {
    match rows::users::find(r, id).await? {
        Some(user) => view(r, user).await,
        None => Err(Fault::new(&faults::NO_USER).with("user", id).into()),
    }
}

/// Sessions and tokens end with it; whoever wants the person back enables them, and those stay ended.
///
/// # Errors
/// [`faults::NO_USER`], [`faults::LAST_ADMIN`].
pub async fn disable(ctx: &Ctx, handle: &str, by: &Asker) -> Result<v1::User> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let mut user = named(tx, handle).await?;
        if user.is_enabled() {
            not_the_last_admin(tx, &user).await?;
            user.disabled_at = Some(tx.now());
            user = rows::users::update(tx, user).await?;
            rows::sessions::end_others(tx, user.id, None).await?;
            rows::tokens::revoke_of(tx, user.id).await?;
            tx.event(fact("user.disabled", subject(&user), by, None)).await?;
        }
        view(tx, user).await
    })
}

/// # Errors
/// [`faults::NO_USER`].
pub async fn enable(ctx: &Ctx, handle: &str, by: &Asker) -> Result<v1::User> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let mut user = named(tx, handle).await?;
        if !user.is_enabled() {
            user.disabled_at = None;
            user = rows::users::update(tx, user).await?;
            tx.event(fact("user.enabled", subject(&user), by, None)).await?;
        }
        view(tx, user).await
    })
}

/// Takes away for good what is known of a person: name, address, password, second factor, where they signed in from, what
/// their tokens were called, the invitation they came with. The account stays, disabled, so that nobody else becomes them;
/// its handle stays in the event log, which says by the account's id alone that this was done.
///
/// # Errors
/// [`faults::NO_USER`], [`faults::NOT_A_PERSON`], [`faults::LAST_ADMIN`].
pub async fn erase(ctx: &Ctx, handle: &str, by: &Asker) -> Result<v1::User> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let mut user = named(tx, handle).await?;
        if user.is_service {
            return Err(Fault::new(&faults::NOT_A_PERSON).with("user", handle).into());
        }
        if user.is_enabled() {
            not_the_last_admin(tx, &user).await?;
        }
        rows::tokens::revoke_of(tx, user.id).await?;
        rows::tokens::rename_of(tx, user.id, &user.handle).await?;
        rows::sessions::forget(tx, user.id).await?;
        rows::session_links::forget(tx, user.id).await?;
        rows::sessions::set_codes(tx, user.id, &[]).await?;
        rows::invitations::forget(tx, user.email.as_deref(), &user.handle).await?;
        user = rows::users::update(tx, User {
            name: String::new(),
            email: None,
            password: None,
            password_set_at: None,
            totp: None,
            totp_since: None,
            totp_step: 0,
            disabled_at: user.disabled_at.or(Some(tx.now())),
            erased_at: user.erased_at.or(Some(tx.now())),
            ..user
        })
        .await?;
        tx.event(fact("user.erased", format!("user/{}", user.id), by, None)).await?;
        view(tx, user).await
    })
}

/// For who lost it and the recovery codes with it. Their sessions end: whoever has one may be somebody else.
///
/// # Errors
/// [`faults::NO_USER`], [`faults::NOT_A_PERSON`].
pub async fn reset_second_factor(ctx: &Ctx, handle: &str, by: &Asker) -> Result<v1::User> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let mut user = named(tx, handle).await?;
        if user.is_service {
            return Err(Fault::new(&faults::NOT_A_PERSON).with("user", handle).into());
        }
        if user.totp_since.is_some() {
            user = set_second_factor(tx, user, None, by).await?;
            rows::sessions::end_others(tx, user.id, None).await?;
        }
        view(tx, user).await
    })
}

/// Stores a new password, already hashed. All other sessions end.
pub async fn set_password(
    tx: &mut Tx,
    user: User,
    hashed: String,
    but: Option<tradewind_model::id::SessionId>,
    by: &Asker,
) -> Result<User> {
    let user =
        rows::users::update(tx, User { password: Some(hashed), password_set_at: Some(tx.now()), ..user }).await?;
    rows::sessions::end_others(tx, user.id, but).await?;
    tx.event(fact("user.password_set", subject(&user), by, None)).await?;
    Ok(user)
}

/// Puts a second factor in place, or takes it away.
pub async fn set_second_factor(tx: &mut Tx, user: User, sealed: Option<String>, by: &Asker) -> Result<User> {
    let on = sealed.is_some();
    let since = on.then(|| tx.now());
    let user = rows::users::update(tx, User { totp: sealed, totp_since: since, totp_step: 0, ..user }).await?;
    if !on {
        rows::sessions::set_codes(tx, user.id, &[]).await?;
    }
    let kind = if on { "user.second_factor_set" } else { "user.second_factor_removed" };
    tx.event(fact(kind, subject(&user), by, None)).await?;
    Ok(user)
}

/// Somebody has to be able to let others in. The machine's owner always can; this spares them the way.
pub(super) async fn not_the_last_admin(r: &mut impl Reader, user: &User) -> Result<()> {
    if !is_admin(r, user).await? {
        return Ok(());
    }
    for other in rows::users::list(r).await? {
        if other.id != user.id && !other.is_service && other.is_enabled() && is_admin(r, &other).await? {
            return Ok(());
        }
    }
    Err(Fault::new(&faults::LAST_ADMIN).with("user", &user.handle).into())
}

async fn is_admin(r: &mut impl Reader, user: &User) -> Result<bool> {
    let held = rows::grants::of_user(r, user.id).await?;
    Ok(held.iter().any(|g| g.grant.role == Role::Admin && g.grant.bounds == Default::default()))
}

pub async fn view(r: &mut impl Reader, user: User) -> Result<v1::User> {
    let groups = rows::groups::of_user(r, user.id).await?.into_iter().map(|g| g.name).collect();
    let held = rows::grants::of_user(r, user.id).await?;
    let roles = shown_of(r, held).await?;
    Ok(v1::User {
        id: user.id,
        kind: if user.is_service { v1::UserKind::Service } else { v1::UserKind::Person },
        handle: user.handle,
        name: user.name,
        email: user.email,
        second_factor: user.totp_since.is_some(),
        groups,
        roles,
        created_by: services::who(&user.created_by),
        created_at: user.created_at.into(),
        last_seen_at: user.last_seen_at.map(Into::into),
        disabled_at: user.disabled_at.map(Into::into),
        erased_at: user.erased_at.map(Into::into),
    })
}

pub(super) fn subject(user: &User) -> String {
    format!("user/{}", user.handle)
}

/// One line, whatever was typed.
pub(super) fn plain(text: &str) -> String {
    let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
