//! Who the caller is; a browser's session; one's own password.

use crate::{
    App,
    auth::{
        Caller, Identity, Scoped, links, password, second_factor,
        secret::Secret,
        session,
        sign_in::{self, Attempt},
        tokens,
    },
    faults,
    http::{
        Answer, Body, Params, Permission, Refusal, Route,
        layers::{Asked, RequestInfo},
        serve::Peer,
    },
};
use ::http::{HeaderMap, StatusCode, header};
use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use std::net::IpAddr;
use tradewind_api::v1::{
    EnterByLink, MakeSessionLink, Me, Page, Password, Reach, RecoveryCodes, SecondFactorCode, SecondFactorSecret,
    SessionInfo, SessionLink, SignIn, SignedIn,
};
use tradewind_control::access;
use tradewind_model::{
    access::{Action, Bounds},
    fault::Fault,
    id::{SessionId, UserId},
};
use tradewind_store::{
    StoreError,
    rows::{self, users::User},
    transact,
};

const OWN: Permission = Permission::Own;

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/session", Permission::Public, "open_session", open)
            .about("Access", "Sign a browser in: the session's secret comes as a cookie")
            .body::<SignIn>()
            .answers::<SignedIn>()
            .secret(),
        Route::post("/api/v1/session/links", OWN, "make_session_link", link)
            .about("Access", "A link that signs a browser in as who asks, good once and for ten minutes")
            .body::<MakeSessionLink>()
            .answers::<SessionLink>()
            .status(201, "Made; the code is shown this once")
            .secret(),
        Route::post("/api/v1/session/enter", Permission::Public, "enter_by_link", enter)
            .about("Access", "Sign a browser in with the code of a link")
            .body::<EnterByLink>()
            .answers::<SignedIn>()
            .secret(),
        Route::delete("/api/v1/session", OWN, "close_session", close)
            .about("Access", "Sign this browser out")
            .status(204, "Over"),
        Route::get("/api/v1/me", OWN, "who_am_i", me)
            .about("Access", "Who asks, with which roles, and what they may do somewhere")
            .answers::<Me>(),
        Route::get("/api/v1/me/sessions", OWN, "list_sessions", sessions)
            .about("Access", "One's own sessions, newest first")
            .answers_page_of::<SessionInfo>(),
        Route::delete("/api/v1/me/sessions/{session}", OWN, "end_session", end)
            .about("Access", "End one of one's own sessions")
            .status(204, "Over"),
        Route::post("/api/v1/me/second-factor", OWN, "begin_second_factor", begin)
            .about("Access", "Begin to set up a second factor: a secret for an authenticator, good for 15 minutes")
            .answers::<SecondFactorSecret>()
            .secret(),
        Route::post("/api/v1/me/second-factor/confirm", OWN, "confirm_second_factor", confirm)
            .about("Access", "Put it in place by showing a code of it; answers with recovery codes")
            .body::<SecondFactorCode>()
            .answers::<RecoveryCodes>()
            .secret(),
        Route::post("/api/v1/me/second-factor/remove", OWN, "remove_second_factor", remove)
            .about("Access", "Take one's own second factor away")
            .body::<SecondFactorCode>()
            .status(204, "Removed")
            .secret(),
        Route::post("/api/v1/me/password", OWN, "change_password", change_password)
            .about("Access", "Change one's own password; all other sessions end")
            .body::<Password>()
            .status(204, "Changed")
            .secret(),
    ]
}

async fn open(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(info): Extension<RequestInfo>,
    headers: HeaderMap,
    Body(asked): Body<SignIn>,
) -> Result<Response, Refusal> {
    own_page(&headers)?;
    let opened = sign_in::for_session(&app, &asked, &attempt(&headers, &info, peer.ip())).await?;
    Ok(signed_in(opened))
}

async fn enter(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(info): Extension<RequestInfo>,
    headers: HeaderMap,
    Body(asked): Body<EnterByLink>,
) -> Result<Response, Refusal> {
    own_page(&headers)?;
    let opened = links::enter(&app, &asked, &attempt(&headers, &info, peer.ip())).await?;
    Ok(signed_in(opened))
}

async fn link(
    Scoped(app): Scoped,
    caller: Caller,
    Asked(by): Asked,
    Body(asked): Body<MakeSessionLink>,
) -> Result<(StatusCode, Json<SessionLink>), Refusal> {
    Ok((StatusCode::CREATED, Json(links::make(&app, &caller, &by, &asked).await?)))
}

/// Another site's form cannot sign somebody in as somebody else.
fn own_page(headers: &HeaderMap) -> Result<(), Fault> {
    let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    if site.is_some_and(|s| s != "same-origin") {
        return Err(Fault::new(&faults::BAD_CSRF));
    }
    Ok(())
}

fn attempt<'a>(headers: &'a HeaderMap, info: &RequestInfo, from: IpAddr) -> Attempt<'a> {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Attempt { from, agent, cause: Some(format!("request/{}", info.id)) }
}

fn signed_in((opened, user, second_factor_needed): (session::Opened, User, bool)) -> Response {
    let told =
        SignedIn { handle: user.handle, csrf: opened.csrf, expires_at: opened.expires_at.into(), second_factor_needed };
    ([(header::SET_COOKIE, opened.cookie)], Json(told)).into_response()
}

async fn close(Scoped(app): Scoped, caller: Caller, Asked(by): Asked) -> Result<Response, Refusal> {
    if let (Identity::Session(id), Some(user)) = (caller.identity, caller.user) {
        over(&app, id, user, &by).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, session::forget())]).into_response())
}

async fn over(app: &App, id: SessionId, user: UserId, by: &tradewind_control::ctx::Asker) -> Result<bool, Refusal> {
    let ended: Result<bool, StoreError> = transact!(app.store, tx => {
        let ended = rows::sessions::end(tx, id, user).await?;
        if ended {
            tx.event(access::fact("user.signed_out", format!("session/{id}"), by, None)).await?;
        }
        Ok(ended)
    });
    Ok(ended?)
}

fn reach((actions, bounds): (Vec<Action>, Bounds)) -> Reach {
    let Bounds { service, env, site } = bounds;
    Reach { actions: actions.iter().map(ToString::to_string).collect(), service, env, site }
}

async fn me(Scoped(app): Scoped, caller: Caller, headers: HeaderMap) -> Answer<Me> {
    let mut read = app.store.read().await?;
    let user = match caller.user {
        Some(id) => Some(access::user(&mut read, id).await?),
        None => None,
    };
    let token = match caller.identity {
        Identity::Token(id) => {
            let row = rows::tokens::get(&mut read, id).await?;
            Some(tokens::view(&row, user.as_ref().map(|u| u.handle.as_str())))
        }
        Identity::Session(_) | Identity::Host(_) | Identity::Forge(_) => None,
    };
    let recovery_codes_left = match caller.user {
        Some(id) if user.as_ref().is_some_and(|u| u.second_factor) => {
            Some(rows::sessions::codes_left(&mut read, id).await?)
        }
        _ => None,
    };
    let has_password = match caller.user {
        Some(id) => rows::users::find(&mut read, id).await?.is_some_and(|u| u.password.is_some()),
        None => false,
    };
    let in_session = matches!(caller.identity, Identity::Session(_));
    let secret = session::cookie(&headers).filter(|_| in_session).and_then(|c| Secret::parse(&c));
    Ok(Json(Me {
        org: caller.org.to_string(),
        actions: Action::ALL.into_iter().filter(|a| caller.rights.may_somewhere(*a)).map(|a| a.to_string()).collect(),
        reach: caller.rights.reach().into_iter().map(reach).collect(),
        second_factor_needed: caller.second_factor_needed,
        recovery_codes_left,
        has_password,
        csrf: secret.map(|s| session::csrf_of(&s)),
        name: caller.name,
        user,
        token,
    }))
}

/// Of a person; a token that belongs to nobody has no sessions and no password.
fn person(caller: &Caller) -> Result<UserId, Fault> {
    caller.user.ok_or_else(|| Fault::new(&faults::NO_PERSON).with("name", &caller.name))
}

async fn sessions(Scoped(app): Scoped, caller: Caller) -> Answer<Page<SessionInfo>> {
    let user = person(&caller)?;
    let found = rows::sessions::of_user(&mut app.store.read().await?, user, app.store.now()).await?;
    let items = found.into_iter().map(|s| SessionInfo {
        id: s.id,
        agent: s.agent,
        address: s.address,
        created_at: s.created_at.into(),
        seen_at: s.seen_at.into(),
        expires_at: s.expires_at.into(),
        current: caller.identity == Identity::Session(s.id),
    });
    Ok(Json(Page::whole(items.collect())))
}

async fn end(
    Scoped(app): Scoped,
    caller: Caller,
    Asked(by): Asked,
    Params(id): Params<SessionId>,
) -> Result<StatusCode, Refusal> {
    if over(&app, id, person(&caller)?, &by).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Fault::new(&faults::NO_SESSION).with("session", id).into())
}

async fn own(app: &App, caller: &Caller) -> Result<User, Refusal> {
    let found = rows::users::find(&mut app.store.read().await?, person(caller)?).await?;
    found.ok_or_else(|| Fault::new(&faults::BAD_SESSION).into())
}

async fn begin(Scoped(app): Scoped, caller: Caller) -> Answer<SecondFactorSecret> {
    let user = own(&app, &caller).await?;
    Ok(Json(second_factor::begin(&app, &user)?))
}

async fn confirm(
    Scoped(app): Scoped,
    caller: Caller,
    Asked(by): Asked,
    Extension(Peer(peer)): Extension<Peer>,
    Body(asked): Body<SecondFactorCode>,
) -> Answer<RecoveryCodes> {
    let user = own(&app, &caller).await?;
    Ok(Json(second_factor::confirm(&app, &caller, &user, &asked, peer.ip(), &by).await?))
}

async fn remove(
    Scoped(app): Scoped,
    caller: Caller,
    Asked(by): Asked,
    Extension(Peer(peer)): Extension<Peer>,
    Body(asked): Body<SecondFactorCode>,
) -> Result<StatusCode, Refusal> {
    let user = own(&app, &caller).await?;
    second_factor::remove(&app, &user, &asked, peer.ip(), &by).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change_password(
    Scoped(app): Scoped,
    caller: Caller,
    Asked(by): Asked,
    Extension(Peer(peer)): Extension<Peer>,
    Body(asked): Body<Password>,
) -> Result<StatusCode, Refusal> {
    let user = own(&app, &caller).await?;
    let id = user.id;
    sign_in::own_password(&app, &user, &asked.current, peer.ip()).await?;
    password::check(&asked.new, &caller.name)?;
    let hashed = password::hash(asked.new).await?;
    let but = match caller.identity {
        Identity::Session(id) => Some(id),
        Identity::Token(_) | Identity::Host(_) | Identity::Forge(_) => None,
    };
    let done: Result<(), Refusal> = transact!(app.store, tx => {
        let Some(user) = rows::users::find(tx, id).await? else {
            return Err(Fault::new(&faults::BAD_SESSION).into());
        };
        access::set_password(tx, user, hashed.clone(), but, &by).await?;
        Ok(())
    });
    done?;
    Ok(StatusCode::NO_CONTENT)
}
