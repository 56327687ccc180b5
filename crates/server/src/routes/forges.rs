use crate::{
    App,
    auth::Scoped,
    http::{
        Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route,
        layers::{Asked, RequestInfo},
    },
};
use ::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use tradewind_api::v1::{ForgeDelivery, ForgeLink, LinkForge, LinkedForge, Page, SetHookSecret};
use tradewind_control::forges::{links, view};
use tradewind_model::{access::Action, id::ServiceName};
use tradewind_store::rows;

const SEE: Permission = Permission::May(Action::Read);
/// Whoever may push to the repository may push here: so it takes who may let people in.
const CHANGE: Permission = Permission::May(Action::Access);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/forges", SEE, "list_forges", list)
            .about("Forges", "Services whose code is on a forge")
            .query("service", "string", "Only this service: nothing where it is not linked")
            .answers_page_of::<ForgeLink>(),
        Route::get("/api/v1/services/{service}/forge", SEE, "get_forge", show)
            .about("Forges", "A service's link to its repository, and how it fares")
            .answers::<ForgeLink>(),
        // Not a POST: what a POST is told by is kept, and a hash of it would be one of the token.
        Route::put("/api/v1/services/{service}/forge", CHANGE, "link_forge", link)
            .about("Forges", "Link a service to its repository, or give the link another token, secret or API address")
            .body::<LinkForge>()
            .answers::<LinkedForge>(),
        Route::put("/api/v1/services/{service}/forge/secret", CHANGE, "set_forge_secret", set_secret)
            .about("Forges", "Give the webhook another secret; the one before is worth nothing from now on")
            .body::<SetHookSecret>()
            .answers::<LinkedForge>(),
        Route::delete("/api/v1/services/{service}/forge", CHANGE, "unlink_forge", unlink)
            .about("Forges", "End a link: its webhook is none any more, and its account may nothing")
            .status(204, "Unlinked"),
        Route::get("/api/v1/services/{service}/forge/deliveries", SEE, "list_forge_deliveries", deliveries)
            .about("Forges", "What came from the forge and was let in, newest first")
            .answers_page_of::<ForgeDelivery>(),
    ]
}

/// With the webhook's whole address, where it is known.
fn addressed(app: &App, link: ForgeLink) -> ForgeLink {
    let whole = app.config.public_url.as_ref().zip(link.hook_path.as_ref()).map(|(url, path)| format!("{url}{path}"));
    ForgeLink { hook_url: whole, ..link }
}

/// Links are few: they are given whole, whatever page is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    service: Option<ServiceName>,
    #[serde(rename = "after")]
    _after: Option<String>,
    #[serde(rename = "limit")]
    _limit: Option<u32>,
}

async fn list(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Query(q): Query<ListQuery>,
) -> Answer<Page<ForgeLink>> {
    app.hooks.refusals.write_down(&app.ctx).await?;
    let mut all = view::list(&app.ctx, &by, info.lang).await?;
    all.retain(|link| q.service.as_ref().is_none_or(|service| link.service == *service));
    Ok(Json(Page::whole(all.into_iter().map(|link| addressed(&app, link)).collect())))
}

async fn show(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
) -> Answer<ForgeLink> {
    app.hooks.refusals.write_down(&app.ctx).await?;
    Ok(Json(addressed(&app, view::show(&app.ctx, &service, &by, info.lang).await?)))
}

async fn link(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Body(wish): Body<LinkForge>,
) -> Answer<LinkedForge> {
    let done = links::link(&app.ctx, &service, &wish, &by, info.lang).await?;
    Ok(Json(LinkedForge { link: addressed(&app, done.link), ..done }))
}

async fn set_secret(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Body(wish): Body<SetHookSecret>,
) -> Answer<LinkedForge> {
    let done = links::set_secret(&app.ctx, &service, &wish, &by, info.lang).await?;
    Ok(Json(LinkedForge { link: addressed(&app, done.link), ..done }))
}

async fn unlink(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Params(service): Params<ServiceName>,
) -> Result<StatusCode, Refusal> {
    links::unlink(&app.ctx, &service, &by).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn deliveries(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(page): Query<PageQuery>,
) -> Answer<Page<ForgeDelivery>> {
    let page = rows::Page { after: page.cursor()?, limit: page.limit() };
    Ok(Json(view::list_deliveries(&app.ctx, &service, page, info.lang).await?))
}
