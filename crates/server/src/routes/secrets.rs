use crate::{
    auth::Scoped,
    http::{Answer, Body, Params, Permission, Query, Refusal, Route, layers::Asked},
};
use ::http::StatusCode;
use axum::Json;
use serde::Deserialize;
use tradewind_api::v1::{Page, RestoreSecret, Secret, SecretScope, SecretSet, SecretVersion, SetSecret};
use tradewind_control::secrets;
use tradewind_model::{access::Action, id::ServiceName, secret::SecretName};

const SECRETS: Permission = Permission::May(Action::Secrets);
const EXACTLY: &str = "Of the scope that names exactly this; left out: every one";

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/secrets", SECRETS, "list_secrets", list)
            .about("Secrets", "Secrets by name and scope; their values cannot be read")
            .query("service", "string", "Only what can reach this service")
            .answers_page_of::<Secret>(),
        // Not a POST: what a POST is told by is kept, and a hash of it would be one of the value.
        Route::put("/api/v1/secrets/{secret}", SECRETS, "set_secret", set)
            .about("Secrets", "Set a secret: its next version, in force at once; the same value again changes nothing")
            .body::<SetSecret>()
            .answers::<SecretSet>(),
        Route::get("/api/v1/secrets/{secret}/versions", SECRETS, "list_secret_versions", history)
            .about("Secrets", "A secret's versions, newest first; of a removed one too")
            .query("service", "string", EXACTLY)
            .query("env", "string", EXACTLY)
            .query("site", "string", EXACTLY)
            .answers_page_of::<SecretVersion>(),
        Route::post("/api/v1/secrets/{secret}/restore", SECRETS, "restore_secret", restore)
            .about("Secrets", "Put an earlier version's value in force again, as a new version")
            .body::<RestoreSecret>()
            .answers::<SecretSet>(),
        Route::delete("/api/v1/secrets/{secret}", SECRETS, "remove_secret", remove)
            .about("Secrets", "Give a secret to nothing any more; what runs keeps it, and it can be restored")
            .query("service", "string", EXACTLY)
            .query("env", "string", EXACTLY)
            .query("site", "string", EXACTLY)
            .status(204, "Removed"),
    ]
}

#[derive(Deserialize)]
struct ListQuery {
    service: Option<ServiceName>,
}

async fn list(Scoped(app): Scoped, Asked(by): Asked, Query(q): Query<ListQuery>) -> Answer<Page<Secret>> {
    Ok(Json(Page::whole(secrets::list(&app.ctx, q.service.as_ref(), &by).await?)))
}

async fn set(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(name): Params<SecretName>,
    Body(asked): Body<SetSecret>,
) -> Answer<SecretSet> {
    Ok(Json(secrets::set(&app.ctx, &name, &asked.scope.into(), asked.value, &by).await?))
}

async fn history(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(name): Params<SecretName>,
    Query(scope): Query<SecretScope>,
) -> Answer<Page<SecretVersion>> {
    Ok(Json(Page::whole(secrets::history(&app.ctx, &name, &scope.into(), &by).await?)))
}

async fn restore(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(name): Params<SecretName>,
    Body(asked): Body<RestoreSecret>,
) -> Answer<SecretSet> {
    Ok(Json(secrets::restore(&app.ctx, &name, &asked.scope.into(), asked.version, &by).await?))
}

async fn remove(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(name): Params<SecretName>,
    Query(scope): Query<SecretScope>,
) -> Result<StatusCode, Refusal> {
    secrets::remove(&app.ctx, &name, &scope.into(), &by).await?;
    Ok(StatusCode::NO_CONTENT)
}
