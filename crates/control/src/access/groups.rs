//! Groups: a role given to one is held by everybody in it.

use super::{fact, faults, people};
use crate::{Ctx, Result, ctx::Asker};
use serde_json::json;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Subject},
    fault::Fault,
    id::GroupId,
};
use tradewind_store::{
    Reader,
    rows::{self, grants::Holder, groups::Group},
    transact,
};

pub(super) async fn named(r: &mut impl Reader, name: &str) -> Result<Group> {
    let found = rows::groups::by_name(r, name).await?;
    found.ok_or_else(|| Fault::new(&faults::NO_GROUP).with("group", name.escape_debug()).into())
}

/// By name, with who is in each.
pub async fn list(ctx: &Ctx, by: &Asker) -> Result<Vec<v1::Group>> {
    if !by.rights.may_somewhere(Action::Access) && !by.rights.may(Action::ReadAudit, &Subject::ORGANISATION) {
        by.allow(Action::Access, &Subject::ORGANISATION)?;
    }
    let mut r = ctx.store.read().await?;
    let mut shown = Vec::new();
    for group in rows::groups::list(&mut r).await? {
        shown.push(view(&mut r, group).await?);
    }
    Ok(shown)
}

/// # Errors
/// [`faults::BAD_HANDLE`], [`faults::HANDLE_TAKEN`].
pub async fn create(ctx: &Ctx, name: &str, by: &Asker) -> Result<v1::Group> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    people::well_formed(name)?;
    transact!(ctx.store, tx => {
        people::free(tx, name).await?;
        let group = rows::groups::insert(tx, GroupId::at(tx.now()), name, &by.actor).await?;
        tx.event(fact("group.created", subject(&group), by, None)).await?;
        view(tx, group).await
    })
}

/// With the roles it held.
///
/// # Errors
/// [`faults::NO_GROUP`].
pub async fn remove(ctx: &Ctx, name: &str, by: &Asker) -> Result<()> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let group = named(tx, name).await?;
        rows::grants::delete_of(tx, Holder::Group(group.id)).await?;
        rows::groups::delete(tx, group.id).await?;
        tx.event(fact("group.removed", subject(&group), by, None)).await?;
        Ok(())
    })
}

/// # Errors
/// [`faults::NO_GROUP`], [`faults::NO_USER`].
pub async fn add_member(ctx: &Ctx, name: &str, user: &str, by: &Asker) -> Result<v1::Group> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let (group, user) = (named(tx, name).await?, people::named(tx, user).await?);
        if rows::groups::add(tx, group.id, user.id, &by.actor).await? {
            let after = Some(json!({ "user": user.handle }));
            tx.event(fact("group.member_added", subject(&group), by, after)).await?;
        }
        view(tx, group).await
    })
}

/// # Errors
/// [`faults::NO_GROUP`], [`faults::NO_USER`].
pub async fn remove_member(ctx: &Ctx, name: &str, user: &str, by: &Asker) -> Result<v1::Group> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        let (group, user) = (named(tx, name).await?, people::named(tx, user).await?);
        if rows::groups::remove(tx, group.id, user.id).await? {
            let after = Some(json!({ "user": user.handle }));
            tx.event(fact("group.member_removed", subject(&group), by, after)).await?;
        }
        view(tx, group).await
    })
}

async fn view(r: &mut impl Reader, group: Group) -> Result<v1::Group> {
    let members = rows::groups::members(r, group.id).await?;
    Ok(v1::Group { name: group.name, members, created_at: group.created_at.into() })
}

fn subject(group: &Group) -> String {
    format!("group/{}", group.name)
}
