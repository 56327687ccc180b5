//! Who asks, and what they may.

pub mod admin;
mod caller;
pub mod login;
pub mod secret;
mod throttle;
pub mod tokens;

pub use caller::{Caller, Identity};
pub use throttle::Throttle;

use crate::{App, faults, http::Refusal};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use secret::Secret;
use std::time::Duration;
use tradewind_model::{fault::Fault, time::Timestamp};
use tradewind_store::{
    StoreError,
    rows::{hosts, tokens as rows},
    transact,
};

/// The last use is noted to the minute: a write a request would be one too many.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// Between two looks at the token of an answer that lasts: not oftener, even if much is written; and not later, because
/// a token also ends by itself.
const LOOKED_AGAIN_AFTER: Duration = Duration::from_secs(1);
const LOOKED_AGAIN_AT_LEAST: Duration = Duration::from_secs(30);

/// Finds out who sent a request.
///
/// # Errors
/// [`faults::NO_TOKEN`] or [`faults::BAD_TOKEN`]; the latter does not tell unknown, revoked and expired apart.
pub async fn authenticate(app: &App, headers: &HeaderMap, basic: bool) -> Result<Caller, Refusal> {
    let given = presented(headers, basic).ok_or_else(|| Fault::new(&faults::NO_TOKEN))?;
    let bad = || Refusal::from(Fault::new(&faults::BAD_TOKEN));
    let secret = Secret::parse(&given).ok_or_else(bad)?;
    let now = app.store.now();
    let mut read = app.store.read().await?;
    if let Some(token) = rows::by_hash(&mut read, &secret.hash()).await? {
        drop(read);
        if !token.is_valid(now) {
            return Err(bad());
        }
        note_use(app, &token, now);
        return Ok(Caller::token(&token));
    }
    match hosts::by_key(&mut read, &secret.hash()).await? {
        Some(host) => Ok(Caller::host(&host)),
        None => Err(bad()),
    }
}

/// For answers that last: returns when the token of a request is worth nothing any more.
pub async fn until_worthless(app: App, headers: HeaderMap) {
    let mut commits = app.store.commits();
    loop {
        commits.borrow_and_update();
        match authenticate(&app, &headers, false).await {
            Err(Refusal::Faults(_)) => return,
            // A store that does not answer says nothing about the token.
            Ok(_) | Err(Refusal::Internal(_)) => {}
        }
        tokio::time::sleep(LOOKED_AGAIN_AFTER).await;
        tokio::select! {
            _ = commits.changed() => {}
            () = tokio::time::sleep(LOOKED_AGAIN_AT_LEAST) => {}
        }
    }
}

/// The token in `Authorization`: `Bearer TOKEN`, or, where git asks, the password of `Basic`.
fn presented(headers: &HeaderMap, basic: bool) -> Option<String> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if basic && scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        return pair.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

fn note_use(app: &App, token: &rows::Token, now: Timestamp) {
    if token.last_used_at.is_some_and(|last| now.since(last) < USE_NOTED_EVERY && last <= now) {
        return;
    }
    let (store, id) = (app.store.clone(), token.id);
    app.tasks.spawn(async move {
        let noted: Result<(), StoreError> = transact!(store, tx => rows::touch(tx, id).await);
        if let Err(error) = noted {
            tracing::warn!(%error, "cannot note a token's use");
        }
    });
}
