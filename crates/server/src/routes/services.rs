use crate::{
    auth::Scoped,
    git::{
        Repos,
        history::{Change, Changed, Logged},
    },
    http::{
        Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route,
        layers::{Asked, RequestInfo},
    },
};
use ::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use tradewind_api::v1::{
    CommitLine, CreateService, FileChangeKind, History, Page, PlaceStatus, Release, ReleaseDetail, ReleaseDiff,
    Service, SetOwner, SourceChange, SourceChanges, WaysBack,
};
use tradewind_control::{
    releases::{self, stands},
    services, status,
};
use tradewind_model::{
    access::Action,
    id::{Commit, EnvName, ServiceName},
};

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
        Route::put("/api/v1/services/{service}/owner", PUSH, "set_owner", set_owner)
            .about("Services", "Hand a service to a user or a group, who answers for it from then on")
            .body::<SetOwner>()
            .answers::<Service>(),
        Route::get("/api/v1/status", READ, "status", what_runs)
            .about("Services", "What runs where, since when, how healthy, and who changed it")
            .query("service", "string", "Only of this service")
            .answers_all_or_page_of::<PlaceStatus>(),
        Route::get("/api/v1/services/{service}/rollback", READ, "list_ways_back", ways_back)
            .about("Releases", "Where an environment can be rolled back to now, and why not elsewhere")
            .required_query("env", "string", "The environment")
            .answers::<WaysBack>(),
        Route::get("/api/v1/services/{service}/releases", READ, "list_releases", list_releases)
            .about("Releases", "Releases of a service, newest first")
            .answers_page_of::<Release>(),
        Route::get("/api/v1/services/{service}/releases/{release}", READ, "get_release", show_release)
            .about("Releases", "A release by label or digest, with its spec and its files")
            .answers::<ReleaseDetail>(),
        Route::get("/api/v1/services/{service}/diff", READ, "diff_releases", diff)
            .about("Releases", "What changes from one release to another")
            .required_query("from", "string", "Label or digest, or `live`: what is live in `env`")
            .required_query("to", "string", "Label or digest, or `live`")
            .query("env", "string", "The environment that `live` is about")
            .query("text", "boolean", "With what the commits change in the sources, as text")
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

async fn set_owner(
    Scoped(app): Scoped,
    Asked(by): Asked,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Body(asked): Body<SetOwner>,
) -> Answer<Service> {
    services::set_owner(&app.ctx, &service, &asked.owner, &asked.reason, &by).await?;
    Ok(Json(services::show(&app.ctx, &service, info.lang).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusQuery {
    service: Option<ServiceName>,
    after: Option<String>,
    limit: Option<u32>,
}

async fn what_runs(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Query(q): Query<StatusQuery>,
) -> Answer<Page<PlaceStatus>> {
    let limit = q.limit.map_or(usize::MAX, |limit| limit.clamp(1, PageQuery::MOST) as usize);
    Ok(Json(status::page(&app.ctx, q.service.as_ref(), q.after.as_deref(), limit, info.lang).await?))
}

async fn list_releases(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Release>> {
    Ok(Json(releases::list(&app.ctx, &service, page.cursor()?, page.limit(), info.lang).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvQuery {
    env: EnvName,
}

async fn ways_back(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(q): Query<EnvQuery>,
) -> Answer<WaysBack> {
    Ok(Json(stands::ways_back(&app.ctx, &service, &q.env, info.lang).await?))
}

async fn show_release(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params((service, release)): Params<(ServiceName, String)>,
) -> Answer<ReleaseDetail> {
    Ok(Json(releases::show(&app.ctx, &service, &release, info.lang).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiffQuery {
    from: String,
    to: String,
    env: Option<EnvName>,
    #[serde(default)]
    text: bool,
}

async fn diff(
    Scoped(app): Scoped,
    Params(service): Params<ServiceName>,
    Query(q): Query<DiffQuery>,
) -> Answer<ReleaseDiff> {
    let mut diff = releases::diff(&app.ctx, &service, &q.from, &q.to, q.env.as_ref()).await?;
    let (from, to) = (diff.from_commit.clone(), diff.to_commit.clone());
    let repos = &app.git.repos;
    if repos.exists(&service) && repos.has(&service, &from).await? && repos.has(&service, &to).await? {
        diff.history = Some(history(repos, &service, &from, &to).await?);
        if q.text {
            let (files, more) = repos.changes(&service, &from, &to).await?;
            diff.sources = Some(SourceChanges { files: files.into_iter().map(source).collect(), more });
        }
    }
    Ok(Json(diff))
}

const COMMITS: usize = 200;

async fn history(repos: &Repos, service: &ServiceName, from: &Commit, to: &Commit) -> Result<History, Refusal> {
    let (added, more_added) = repos.between(service, from, to, COMMITS).await?;
    let (undone, more_undone) = repos.between(service, to, from, COMMITS).await?;
    let told = |all: Vec<Logged>| all.into_iter().map(commit).collect();
    Ok(History { added: told(added), undone: told(undone), more: more_added || more_undone })
}

fn commit(l: Logged) -> CommitLine {
    CommitLine { commit: l.commit, author: l.author, at: l.at.into(), subject: l.subject }
}

fn source(c: Changed) -> SourceChange {
    let change = match c.change {
        Change::Added => FileChangeKind::Added,
        Change::Removed => FileChangeKind::Removed,
        Change::Changed if c.text.is_none() && !c.binary => FileChangeKind::ModeChanged,
        Change::Changed => FileChangeKind::Changed,
    };
    SourceChange { path: c.path, change, text: c.text, binary: c.binary, cut: c.cut }
}
