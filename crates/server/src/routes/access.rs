//! Tokens, and how people and machines come by them.

use crate::{
    App,
    auth::{
        self, Caller, Scoped,
        sign_in::{self, Attempt},
        tokens,
    },
    http::{
        Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route, Why,
        layers::{Asked, RequestInfo},
        serve::Peer,
    },
};
use ::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json, extract::State};
use tradewind_api::v1::{AcceptInvitation, CreateToken, Login, NewToken, Page, SignIn, Token, User};
use tradewind_control::access;
use tradewind_model::id::TokenId;

const KNOWN: Permission = Permission::Known;

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/login", Permission::Public, "login", login)
            .about("Access", "Exchange a one-time code for an admin token")
            .body::<Login>()
            .answers::<NewToken>()
            .secret(),
        Route::post("/api/v1/sign-in", Permission::Public, "sign_in", sign_in)
            .about("Access", "A token of one's own, for name and password: what the command line asks for")
            .body::<SignIn>()
            .answers::<NewToken>()
            .secret(),
        Route::post("/api/v1/invitations/accept", Permission::Public, "accept_invitation", accept)
            .about("Access", "Become a user: the code, the address it was sent to, and a password")
            .body::<AcceptInvitation>()
            .answers::<User>()
            .status(201, "Made")
            .secret(),
        Route::get("/api/v1/tokens", KNOWN, "list_tokens", list)
            .about("Access", "Tokens that are worth something, newest first: one's own, or everybody's for who keeps access")
            .answers_page_of::<Token>(),
        Route::post("/api/v1/tokens", KNOWN, "create_token", create)
            .about("Access", "Make a token of one's own or for a service account; with the scope `agent`, enrol the host it is named for")
            .body::<CreateToken>()
            .answers::<NewToken>()
            .status(201, "Made; the secret is shown this once")
            .secret(),
        Route::delete("/api/v1/tokens/{token}", KNOWN, "revoke_token", revoke)
            .about("Access", "Revoke a token")
            .says_why()
            .status(204, "Revoked"),
    ]
}

fn cause(info: &RequestInfo) -> Option<String> {
    Some(format!("request/{}", info.id))
}

async fn login(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(asked): Body<Login>,
) -> Answer<NewToken> {
    Ok(Json(auth::login::login(&app, peer.ip(), &asked).await?))
}

async fn sign_in(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(info): Extension<RequestInfo>,
    headers: HeaderMap,
    Body(asked): Body<SignIn>,
) -> Answer<NewToken> {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let attempt = Attempt { from: peer.ip(), agent, cause: cause(&info) };
    Ok(Json(sign_in::for_token(&app, &asked, &attempt).await?))
}

async fn accept(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(info): Extension<RequestInfo>,
    Body(asked): Body<AcceptInvitation>,
) -> Result<(StatusCode, Json<User>), Refusal> {
    let user = sign_in::accept(&app, &asked, peer.ip(), cause(&info)).await?;
    let mut read = app.store.for_org(user.org.clone()).read().await?;
    Ok((StatusCode::CREATED, Json(access::view(&mut read, user).await?)))
}

async fn list(Scoped(app): Scoped, caller: Caller, Query(page): Query<PageQuery>) -> Answer<Page<Token>> {
    Ok(Json(tokens::list(&app.store, &caller, page.cursor::<TokenId>()?, page.limit()).await?))
}

async fn create(
    Scoped(app): Scoped,
    caller: Caller,
    Asked(by): Asked,
    Body(asked): Body<CreateToken>,
) -> Result<(StatusCode, Json<NewToken>), Refusal> {
    Ok((StatusCode::CREATED, Json(tokens::create(&app.store, &caller, by.cause, &asked).await?)))
}

async fn revoke(
    Scoped(app): Scoped,
    caller: Caller,
    Asked(by): Asked,
    Params(id): Params<TokenId>,
    Query(why): Query<Why>,
) -> Result<StatusCode, Refusal> {
    tokens::revoke(&app.store, &caller, &by.because(why.text()), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
