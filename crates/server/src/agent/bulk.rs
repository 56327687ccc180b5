//! Blobs and sources: plain requests, streamed both ways, bounded by the disk alone.

use super::HOST;
use crate::{
    App,
    auth::Caller,
    faults,
    git::repo,
    http::{Params, Query, Refusal, Route},
};
use ::http::{StatusCode, header};
use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use tradewind_control::{
    Error, certificates,
    secrets::handover::{self, Holder},
};
use tradewind_model::{
    fault::Fault,
    id::{Commit, Digest, InstanceId, ServiceName, TaskId},
    said,
    said::Said,
};
use tradewind_store::logs::Appended;

/// Bytes of one piece of a log.
const PIECE_LIMIT: usize = 4 << 20;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/agent/blobs/{digest}", HOST, "get_blob", get_blob)
            .about("Agents", "A blob's bytes")
            .gives_bytes("application/octet-stream"),
        Route::put("/api/v1/agent/blobs/{digest}", HOST, "put_blob", put_blob)
            .about("Agents", "Store a blob; bytes that do not give the digest are refused")
            .takes_bytes("application/octet-stream")
            .status(204, "Stored, or there already"),
        Route::get("/api/v1/agent/certificates/{digest}", HOST, "get_keyed_certificate", certificate)
            .about("Agents", "A certificate that the edge is to show, with its key")
            .gives_bytes("application/json"),
        Route::get("/api/v1/agent/source/{service}/{commit}", HOST, "get_source", source)
            .about("Agents", "A commit's tree as a tar archive")
            .gives_bytes("application/x-tar"),
        Route::post("/api/v1/agent/secrets", HOST, "hand_over_secrets", secrets)
            .about("Agents", "The secrets of what this host is about to start: of one instance or one task of its own")
            .query("instance", "string", "Which instance; this or a task")
            .query("task", "string", "Which task; this or an instance")
            .gives_bytes("application/json"),
        Route::post("/api/v1/agent/tasks/{task}/log", HOST, "append_log", append_log)
            .about("Agents", "Append to a task's log; what is there already is left as it is, a gap is refused")
            .required_query("offset", "integer", "Where in the log the body belongs, bytes")
            .takes_bytes("text/plain")
            .answers::<u64>(),
    ]
}

async fn get_blob(State(app): State<App>, Params(digest): Params<Digest>) -> Result<Response, Refusal> {
    let (pieces, size) = app.blobs.get(&digest).await?;
    let head =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, size.to_string())];
    Ok((head, Body::from_stream(pieces)).into_response())
}

async fn certificate(State(app): State<App>, Params(digest): Params<Digest>) -> Result<Response, Refusal> {
    let keyed = certificates::keyed(&app.ctx, &app.keeper, &digest).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(keyed)).into_response())
}

async fn put_blob(State(app): State<App>, Params(digest): Params<Digest>, body: Body) -> Result<StatusCode, Refusal> {
    app.blobs.put(body.into_data_stream(), Some(digest)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolderQuery {
    instance: Option<InstanceId>,
    task: Option<TaskId>,
}

/// A refusal is told in both languages: the host passes it on to people.
async fn secrets(State(app): State<App>, caller: Caller, Query(q): Query<HolderQuery>) -> Result<Response, Refusal> {
    let holder = match (q.instance, q.task) {
        (Some(id), None) => Holder::Instance(id),
        (None, Some(id)) => Holder::Task(id),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Fault::new(&faults::BAD_PARAMETER).with("detail", "either `instance` or `task`").into());
        }
    };
    let host = super::host_of(&caller)?;
    match handover::give(&app.ctx, host, holder).await {
        Ok(handed) => Ok(([(header::CACHE_CONTROL, "no-store")], Json(handed)).into_response()),
        Err(Error::Refused(fault)) => {
            let status = StatusCode::from_u16(fault.code.status).unwrap_or(StatusCode::CONFLICT);
            let told =
                said!("{what}; {fix}", "{what}；{fix}", what = fault.said(), fix = Said::in_both(|l| fault.fix(l)));
            Ok((status, Json(told)).into_response())
        }
        Err(e @ Error::Store(_)) => Err(e.into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    offset: u64,
}

/// Answers with the log's size.
async fn append_log(
    State(app): State<App>,
    caller: Caller,
    Params(task): Params<TaskId>,
    Query(q): Query<LogQuery>,
    body: Body,
) -> Result<Json<u64>, Refusal> {
    let piece = axum::body::to_bytes(body, PIECE_LIMIT).await;
    let piece = piece.map_err(|_| Fault::new(&faults::TOO_LARGE).with("limit", PIECE_LIMIT))?;
    match app.runs.append_log(super::host_of(&caller)?, task, q.offset, piece).await? {
        Appended::Upto(size) => Ok(Json(size)),
        Appended::Gap { size } => Err(Fault::new(&faults::LOG_GAP).with("size", size).into()),
    }
}

async fn source(
    State(app): State<App>,
    Params((service, commit)): Params<(ServiceName, Commit)>,
) -> Result<Response, Refusal> {
    let repos = &app.git.repos;
    if !repos.exists(&service) || !repos.has(&service, &commit).await? {
        return Err(Fault::new(&faults::NO_COMMIT).with("service", service).with("commit", commit).into());
    }
    let archive = repo::stream(repos.archive(&service, &commit)?, "archive");
    Ok(([(header::CONTENT_TYPE, "application/x-tar")], Body::from_stream(archive)).into_response())
}
