//! Invitations: for one address, used once, known here by its hash only.

use super::{fact, faults, grants, people};
use crate::{Ctx, Result, ctx::Asker, services};
use serde_json::json;
use std::time::Duration;
use tradewind_api::v1;
use tradewind_model::{
    access::{Action, Grant, Principal, Subject},
    event::Actor,
    fault::Fault,
    id::{Digest, InvitationId, UserId},
};
use tradewind_store::{
    Json, Store,
    rows::{
        self,
        grants::Holder,
        invitations::Invitation,
        users::{NewUser, User},
    },
    transact,
};

const LIFE: Duration = Duration::from_secs(7 * 86_400);

/// What is stored of a code: bound to the address it is for, so that the code alone opens nothing.
pub fn code_hash(code: &[u8], email: &str) -> Digest {
    Digest::of(&[b"invitation\0".as_slice(), code, b"\0", email.trim().to_lowercase().as_bytes()].concat())
}

/// `hash` is [`code_hash`] of the code that is shown once.
///
/// # Errors
/// [`faults::BAD_HANDLE`], [`faults::BAD_EMAIL`], [`faults::HANDLE_TAKEN`], [`faults::BEYOND_OWN_ROLE`].
pub async fn invite(ctx: &Ctx, wish: &v1::Invite, hash: &Digest, by: &Asker) -> Result<v1::Invitation> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    people::well_formed(&wish.handle)?;
    let email = wish.email.trim().to_lowercase();
    let good = email.len() <= 200
        && email.split_once('@').is_some_and(|(a, b)| !a.is_empty() && b.contains('.') && !b.contains('@'))
        && !email.chars().any(|c| c.is_control() || c.is_whitespace());
    if !good {
        return Err(Fault::new(&faults::BAD_EMAIL).with("email", wish.email.escape_debug()).into());
    }
    let roles: Vec<Grant> = wish.roles.iter().map(|r| Grant { role: r.role, bounds: r.bounds() }).collect();
    for grant in &roles {
        grants::may_hand_out(by, grant)?;
    }
    transact!(ctx.store, tx => {
        people::free(tx, &wish.handle).await?;
        let now = tx.now();
        let id = InvitationId::at(now);
        for open in rows::invitations::open(tx, now).await? {
            if open.handle == wish.handle {
                // The newer word counts; two good ones for one name would be one too many.
                rows::invitations::revoke(tx, open.id).await?;
                let after = Some(json!({ "handle": open.handle, "replaced_by": id }));
                tx.event(fact("user.invitation_withdrawn", format!("invitation/{}", open.id), by, after)).await?;
            }
        }
        let new = Invitation {
            org: ctx.store.org().clone(),
            id,
            handle: wish.handle.clone(),
            name: people::plain(wish.name.as_deref().unwrap_or(&wish.handle)),
            email: email.clone(),
            grants: Json::of(&roles),
            invited_by: by.actor.clone(),
            invited_at: now,
            expires_at: now.plus(LIFE),
        };
        rows::invitations::insert(tx, &new, hash).await?;
        let after = Some(json!({ "handle": new.handle, "roles": roles, "expires_at": new.expires_at }));
        tx.event(fact("user.invited", format!("invitation/{}", new.id), by, after)).await?;
        view(new)
    })
}

/// Those that can still be accepted, oldest first.
pub async fn list(ctx: &Ctx, by: &Asker) -> Result<Vec<v1::Invitation>> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    let now = ctx.now();
    rows::invitations::open(&mut ctx.store.read().await?, now).await?.into_iter().map(view).collect()
}

/// # Errors
/// [`faults::NO_INVITATION`].
pub async fn revoke(ctx: &Ctx, id: InvitationId, by: &Asker) -> Result<()> {
    by.allow(Action::Access, &Subject::ORGANISATION)?;
    transact!(ctx.store, tx => {
        if !rows::invitations::revoke(tx, id).await? {
            return Err(Fault::new(&faults::NO_INVITATION).with("invitation", id).into());
        }
        tx.event(fact("user.invitation_withdrawn", format!("invitation/{id}"), by, None)).await?;
        Ok(())
    })
}

/// Who came in.
pub struct Accepted {
    pub user: User,
}

/// Makes the invited user. `password` is hashed already.
///
/// # Errors
/// [`faults::BAD_INVITATION`], whatever is wrong with it; [`faults::HANDLE_TAKEN`].
pub async fn accept(store: &Store, hash: &Digest, password: String, cause: Option<String>) -> Result<Accepted> {
    let bad = || Fault::new(&faults::BAD_INVITATION);
    let found = rows::invitations::by_hash(&mut store.read().await?, hash, store.now()).await?.ok_or_else(bad)?;
    let store = store.for_org(found.org.clone());
    transact!(store, tx => {
        if !rows::invitations::accept(tx, found.id).await? {
            return Err(bad().into());
        }
        people::free(tx, &found.handle).await?;
        let id = UserId::at(tx.now());
        let actor = Actor::User { name: found.handle.clone(), principal: Some(Principal::User(id)) };
        let new = NewUser {
            id,
            handle: found.handle.clone(),
            is_service: false,
            name: found.name.clone(),
            email: Some(found.email.clone()),
            password: Some(password.clone()),
            created_by: found.invited_by.clone(),
        };
        let user = rows::users::insert(tx, new).await?;
        let by = Asker { actor, cause: cause.clone(), reason: None, rights: Default::default() };
        let after = Some(json!({ "handle": user.handle, "invitation": found.id, "invited_by": services::who(&found.invited_by) }));
        tx.event(fact("user.joined", people::subject(&user), &by, after)).await?;
        let giver = Asker { actor: found.invited_by.clone(), ..by };
        for grant in found.grants.read::<Vec<Grant>>()? {
            grants::insert(tx, Holder::User(id), &user.handle, grant, &giver).await?;
        }
        Ok(Accepted { user })
    })
}

fn view(i: Invitation) -> Result<v1::Invitation> {
    let roles = i.grants.read::<Vec<Grant>>()?;
    Ok(v1::Invitation {
        id: i.id,
        handle: i.handle,
        name: i.name,
        email: i.email,
        roles: roles
            .into_iter()
            .map(|g| v1::RoleWish { role: g.role, service: g.bounds.service, env: g.bounds.env, site: g.bounds.site })
            .collect(),
        by: services::who(&i.invited_by),
        at: i.invited_at.into(),
        expires_at: i.expires_at.into(),
    })
}
