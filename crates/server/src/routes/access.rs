use crate::{
    App,
    auth::{self, Caller, tokens},
    http::{Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route, serve::Peer},
};
use ::http::StatusCode;
use axum::{Extension, Json, extract::State};
use tradewind_api::v1::{CreateToken, Login, NewToken, Page, Scope, Token};
use tradewind_model::id::TokenId;
use tradewind_store::rows;

const ADMIN: Permission = Permission::Scope(Scope::Admin);

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/login", Permission::Public, "login", login)
            .about("Access", "Exchange a one-time code for an admin token")
            .body::<Login>()
            .answers::<NewToken>()
            .secret(),
        Route::get("/api/v1/tokens", ADMIN, "list_tokens", list)
            .about("Access", "Tokens that are neither revoked nor expired, newest first")
            .answers_page_of::<Token>(),
        Route::post("/api/v1/tokens", ADMIN, "create_token", create)
            .about("Access", "Make a token; with the scope `agent`, enrol the host it is named for")
            .body::<CreateToken>()
            .answers::<NewToken>()
            .status(201, "Made; the secret is shown this once")
            .secret(),
        Route::delete("/api/v1/tokens/{token}", ADMIN, "revoke_token", revoke)
            .about("Access", "Revoke a token")
            .status(204, "Revoked"),
    ]
}

async fn login(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(asked): Body<Login>,
) -> Answer<NewToken> {
    Ok(Json(auth::login::login(&app, peer.ip(), &asked).await?))
}

async fn list(State(app): State<App>, Query(page): Query<PageQuery>) -> Answer<Page<Token>> {
    let after = page.cursor::<TokenId>()?;
    let limit = page.limit();
    let found = rows::tokens::list(&mut app.store.read().await?, rows::Page { after, limit }).await?;
    let next = (found.len() == limit as usize).then(|| found.last().map(|t| t.id.to_string())).flatten();
    let now = app.store.now();
    let items = found.iter().filter(|t| t.is_valid(now)).map(tokens::view).collect();
    Ok(Json(Page { items, next }))
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(asked): Body<CreateToken>,
) -> Result<(StatusCode, Json<NewToken>), Refusal> {
    Ok((StatusCode::CREATED, Json(tokens::create(&app.store, &caller, &asked).await?)))
}

async fn revoke(State(app): State<App>, caller: Caller, Params(id): Params<TokenId>) -> Result<StatusCode, Refusal> {
    tokens::revoke(&app.store, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
