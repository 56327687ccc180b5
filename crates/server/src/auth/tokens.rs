//! Making and revoking tokens, and enrolling hosts.

use super::{Caller, Identity, secret::Secret};
use crate::{faults, http::Refusal};
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use tradewind_api::v1::{CreateToken, NewToken, Page, Scope, Token};
use tradewind_control::{access, ctx::Asker, hosts};
use tradewind_model::{
    access::{Action, Bounds, Subject},
    event::{Actor, NewEvent},
    fault::Fault,
    id::{TokenId, UserId},
};
use tradewind_store::{
    Reader, Store, StoreError,
    rows::{self, tokens::Token as Row, users::User},
    transact,
};

const DAY: u64 = 24 * 60 * 60;
/// How long a token lasts when nobody says.
pub const DEFAULT_LIFE: Duration = Duration::from_secs(90 * DAY);
const LIFE: std::ops::RangeInclusive<u64> = 60..=3650 * DAY;

/// What a new token is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    name: String,
    scopes: Vec<Scope>,
    life: Duration,
    bounds: Bounds,
}

impl Wish {
    /// # Errors
    /// [`faults::BAD_NAME`], [`faults::BAD_SCOPES`], [`faults::BAD_EXPIRY`].
    pub fn check(asked: &CreateToken) -> Result<Self, Fault> {
        let name = asked.name.trim();
        if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
            return Err(Fault::new(&faults::BAD_NAME).with("name", name.escape_debug()));
        }
        let mut scopes = asked.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() || (scopes.contains(&Scope::Agent) && scopes.len() > 1) {
            return Err(Fault::new(&faults::BAD_SCOPES));
        }
        let life = asked.expires_in_s.unwrap_or(DEFAULT_LIFE.as_secs());
        if !LIFE.contains(&life) {
            return Err(Fault::new(&faults::BAD_EXPIRY));
        }
        if asked.site.is_some() && asked.env.is_none() {
            return Err(Fault::new(&access::faults::SITE_WITHOUT_ENV));
        }
        Ok(Self { name: name.to_owned(), scopes, life: Duration::from_secs(life), bounds: asked.bounds() })
    }
}

/// A token of the caller's own, or for a service account; with the scope `agent`, a host's key.
///
/// # Errors
/// Those of [`Wish::check`], [`faults::BEYOND_OWN`], and that the caller may not make tokens for others or enrol hosts.
pub async fn create(
    store: &Store,
    by: &Caller,
    cause: Option<String>,
    asked: &CreateToken,
) -> Result<NewToken, Refusal> {
    let wish = Wish::check(asked)?;
    let asker = by.asker(cause);
    if wish.scopes == [Scope::Agent] {
        asker.allow(Action::System, &Subject::ORGANISATION)?;
        return enrol(store, &wish.name, &asker).await;
    }
    let mut read = store.read().await?;
    let owner = match &asked.owner {
        Some(handle) => {
            asker.allow(Action::Access, &Subject::ORGANISATION)?;
            Some(account(&mut read, handle).await?)
        }
        None => match by.user {
            Some(id) => rows::users::find(&mut read, id).await?,
            None => None,
        },
    };
    drop(read);
    // What is for another account is bounded by that account's roles; one's own token by the one it is made with.
    let cap = by.rights.cap().filter(|_| asked.owner.is_none());
    let within = |scope: &Scope| cap.is_none_or(|c| scope.ceiling().is_some_and(|wanted| wanted <= c.ceiling));
    if !wish.scopes.iter().all(within) || cap.is_some_and(|c| !c.bounds.hold(&wish.bounds.whole())) {
        return Err(Fault::new(&faults::BEYOND_OWN).into());
    }
    insert(store, &wish, &asker.actor, owner).await
}

async fn account(r: &mut impl Reader, handle: &str) -> Result<User, Refusal> {
    let found = rows::users::by_handle(r, handle).await?;
    let user = found.ok_or_else(|| Fault::new(&access::faults::NO_USER).with("user", handle.escape_debug()))?;
    if user.is_service { Ok(user) } else { Err(Fault::new(&faults::ANOTHERS).with("user", handle).into()) }
}

/// Writes a token and its event.
pub(super) async fn insert(store: &Store, wish: &Wish, by: &Actor, owner: Option<User>) -> Result<NewToken, Refusal> {
    let secret = Secret::mint(TokenId::at(store.now()).0).map_err(Refusal::internal)?;
    let id = owner.as_ref().map(|u| u.id);
    let row: Row = transact!(store, tx => insert_row(tx, wish, &secret, by, id).await).map_err(Refusal::from)?;
    Ok(NewToken { token: secret.reveal(), info: view(&row, owner.as_ref().map(|u| u.handle.as_str())) })
}

pub(super) async fn insert_row(
    tx: &mut tradewind_store::Tx,
    wish: &Wish,
    secret: &Secret,
    by: &Actor,
    owner: Option<UserId>,
) -> Result<Row, StoreError> {
    let id = TokenId(secret.id);
    let expires_at = tx.now().plus(wish.life);
    let scopes: Vec<String> = wish.scopes.iter().map(ToString::to_string).collect();
    let after =
        json!({ "name": wish.name, "scopes": scopes, "expires_at": expires_at, "owner": owner, "bounds": wish.bounds });
    tx.event(fact("token.created", format!("token/{id}"), by.clone(), Some(after))).await?;
    let (name, hash, created_by) = (wish.name.clone(), secret.hash(), by.clone());
    let bounds = wish.bounds.clone();
    let new =
        rows::tokens::NewToken { id, name, scopes, hash, created_by, expires_at: Some(expires_at), owner, bounds };
    rows::tokens::insert(tx, new).await
}

/// Gives a host a key; one that is known by the name gets a new one, and its old one is worth nothing from then on.
pub async fn enrol(store: &Store, name: &str, by: &Asker) -> Result<NewToken, Refusal> {
    let secret = Secret::mint(uuid::Uuid::now_v7()).map_err(Refusal::internal)?;
    let enrolled: Result<_, Refusal> = transact!(store, tx => {
        let host = hosts::enrol(tx, name, &secret.hash(), by).await?;
        Ok((host, tx.now()))
    });
    let (host, now) = enrolled?;
    let info = Token {
        id: TokenId(host.0),
        name: name.to_owned(),
        scopes: vec![Scope::Agent],
        owner: None,
        service: None,
        env: None,
        site: None,
        created_at: now.into(),
        expires_at: None,
        last_used_at: None,
    };
    Ok(NewToken { token: secret.reveal(), info })
}

/// The caller's own, or for whoever keeps access everybody's; those that are worth something, newest first.
pub async fn list(store: &Store, by: &Caller, after: Option<TokenId>, limit: u32) -> Result<Page<Token>, Refusal> {
    let mut read = store.read().await?;
    let found = rows::tokens::list(&mut read, rows::Page { after, limit }).await?;
    let next = (found.len() == limit as usize).then(|| found.last().map(|t| t.id.to_string())).flatten();
    let handles: HashMap<UserId, String> =
        rows::users::list(&mut read).await?.into_iter().map(|u| (u.id, u.handle)).collect();
    let now = store.now();
    let shown = found.iter().filter(|t| t.is_valid(now) && may_see(by, t));
    let items = shown.map(|t| view(t, t.owner.and_then(|id| handles.get(&id)).map(String::as_str))).collect();
    Ok(Page { items, next })
}

fn keeps_access(by: &Caller) -> bool {
    by.rights.may(Action::Access, &Subject::ORGANISATION)
}

fn may_see(by: &Caller, token: &Row) -> bool {
    let own = by.user.is_some() && by.user == token.owner;
    own || by.identity == Identity::Token(token.id) || keeps_access(by)
}

/// A revoked token is worth nothing from then on; revoking it again does no harm.
///
/// # Errors
/// That there is none, or none the caller may know of.
pub async fn revoke(store: &Store, by: &Caller, asker: &Asker, id: TokenId) -> Result<(), Refusal> {
    transact!(store, tx => {
        let token = rows::tokens::get(tx, id).await?;
        if !may_see(by, &token) {
            return Err(StoreError::NotFound { what: format!("token `{id}`") }.into());
        }
        if rows::tokens::revoke(tx, id).await? {
            let after = json!({ "name": token.name });
            tx.event(access::fact("token.revoked", format!("token/{id}"), asker, Some(after))).await?;
        }
        Ok(())
    })
}

pub fn view(row: &Row, owner: Option<&str>) -> Token {
    Token {
        id: row.id,
        name: row.name.clone(),
        scopes: row.scopes.iter().filter_map(|s| s.parse().ok()).collect(),
        owner: owner.map(str::to_owned),
        service: row.bounds.service.clone(),
        env: row.bounds.env.clone(),
        site: row.bounds.site.clone(),
        created_at: row.created_at.into(),
        expires_at: row.expires_at.map(Into::into),
        last_used_at: row.last_used_at.map(Into::into),
    }
}

pub(super) fn fact(kind: &str, subject: String, actor: Actor, after: Option<serde_json::Value>) -> NewEvent {
    NewEvent {
        kind: kind.to_owned(),
        schema: 1,
        actor,
        subject,
        cause: None,
        service: None,
        env: None,
        before: None,
        after,
    }
}
