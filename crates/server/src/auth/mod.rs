//! Who asks, and what they may.

pub mod admin;
mod caller;
pub mod links;
pub mod login;
pub mod password;
pub mod permit;
pub mod second_factor;
pub mod secret;
pub mod session;
pub mod sign_in;
mod throttle;
pub mod tokens;

pub use caller::{Caller, Identity, Scoped};
pub use throttle::Throttle;

use crate::{App, faults, http::Refusal};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, header};
use secret::Secret;
use std::time::Duration;
use tradewind_control::access;
use tradewind_model::{fault::Fault, time::Timestamp};
use tradewind_store::{
    StoreError,
    rows::{self, hosts, tokens as token_rows},
    transact,
};

/// The last use is noted to the minute: a write a request would be one too many.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// How a request may say who sends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// A token as `Bearer`, or a browser's session.
    Web,
    /// A token, also as the password of `Basic`.
    Git,
}

/// Finds out who sent a request.
///
/// # Errors
/// [`faults::NO_TOKEN`] or [`faults::BAD_TOKEN`]; the latter does not tell unknown, revoked and expired apart. For sessions
/// also what [`session::authenticate`] refuses.
pub async fn authenticate(app: &App, headers: &HeaderMap, method: &Method, manner: Manner) -> Result<Caller, Refusal> {
    let Some(given) = presented(headers, manner) else {
        return match (manner, session::cookie(headers)) {
            (Manner::Web, Some(cookie)) => session::authenticate(app, &cookie, headers, method).await,
            _ => Err(Fault::new(&faults::NO_TOKEN).into()),
        };
    };
    let bad = || Refusal::from(Fault::new(&faults::BAD_TOKEN));
    let secret = Secret::parse(&given).ok_or_else(bad)?;
    let now = app.store.now();
    let mut read = app.store.read().await?;
    if let Some(token) = token_rows::by_hash(&mut read, &secret.hash()).await? {
        drop(read);
        if !token.is_valid(now) {
            return Err(bad());
        }
        let mut read = app.store.for_org(token.org.clone()).read().await?;
        let owner = match token.owner {
            // A token without its owner, or of one who is disabled, is worth nothing.
            Some(id) => Some(rows::users::find(&mut read, id).await?.filter(|u| u.is_enabled()).ok_or_else(bad)?),
            None => None,
        };
        let rights = access::of_token(&mut read, &token).await?;
        drop(read);
        note_use(app, &token, now);
        return Ok(Caller::token(&token, owner.as_ref(), rights));
    }
    match hosts::by_key(&mut read, &secret.hash()).await? {
        Some(host) => Ok(Caller::host(&host)),
        None => Err(bad()),
    }
}

/// The token in `Authorization`: `Bearer TOKEN`, or, where git asks, the password of `Basic`.
fn presented(headers: &HeaderMap, manner: Manner) -> Option<String> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if manner == Manner::Git && scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        return pair.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

fn note_use(app: &App, token: &token_rows::Token, now: Timestamp) {
    if token.last_used_at.is_some_and(|last| now.since(last) < USE_NOTED_EVERY && last <= now) {
        return;
    }
    let (store, id, owner) = (app.store.for_org(token.org.clone()), token.id, token.owner);
    app.tasks.spawn(async move {
        let noted: Result<(), StoreError> = transact!(store, tx => {
            token_rows::touch(tx, id).await?;
            match owner {
                Some(owner) => rows::users::seen(tx, owner).await,
                None => Ok(()),
            }
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "cannot note a token's use");
        }
    });
}
