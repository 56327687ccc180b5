use crate::{
    auth::Scoped,
    http::{
        Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route,
        layers::{Asked, RequestInfo},
    },
};
use ::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use tradewind_api::v1::{CreateService, Page, PlaceStatus, Release, ReleaseDetail, ReleaseDiff, Service};
use tradewind_control::{releases, services, status};
use tradewind_model::{access::Action, id::ServiceName};

const READ: Permission = Permission::May(Action::Read);
const PUSH: Permission = Permission::May(Action::Push);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/services", READ, "list_services", list)
            .about("Services", "Services by name")
            .answers_page_of::<Service>(),
        Route::post("/api/v1/services", PUSH, "create_service", create)
            .about("Services", "Make a service; the first push of a spec does it too")
            .body::<CreateService>()
            .answers::<Service>()
            .status(201, "Made"),
        Route::get("/api/v1/services/{service}", READ, "get_service", show)
            .about("Services", "A service with its environments")
            .answers::<Service>(),
        Route::get("/api/v1/status", READ, "status", what_runs)
            .about("Services", "What runs where, since when, how healthy, and who changed it")
            .query("service", "string", "Only of this service")
            .answers_page_of::<PlaceStatus>(),
        Route::get("/api/v1/services/{service}/releases", READ, "list_releases", list_releases)
            .about("Releases", "Releases of a service, newest first")
            .answers_page_of::<Release>(),
        Route::get("/api/v1/services/{service}/releases/{release}", READ, "get_release", show_release)
            .about("Releases", "A release by label or digest, with its spec and its files")
            .answers::<ReleaseDetail>(),
        Route::get("/api/v1/services/{service}/diff", READ, "diff_releases", diff)
            .about("Releases", "What changes from one release to another")
            .required_query("from", "string", "Label or digest")
            .required_query("to", "string", "Label or digest")
            .answers::<ReleaseDiff>(),
    ]
}

async fn list(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Service>> {
    let after = page.cursor::<ServiceName>()?;
    Ok(Json(services::list(&app.ctx, after.as_ref(), page.limit(), info.lang).await?))
}

async fn create(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Body(asked): Body<CreateService>,
) -> Result<(StatusCode, Json<Service>), Refusal> {
    app.git.repos.ensure(&asked.name).await?;
    services::create(&app.ctx, &asked.name, &by).await?;
    Ok((StatusCode::CREATED, Json(services::show(&app.ctx, &asked.name, info.lang).await?)))
}

async fn show(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
) -> Answer<Service> {
    Ok(Json(services::show(&app.ctx, &service, info.lang).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusQuery {
    service: Option<ServiceName>,
}

async fn what_runs(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Query(q): Query<StatusQuery>,
) -> Answer<Page<PlaceStatus>> {
    Ok(Json(Page::whole(status::status(&app.ctx, q.service.as_ref(), info.lang).await?)))
}

async fn list_releases(
    Scoped(app): Scoped,
    Params(service): Params<ServiceName>,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Release>> {
    Ok(Json(releases::list(&app.ctx, &service, page.cursor()?, page.limit()).await?))
}

async fn show_release(
    Scoped(app): Scoped,
    Params((service, release)): Params<(ServiceName, String)>,
) -> Answer<ReleaseDetail> {
    Ok(Json(releases::show(&app.ctx, &service, &release).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiffQuery {
    from: String,
    to: String,
}

async fn diff(
    Scoped(app): Scoped,
    Params(service): Params<ServiceName>,
    Query(q): Query<DiffQuery>,
) -> Answer<ReleaseDiff> {
    Ok(Json(releases::diff(&app.ctx, &service, &q.from, &q.to).await?))
}
