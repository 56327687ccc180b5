//! One-time codes: printed where the server runs, typed where the person is, good for one token.

use super::{
    secret::{LoginCode, Secret},
    tokens::{self, Wish},
};
use crate::{App, faults, http::Refusal};
use serde_json::json;
use std::{net::IpAddr, time::Duration};
use tradewind_api::v1::{CreateToken, Login, NewToken, Scope};
use tradewind_model::{
    access::Principal,
    event::Actor,
    fault::Fault,
    id::{Digest, TokenId},
};
use tradewind_store::{Store, StoreError, rows::login_codes, transact};

/// How long a code can be used.
pub const LIFE: Duration = Duration::from_secs(10 * 60);

/// Makes a code, for whoever can read the server's terminal or its data folder.
pub async fn new_code(store: &Store) -> Result<LoginCode, Refusal> {
    let code = LoginCode::mint().map_err(Refusal::internal)?;
    let hash = code.hash();
    let made: Result<_, StoreError> = transact!(store, tx => {
        let ends = tx.now().plus(LIFE);
        login_codes::purge(tx, tx.now()).await?;
        login_codes::insert(tx, &hash, ends).await?;
        let actor = Actor::System { part: "access".into() };
        let after = Some(json!({ "expires_at": ends }));
        tx.event(tokens::fact("login_code.created", subject(&hash), actor, after)).await
    });
    made?;
    Ok(code)
}

/// Exchanges a code for an admin token.
///
/// # Errors
/// [`faults::TOO_MANY_TRIES`] before the code is even looked at, [`faults::BAD_CODE`], [`faults::BAD_NAME`].
pub async fn login(app: &App, from: IpAddr, login: &Login) -> Result<NewToken, Refusal> {
    let asked = CreateToken { name: login.name.clone(), scopes: vec![Scope::Admin], ..CreateToken::default() };
    let wish = Wish::check(&asked)?;
    let store = &app.store;
    if let Err(seconds) = app.throttle.take(from, store.now()) {
        return Err(Fault::new(&faults::TOO_MANY_TRIES).with("seconds", seconds).into());
    }
    let bad = || Refusal::from(Fault::new(&faults::BAD_CODE));
    let hash = LoginCode::parse(&login.code).ok_or_else(bad)?.hash();
    let secret = Secret::mint(TokenId::at(store.now()).0).map_err(Refusal::internal)?;
    let by = Actor::User { name: login.name.trim().to_owned(), principal: Some(Principal::Owner) };
    let row: Result<_, Refusal> = transact!(store, tx => {
            if !login_codes::consume(tx, &hash).await? {
                return Err(bad());
            }
            tx.event(tokens::fact("login_code.used", subject(&hash), by.clone(), None)).await?;
            Ok(tokens::insert_row(tx, &wish, &secret, &by, None).await?)
    });
    let row = row?;
    app.throttle.was_right(from);
    Ok(NewToken { token: secret.reveal(), info: tokens::view(&row, None) })
}

/// A part of the hash names the code in the log without helping anybody to use it.
fn subject(hash: &Digest) -> String {
    format!("login_code/{}", hash.short())
}
