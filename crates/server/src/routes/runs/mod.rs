use crate::{
    auth::Scoped,
    http::{
        Answer, Body, PageQuery, Params, Permission, Query, Refusal, Route,
        layers::{Asked, RequestInfo},
        sse::{self, LastEventId, Update},
    },
};
use ::http::header;
use axum::{
    Extension, Json,
    response::{IntoResponse as _, Response},
};
use cursor::Cursor;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tradewind_api::v1::{Page, Reason, Run, RunUpdate};
use tradewind_control::{runs::By, services};
use tradewind_model::access::Action;
use tradewind_model::id::{JobId, RunId, ServiceName};
use tradewind_store::rows;

mod cursor;

const READ: Permission = Permission::May(Action::Read);
const RUN: Permission = Permission::May(Action::Run);

/// Bytes of a log read at a time.
const CHUNK: usize = 256 << 10;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/services/{service}/runs", READ, "list_runs", list)
            .about("Runs", "Runs of a service, newest first")
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
        Route::get("/api/v1/runs/{run}/jobs/{job}/log", READ, "job_log", log)
            .about("Runs", "A job's log as far as it is stored")
            .query("offset", "integer", "First byte; 0 when left out")
            .gives_bytes("text/plain"),
        Route::get("/api/v1/runs/{run}/follow", READ, "follow_run", follow)
            .about("Runs", "Logs and states from the run's beginning to its end, and the rollout it started")
            .streams::<RunUpdate>(),
    ]
}

async fn list(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(service): Params<ServiceName>,
    Query(page): Query<PageQuery>,
) -> Answer<Page<Run>> {
    services::get(&mut app.store.read().await?, &service).await?;
    let limit = page.limit();
    Ok(Json(app.runs.list(&service, rows::Page { after: page.cursor()?, limit }, info.lang).await?))
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    #[serde(default)]
    offset: u64,
}

async fn log(
    Scoped(app): Scoped,
    Params((run, job)): Params<(RunId, JobId)>,
    Query(q): Query<LogQuery>,
) -> Result<Response, Refusal> {
    let first = app.runs.log(run, job, q.offset, CHUNK).await?;
    let pieces = stream::unfold(Some((app, first)), move |state| async move {
        let (app, piece) = state?;
        let end = piece.offset + piece.bytes.len() as u64;
        let more = if piece.bytes.len() < CHUNK { None } else { Some(app.runs.log(run, job, end, CHUNK).await) };
        let rest = match more {
            Some(Ok(next)) => Some((app, next)),
            Some(Err(e)) => {
                tracing::warn!(%run, %job, error = %e, "a log could not be read on");
                None
            }
            None => None,
        };
        Some((Ok::<_, std::convert::Infallible>(piece.bytes), rest))
    });
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, axum::body::Body::from_stream(pieces)).into_response())
}

async fn follow(
    Scoped(app): Scoped,
    Extension(info): Extension<RequestInfo>,
    Params(id): Params<RunId>,
    LastEventId(last): LastEventId,
) -> Result<Response, Refusal> {
    let run = app.runs.get(id, info.lang).await?;
    let mut cursor = Cursor::resume(last.as_deref(), &run);
    let updates = app.runs.follow(id, info.lang).filter_map(move |update| {
        let told = match update {
            Ok(update) => cursor.admit(update).map(|data| Update::Data { id: Some(cursor.to_string()), data }),
            Err(e) => Some(Update::Problem(Box::new(Refusal::from(e).problem(info.lang, &info.id)))),
        };
        std::future::ready(told)
    });
    Ok(sse::respond(updates.chain(stream::iter([Update::End])), app.stop.clone()))
}
