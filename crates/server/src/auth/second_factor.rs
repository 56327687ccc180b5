//! A second factor: six digits that an authenticator makes from a shared secret and the time (RFC 6238), or a recovery code.

use super::{Caller, Identity, secret::LoginCode, sign_in};
use crate::{App, faults, http::Refusal};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, time::Duration};
use totp_rs::{Builder, Totp};
use tradewind_api::v1::{RecoveryCodes, SecondFactorCode, SecondFactorSecret};
use tradewind_control::{
    access::{self, sealed},
    ctx::Asker,
};
use tradewind_model::{
    fault::Fault,
    id::{Digest, UserId},
    time::Timestamp,
};
use tradewind_store::{
    Json, StoreError,
    rows::{self, users::User},
    transact,
};

const ISSUER: &str = "Tradewind";
/// A secret that is being set up is good for so long.
const SETUP: Duration = Duration::from_secs(15 * 60);
const RECOVERY_CODES: usize = 10;

#[derive(Serialize, Deserialize)]
struct Ticket {
    secret: String,
    until: Timestamp,
}

fn totp(secret: &[u8], handle: &str) -> Result<Totp, Refusal> {
    let built = Builder::new().with_secret(secret).with_account_name(handle).with_issuer(Some(ISSUER)).build();
    built.map_err(|e| Refusal::internal(e.to_string()))
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.0 / 1_000_000).unwrap_or_default()
}

fn seal(app: &App, purpose: &str, user: UserId, plain: &[u8]) -> Result<String, Refusal> {
    sealed::seal(&app.ctx.vault.ring()?, purpose, user, plain).map_err(Refusal::internal)
}

fn open(app: &App, purpose: &str, user: UserId, text: &str) -> Result<Vec<u8>, Refusal> {
    let bad = || Refusal::from(Fault::new(&faults::BAD_SETUP));
    sealed::open(&app.ctx.vault.ring()?, purpose, user, text).ok_or_else(bad)
}

/// A new secret for an authenticator. Nothing is changed until a code of it was shown.
///
/// # Errors
/// Without the vault's key; [`faults::HAS_SECOND_FACTOR`].
pub fn begin(app: &App, user: &User) -> Result<SecondFactorSecret, Refusal> {
    if user.totp_since.is_some() {
        return Err(Fault::new(&faults::HAS_SECOND_FACTOR).into());
    }
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    let totp = totp(&bytes, &user.handle)?;
    let ticket = Ticket { secret: hex::encode(bytes), until: app.store.now().plus(SETUP) };
    Ok(SecondFactorSecret {
        secret: totp.secret().to_base32(),
        uri: totp.to_url().map_err(|e| Refusal::internal(e.to_string()))?,
        ticket: seal(app, sealed::SETUP, user.id, Json::of(&ticket).as_str().as_bytes())?,
    })
}

/// Puts the second factor of a ticket in place; gives the recovery codes, this once.
///
/// # Errors
/// [`faults::BAD_SIGN_IN`] for a wrong password or code, [`faults::BAD_SETUP`], [`faults::TOO_MANY_TRIES`].
pub async fn confirm(
    app: &App,
    caller: &Caller,
    user: &User,
    asked: &SecondFactorCode,
    from: IpAddr,
    by: &Asker,
) -> Result<RecoveryCodes, Refusal> {
    let now = app.store.now();
    sign_in::own_password(app, user, &asked.password, from).await?;
    let bad = || Refusal::from(Fault::new(&faults::BAD_SETUP));
    let ticket = open(app, sealed::SETUP, user.id, asked.ticket.as_deref().ok_or_else(bad)?)?;
    let ticket: Ticket = serde_json::from_slice(&ticket).map_err(|_| bad())?;
    if now > ticket.until {
        return Err(bad());
    }
    let secret = hex::decode(&ticket.secret).map_err(|_| bad())?;
    let wrong = || Refusal::from(Fault::new(&faults::BAD_SIGN_IN));
    let step = totp(&secret, &user.handle)?.check(asked.code.trim(), seconds(now)).ok_or_else(wrong)?;
    let sealed = seal(app, sealed::SECOND_FACTOR, user.id, &secret)?;
    let codes =
        (0..RECOVERY_CODES).map(|_| Ok(LoginCode::mint()?.reveal())).collect::<Result<Vec<_>, getrandom::Error>>();
    let codes = codes.map_err(Refusal::internal)?;
    let hashes: Vec<Digest> = codes.iter().map(|c| recovery_hash(user.id, c)).collect();
    let id = user.id;
    let done: Result<(), Refusal> = transact!(app.store, tx => {
        let Some(user) = rows::users::find(tx, id).await? else { return Err(wrong()) };
        if user.totp_since.is_some() {
            return Err(Fault::new(&faults::HAS_SECOND_FACTOR).into());
        }
        access::set_second_factor(tx, user, Some(sealed.clone()), by).await?;
        rows::users::use_step(tx, id, i64::try_from(step).unwrap_or(i64::MAX)).await?;
        rows::sessions::set_codes(tx, id, &hashes).await?;
        // Other sessions were opened without it.
        let but = match caller.identity {
            Identity::Session(id) => Some(id),
            Identity::Token(_) | Identity::Host(_) | Identity::Forge(_) => None,
        };
        rows::sessions::end_others(tx, id, but).await?;
        if let Some(session) = but {
            rows::sessions::strengthen(tx, session).await?;
        }
        Ok(())
    });
    done?;
    Ok(RecoveryCodes { codes })
}

/// Takes it away again.
///
/// # Errors
/// [`faults::BAD_SIGN_IN`] for a wrong password or code.
pub async fn remove(app: &App, user: &User, asked: &SecondFactorCode, from: IpAddr, by: &Asker) -> Result<(), Refusal> {
    sign_in::own_password(app, user, &asked.password, from).await?;
    if user.totp_since.is_none() {
        return Ok(());
    }
    if !verify(app, user, &asked.code).await? {
        return Err(Fault::new(&faults::BAD_SIGN_IN).into());
    }
    let id = user.id;
    let done: Result<(), Refusal> = transact!(app.store, tx => {
        if let Some(user) = rows::users::find(tx, id).await? {
            access::set_second_factor(tx, user, None, by).await?;
        }
        Ok(())
    });
    done
}

/// Whether a code is right; it is used up by that, be it six digits or a recovery code.
pub async fn verify(app: &App, user: &User, code: &str) -> Result<bool, Refusal> {
    let code = code.trim();
    let store = app.store.for_org(user.org.clone());
    if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        let Some(sealed) = &user.totp else { return Ok(false) };
        let secret = open(app, sealed::SECOND_FACTOR, user.id, sealed)?;
        let Some(step) = totp(&secret, &user.handle)?.check(code, seconds(store.now())) else { return Ok(false) };
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let fresh: Result<bool, StoreError> = transact!(store, tx => rows::users::use_step(tx, user.id, step).await);
        return Ok(fresh?);
    }
    let hash = recovery_hash(user.id, code);
    let by = Asker::system("access");
    let used: Result<bool, StoreError> = transact!(store, tx => {
        let used = rows::sessions::use_code(tx, user.id, &hash).await?;
        if used {
            let left = rows::sessions::codes_left(tx, user.id).await?;
            let after = Some(serde_json::json!({ "left": left }));
            tx.event(access::fact("user.recovery_code_used", sign_in::subject(user), &by, after)).await?;
        }
        Ok(used)
    });
    Ok(used?)
}

/// Case, dashes and blanks do not matter. With 60 bits and throttled tries a fast hash holds.
fn recovery_hash(user: UserId, code: &str) -> Digest {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    Digest::of(format!("recovery\0{user}\0{plain}").as_bytes())
}
