//! Sessions of browsers: a cookie nobody else can read or send along, and a word beside it that only our own pages know.

use super::{Caller, secret::Secret};
use crate::{App, faults, http::Refusal};
use http::{HeaderMap, HeaderValue, Method, header};
use sha2::{Digest as _, Sha256};
use std::{net::IpAddr, time::Duration};
use subtle::ConstantTimeEq as _;
use tradewind_control::access;
use tradewind_model::{
    fault::Fault,
    id::{SessionId, UserId},
    time::Timestamp,
};
use tradewind_store::{
    StoreError, Tx,
    rows::{self, sessions::Session, users::User},
    transact,
};

/// `__Host-`: only over TLS or on this machine, for the whole of this host and no other.
const COOKIE: &str = "__Host-tradewind";
const CSRF: &str = "x-csrf-token";
/// However busy.
const LIFE: Duration = Duration::from_secs(7 * 86_400);
/// Without a request.
const IDLE: Duration = Duration::from_secs(12 * 3600);
const SEEN_NOTED_EVERY: Duration = Duration::from_secs(60);

/// A session just opened: what the browser is told.
pub struct Opened {
    pub cookie: HeaderValue,
    pub csrf: String,
    pub expires_at: Timestamp,
}

/// Writes a session in the caller's transaction.
pub async fn open(tx: &mut Tx, user: UserId, strong: bool, from: IpAddr, agent: &str) -> Result<Opened, Refusal> {
    let now = tx.now();
    let secret = Secret::mint(SessionId::at(now).0).map_err(Refusal::internal)?;
    let agent: String = agent.chars().filter(|c| !c.is_control()).take(200).collect();
    let session = Session {
        org: tradewind_store::Reader::org(tx).clone(),
        id: SessionId(secret.id),
        user,
        strong,
        agent,
        address: from.to_string(),
        created_at: now,
        seen_at: now,
        expires_at: now.plus(LIFE),
        ended_at: None,
    };
    rows::sessions::purge(tx, now).await?;
    rows::sessions::insert(tx, &session, &secret.hash()).await?;
    rows::users::seen(tx, user).await?;
    let age = LIFE.as_secs();
    let cookie = format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={age}", secret.reveal());
    let cookie = HeaderValue::from_str(&cookie).map_err(Refusal::internal)?;
    Ok(Opened { cookie, csrf: csrf_of(&secret), expires_at: session.expires_at })
}

/// What makes the browser forget.
pub fn forget() -> HeaderValue {
    HeaderValue::from_static("__Host-tradewind=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// The session's secret, as the browser sends it.
pub fn cookie(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut ours = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == COOKIE);
    ours.next().map(|(_, value)| value.to_owned())
}

/// # Errors
/// [`faults::BAD_SESSION`] whatever is wrong with it; [`faults::BAD_CSRF`] where something would be changed and the word
/// beside the cookie is missing, or another site sent it.
pub async fn authenticate(app: &App, cookie: &str, headers: &HeaderMap, method: &Method) -> Result<Caller, Refusal> {
    let bad = || Refusal::from(Fault::new(&faults::BAD_SESSION));
    let secret = Secret::parse(cookie).ok_or_else(bad)?;
    let now = app.store.now();
    let found = rows::sessions::by_hash(&mut app.store.read().await?, &secret.hash()).await?;
    let session = found.filter(|s| is_open(s, now)).ok_or_else(bad)?;
    let store = app.store.for_org(session.org.clone());
    let mut read = store.read().await?;
    let user = rows::users::find(&mut read, session.user).await?.filter(User::is_enabled).ok_or_else(bad)?;
    let rights = access::of_user(&mut read, &user).await?;
    let policy = access::policy(&mut read).await?;
    drop(read);
    if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        same_site(headers, &secret)?;
    }
    if now.since(session.seen_at) >= SEEN_NOTED_EVERY {
        let (id, owner) = (session.id, user.id);
        app.tasks.spawn(async move {
            let noted: Result<(), StoreError> = transact!(store, tx => {
                rows::sessions::seen(tx, id).await?;
                rows::users::seen(tx, owner).await
            });
            if let Err(error) = noted {
                tracing::warn!(%error, "cannot note a session's use");
            }
        });
    }
    let needed = !session.strong && access::needs_second_factor(&policy, &rights);
    Ok(Caller::session(&session, &user, rights, needed))
}

fn is_open(session: &Session, now: Timestamp) -> bool {
    session.ended_at.is_none() && now < session.expires_at && now.since(session.seen_at) < IDLE
}

fn same_site(headers: &HeaderMap, secret: &Secret) -> Result<(), Fault> {
    let refused = || Fault::new(&faults::BAD_CSRF);
    let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    if site.is_some_and(|s| s != "same-origin") {
        return Err(refused());
    }
    let given = headers.get(CSRF).ok_or_else(refused)?;
    let same: bool = given.as_bytes().ct_eq(csrf_of(secret).as_bytes()).into();
    if same { Ok(()) } else { Err(refused()) }
}

/// Made from the session's secret, so that nothing has to be stored for it.
pub fn csrf_of(secret: &Secret) -> String {
    let mut hash = Sha256::new();
    hash.update(b"tradewind csrf\0");
    hash.update(secret.reveal());
    hex::encode(&hash.finalize()[..16])
}
