//! Blobs and sources: plain requests, streamed both ways, bounded by the disk alone.

use super::AGENT;
use crate::{
    App, faults,
    git::repo,
    http::{Params, Refusal, Route},
};
use ::http::{StatusCode, header};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use tradewind_model::{
    fault::Fault,
    id::{Commit, Digest, ServiceName},
};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/agent/blobs/{digest}", AGENT, "get_blob", get_blob)
            .about("Agents", "A blob's bytes")
            .gives_bytes("application/octet-stream"),
        Route::put("/api/v1/agent/blobs/{digest}", AGENT, "put_blob", put_blob)
            .about("Agents", "Store a blob; bytes that do not give the digest are refused")
            .takes_bytes("application/octet-stream")
            .status(204, "Stored, or there already"),
        Route::get("/api/v1/agent/source/{service}/{commit}", AGENT, "get_source", source)
            .about("Agents", "A commit's tree as a tar archive")
            .gives_bytes("application/x-tar"),
    ]
}

async fn get_blob(State(app): State<App>, Params(digest): Params<Digest>) -> Result<Response, Refusal> {
    let (pieces, size) = app.blobs.get(&digest).await?;
    let head =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, size.to_string())];
    Ok((head, Body::from_stream(pieces)).into_response())
}

async fn put_blob(State(app): State<App>, Params(digest): Params<Digest>, body: Body) -> Result<StatusCode, Refusal> {
    app.blobs.put(body.into_data_stream(), Some(digest)).await?;
    Ok(StatusCode::NO_CONTENT)
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
