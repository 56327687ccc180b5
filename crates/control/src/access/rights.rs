//! Whose rights something is done with, looked up when it is done.

use crate::Result;
use tradewind_api::v1::Scope;
use tradewind_model::access::{Cap, Grant, Principal, Rights};
use tradewind_store::{
    Reader, StoreError,
    rows::{self, tokens::Token, users::User},
};

/// What a principal may now. Who is disabled, revoked or gone may nothing.
pub async fn of(r: &mut impl Reader, principal: Principal) -> Result<Rights> {
    match principal {
        Principal::Owner => Ok(Rights::all()),
        Principal::User(id) => match rows::users::find(r, id).await? {
            Some(user) => of_user(r, &user).await,
            None => Ok(Rights::none()),
        },
        // That a token ran out while its pipeline ran takes nothing back; that it was revoked does.
        Principal::Token(id) => match rows::tokens::get(r, id).await {
            Ok(token) if token.revoked_at.is_none() => of_token(r, &token).await,
            Ok(_) | Err(StoreError::NotFound { .. }) => Ok(Rights::none()),
            Err(e) => Err(e.into()),
        },
    }
}

pub async fn of_user(r: &mut impl Reader, user: &User) -> Result<Rights> {
    if !user.is_enabled() {
        return Ok(Rights::none());
    }
    let held = rows::grants::of_user(r, user.id).await?;
    Ok(Rights::new(held.into_iter().map(|g| g.grant).collect::<Vec<Grant>>()))
}

/// The owner's, as far as the token reaches.
pub async fn of_token(r: &mut impl Reader, token: &Token) -> Result<Rights> {
    let rights = match token.owner {
        None => Rights::all(),
        Some(owner) => match rows::users::find(r, owner).await? {
            Some(user) => of_user(r, &user).await?,
            None => Rights::none(),
        },
    };
    // Scopes of a newer version are unknown here and grant nothing.
    let reach = token.scopes.iter().filter_map(|s| s.parse::<Scope>().ok()?.ceiling());
    Ok(match reach.max() {
        Some(ceiling) => rights.capped(Cap { ceiling, bounds: token.bounds.clone() }),
        None => Rights::none(),
    })
}
