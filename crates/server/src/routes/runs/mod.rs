use crate::{
    auth::Scoped,
    http::{
        Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route,
        layers::{Asked, RequestInfo},
        sse::{self, LastEventId, Update},
    },
};
use axum::{Extension, Json, response::Response};
use cursor::Cursor;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tradewind_api::v1::{Page, Reason, Run, RunState, RunUpdate};
use tradewind_control::{
    runs::{By, Part},
    services,
};
use tradewind_model::access::Action;
use tradewind_model::id::{JobId, RunId, ServiceName};
use tradewind_store::rows;

mod artifacts;
mod cursor;
mod log;

const READ: Permission = Permission::May(Action::Read);
const RUN: Permission = Permission::May(Action::Run);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/services/{service}/runs", READ, "list_runs", list)
            .about("Runs", "Runs of a service, newest first")
            .query(
                "state",
                "string",
                "Only in this state; a page may then have fewer than `limit` and another behind it",
            )
            .answers_page_of::<Run>(),
        Route::get("/api/v1/runs/{run}", READ, "get_run", show).about("Runs", "A run with its jobs").answers::<Run>(),
        Route::post("/api/v1/runs/{run}/cancel", RUN, "cancel_run", cancel)
            .about("Runs", "Stop all of a run that has not ended")
            .body::<Reason>()
            .answers::<Run>(),
        Route::post("/api/v1/runs/{run}/retry", RUN, "retry_run", retry)
            .about("Runs", "Run every job once more that failed or was cancelled")
            .body::<Reason>()
            .answers::<Run>(),
        Route::post("/api/v1/runs/{run}/jobs/{job}/start", RUN, "start_job", start_job)
            .about("Runs", "Start a job that waits for a person")
            .body::<Reason>()
            .answers::<Run>(),
        Route::post("/api/v1/runs/{run}/jobs/{job}/retry", RUN, "retry_job", retry_job)
            .about("Runs", "Run a job that ended once more")
            .body::<Reason>()
            .answers::<Run>(),
        Route::post("/api/v1/runs/{run}/jobs/{job}/cancel", RUN, "cancel_job", cancel_job)
            .about("Runs", "Stop a job that has not ended; what needs it is skipped")
            .body::<Reason>()
            .answers::<Run>(),
        Route::get("/api/v1/runs/{run}/follow", READ, "follow_run", follow)
            .about("Runs", "Logs and states from the run's beginning to its end, and the rollout it started")
            .query("job", "string", "Only this job's log and states, to the end of both")
            .query("offset", "integer", "With `job`: the first byte of its log; 0 when left out")
            .streams::<RunUpdate>(),
    ]
    .into_iter()
    .chain(artifacts::routes())
    .chain(log::routes())
    .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<RunState>,
    after: Option<String>,
    limit: Option<u32>,
}

async fn list(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(asked): Query<ListQuery>,
) -> Answer<Page<Run>> {
    services::get(&mut app.store.read().await?, &service).await?;
    let page = PageQuery::new(asked.after, asked.limit);
    let page = rows::Page { after: page.cursor()?, limit: page.limit() };
    Ok(Json(app.runs.list(&service, asked.state, page, info.lang).await?))
}

async fn show(Scoped(app): Scoped, Extension(info): Extension<RequestInfo>, Params(id): Params<RunId>) -> Answer<Run> {
    Ok(Json(app.runs.get(id, info.lang).await?))
}

fn by(asked: Asked, why: Reason) -> By {
    let reason = Some(why.reason).filter(|r| !r.trim().is_empty());
    By { actor: asked.0.actor, cause: asked.0.cause, reason }
}

async fn cancel(
    Scoped(app): Scoped,
    asked: Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RunId>,
    Body(why): Body<Reason>,
) -> Answer<Run> {
    app.runs.cancel(id, &by(asked, why)).await?;
    Ok(Json(app.runs.get(id, info.lang).await?))
}

async fn retry(
    Scoped(app): Scoped,
    asked: Asked,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RunId>,
    Body(why): Body<Reason>,
) -> Answer<Run> {
    app.runs.retry_failed(id, &by(asked, why)).await?;
    Ok(Json(app.runs.get(id, info.lang).await?))
}

async fn start_job(
    Scoped(app): Scoped,
    asked: Asked,
    Extension(info): Extension<RequestInfo>,
    Params((run, job)): Params<(RunId, JobId)>,
    Body(why): Body<Reason>,
) -> Answer<Run> {
    app.runs.play(run, job, &by(asked, why)).await?;
    Ok(Json(app.runs.get(run, info.lang).await?))
}

async fn retry_job(
    Scoped(app): Scoped,
    asked: Asked,
    Extension(info): Extension<RequestInfo>,
    Params((run, job)): Params<(RunId, JobId)>,
    Body(why): Body<Reason>,
) -> Answer<Run> {
    app.runs.retry(run, job, &by(asked, why)).await?;
    Ok(Json(app.runs.get(run, info.lang).await?))
}

async fn cancel_job(
    Scoped(app): Scoped,
    asked: Asked,
    Extension(info): Extension<RequestInfo>,
    Params((run, job)): Params<(RunId, JobId)>,
    Body(why): Body<Reason>,
) -> Answer<Run> {
    app.runs.cancel_job(run, job, &by(asked, why)).await?;
    Ok(Json(app.runs.get(run, info.lang).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowQuery {
    job: Option<JobId>,
    #[serde(default)]
    offset: u64,
}

async fn follow(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RunId>,
    Query(q): Query<FollowQuery>,
    LastEventId(last): LastEventId,
) -> Result<Response, Refusal> {
    let run = app.runs.get(id, info.lang).await?;
    let mut cursor = Cursor::resume(last.as_deref(), &run);
    let part = match q.job {
        Some(job) => {
            app.runs.which_log(id, job, None).await?;
            Some(Part { job, offset: q.offset.max(cursor.offset(job)) })
        }
        None => None,
    };
    let updates = app.runs.follow(id, part, info.lang).filter_map(move |update| {
        let told = match update {
            Ok(update) => cursor.admit(update).map(|data| Update::Data { id: Some(cursor.to_string()), data }),
            Err(e) => Some(Update::Problem(Box::new(Refusal::from(e).problem(info.lang, &info.id)))),
        };
        std::future::ready(told)
    });
    Ok(sse::respond(updates.chain(stream::iter([Update::End])), app.stop.clone()))
}
