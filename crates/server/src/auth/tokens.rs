//! Making and revoking tokens, and enrolling hosts.

use super::{Caller, secret::Secret};
use crate::{faults, http::Refusal};
use serde_json::json;
use std::time::Duration;
use tradewind_api::v1::{CreateToken, NewToken, Scope, Token};
use tradewind_control::{ctx::Asker, hosts};
use tradewind_model::{
    event::{Actor, NewEvent},
    fault::Fault,
    id::TokenId,
};
use tradewind_store::{Store, StoreError, rows::tokens as rows, transact};

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
        Ok(Self { name: name.to_owned(), scopes, life: Duration::from_secs(life) })
    }
}

/// A token for another person or machine; with the scope `agent`, a host's key.
///
/// # Errors
/// Those of [`Wish::check`], and [`faults::BEYOND_OWN`].
pub async fn create(store: &Store, by: &Caller, asked: &CreateToken) -> Result<NewToken, Refusal> {
    let wish = Wish::check(asked)?;
    // Whoever may make tokens may enrol hosts.
    if !wish.scopes.iter().all(|s| by.may(*s) || (*s == Scope::Agent && by.may(Scope::Admin))) {
        return Err(Fault::new(&faults::BEYOND_OWN).into());
    }
    if wish.scopes == [Scope::Agent] {
        return enrol(store, &wish.name, &Asker { actor: by.actor(), cause: None }).await;
    }
    insert(store, &wish, by.actor()).await
}

/// Writes a token and its event.
pub(super) async fn insert(store: &Store, wish: &Wish, by: Actor) -> Result<NewToken, Refusal> {
    let secret = Secret::mint(TokenId::at(store.now()).0).map_err(Refusal::internal)?;
    let row: rows::Token = transact!(store, tx => insert_row(tx, wish, &secret, &by).await).map_err(Refusal::from)?;
    Ok(NewToken { token: secret.reveal(), info: view(&row) })
}

pub(super) async fn insert_row(
    tx: &mut tradewind_store::Tx,
    wish: &Wish,
    secret: &Secret,
    by: &Actor,
) -> Result<rows::Token, StoreError> {
    let id = TokenId(secret.id);
    let expires_at = tx.now().plus(wish.life);
    let scopes: Vec<String> = wish.scopes.iter().map(ToString::to_string).collect();
    let after = json!({ "name": wish.name, "scopes": scopes, "expires_at": expires_at });
    tx.event(fact("token.created", format!("token/{id}"), by.clone(), Some(after))).await?;
    let (name, hash, created_by) = (wish.name.clone(), secret.hash(), by.clone());
    rows::insert(tx, rows::NewToken { id, name, scopes, hash, created_by, expires_at: Some(expires_at) }).await
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
        created_at: now.into(),
        expires_at: None,
        last_used_at: None,
    };
    Ok(NewToken { token: secret.reveal(), info })
}

/// A revoked token is worth nothing from then on; revoking it again does no harm.
pub async fn revoke(store: &Store, by: &Caller, id: TokenId) -> Result<(), Refusal> {
    let actor = by.actor();
    let done: Result<(), StoreError> = transact!(store, tx => {
            if rows::revoke(tx, id).await? {
                tx.event(fact("token.revoked", format!("token/{id}"), actor.clone(), None)).await?;
            }
            Ok(())
    });
    Ok(done?)
}

pub fn view(row: &rows::Token) -> Token {
    Token {
        id: row.id,
        name: row.name.clone(),
        scopes: row.scopes.iter().filter_map(|s| s.parse().ok()).collect(),
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
