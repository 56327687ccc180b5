//! Roles given and withdrawn.

use super::{fact, faults, groups, people};
use crate::{Ctx, Result, ctx::Asker, services};
use serde_json::json;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Bounds, Grant, Role, Subject},
    fault::Fault,
    id::GrantId,
};
use tradewind_store::{
    Reader, Tx,
    rows::{
        self,
        grants::{Granted, Holder},
    },
    transact,
};

/// Those the asker may see: of the places whose access they keep.
pub async fn list(ctx: &Ctx, by: &Asker) -> Result<Vec<v1::Granted>> {
    let mut r = ctx.store.read().await?;
    let mut all = rows::grants::list(&mut r).await?;
    let audits = by.rights.may(Action::ReadAudit, &Subject::ORGANISATION);
    all.retain(|g| audits || by.rights.may(Action::Access, &g.grant.bounds.whole()));
    shown_of(&mut r, all).await
}

/// # Errors
/// [`faults::GRANT_WHO`], [`faults::NO_USER`], [`faults::NO_GROUP`], [`faults::BEYOND_OWN_ROLE`], [`faults::HAS_ROLE`].
pub async fn grant(ctx: &Ctx, wish: &v1::GrantRole, by: &Asker) -> Result<v1::Granted> {
    let grant = Grant { role: wish.role, bounds: wish.bounds() };
    may_hand_out(by, &grant)?;
    transact!(ctx.store, tx => {
        let (holder, who) = match (&wish.user, &wish.group) {
            (Some(user), None) => (Holder::User(people::named(tx, user).await?.id), user),
            (None, Some(group)) => (Holder::Group(groups::named(tx, group).await?.id), group),
            _ => return Err(Fault::new(&faults::GRANT_WHO).into()),
        };
        let known = rows::grants::list(tx).await?;
        if known.iter().any(|g| g.holder == holder && g.grant == grant) {
            let has = Fault::new(&faults::HAS_ROLE).with("who", who).with("role", grant.role);
            return Err(has.with("what", &grant.bounds).into());
        }
        let granted = insert(tx, holder, who, grant.clone(), by).await?;
        one(tx, granted).await
    })
}

/// In the caller's transaction, with its event.
pub(crate) async fn insert(tx: &mut Tx, holder: Holder, who: &str, grant: Grant, by: &Asker) -> Result<Granted> {
    let granted = rows::grants::insert(tx, GrantId::at(tx.now()), holder, grant, &by.actor).await?;
    tx.event(told("role.granted", &granted, who, by)).await?;
    Ok(granted)
}

/// # Errors
/// [`faults::NO_GRANT`], [`faults::LAST_ADMIN`].
pub async fn withdraw(ctx: &Ctx, id: GrantId, by: &Asker) -> Result<()> {
    transact!(ctx.store, tx => {
        let missing = || Fault::new(&faults::NO_GRANT).with("grant", id);
        let granted = rows::grants::find(tx, id).await?.ok_or_else(missing)?;
        // Whoever may not see it is not told that it is there.
        if !by.rights.may(Action::Access, &granted.grant.bounds.whole()) {
            return Err(missing().into());
        }
        let who = holder_name(tx, granted.holder).await?;
        if let Holder::User(user) = granted.holder
            && granted.grant == (Grant { role: Role::Admin, bounds: Bounds::default() })
            && let Some(user) = rows::users::find(tx, user).await?
            && !user.is_service
        {
            people::not_the_last_admin(tx, &user).await?;
        }
        rows::grants::delete(tx, id).await?;
        tx.event(told("role.withdrawn", &granted, &who, by)).await?;
        Ok(())
    })
}

pub(crate) fn may_hand_out(by: &Asker, grant: &Grant) -> Result<()> {
    if grant.bounds.site.is_some() && grant.bounds.env.is_none() {
        return Err(Fault::new(&faults::SITE_WITHOUT_ENV).into());
    }
    by.allow(Action::Access, &grant.bounds.whole())?;
    if by.rights.may_hand_out(grant) {
        return Ok(());
    }
    let beyond = Fault::new(&faults::BEYOND_OWN_ROLE).with("name", by.name()).with("role", grant.role);
    Err(beyond.with("what", &grant.bounds).into())
}

/// All that an account has, with an event each: it is not to act any more.
pub(crate) async fn withdraw_all(tx: &mut Tx, user: &rows::users::User, by: &Asker) -> Result<()> {
    let held = rows::grants::list(tx).await?.into_iter().filter(|g| g.holder == Holder::User(user.id));
    for granted in held {
        rows::grants::delete(tx, granted.id).await?;
        tx.event(told("role.withdrawn", &granted, &user.handle, by)).await?;
    }
    Ok(())
}

fn told(kind: &str, granted: &Granted, who: &str, by: &Asker) -> tradewind_model::event::NewEvent {
    let Bounds { service, env, site } = &granted.grant.bounds;
    let role = granted.grant.role;
    let mut event = fact(
        kind,
        format!("grant/{}", granted.id),
        by,
        Some(json!({ "who": who, "role": role, "service": service, "env": env, "site": site })),
    );
    event.service = service.as_ref().map(ToString::to_string);
    event.env = env.as_ref().map(ToString::to_string);
    event
}

async fn holder_name(r: &mut impl Reader, holder: Holder) -> Result<String> {
    Ok(match holder {
        Holder::User(id) => rows::users::find(r, id).await?.map_or_else(|| holder.to_string(), |u| u.handle),
        Holder::Group(id) => {
            let group = rows::groups::list(r).await?.into_iter().find(|g| g.id == id);
            group.map_or_else(|| holder.to_string(), |g| g.name)
        }
    })
}

async fn one(r: &mut impl Reader, granted: Granted) -> Result<v1::Granted> {
    let name = holder_name(r, granted.holder).await?;
    let (user, group) = match granted.holder {
        Holder::User(_) => (Some(name), None),
        Holder::Group(_) => (None, Some(name)),
    };
    let Bounds { service, env, site } = granted.grant.bounds;
    Ok(v1::Granted {
        id: granted.id,
        user,
        group,
        role: granted.grant.role,
        service,
        env,
        site,
        by: services::who(&granted.by),
        at: granted.at.into(),
    })
}

pub(super) async fn shown_of(r: &mut impl Reader, all: Vec<Granted>) -> Result<Vec<v1::Granted>> {
    let mut shown = Vec::new();
    for granted in all {
        shown.push(one(r, granted).await?);
    }
    Ok(shown)
}
