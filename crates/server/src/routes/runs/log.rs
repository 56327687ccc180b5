//! Logs of jobs: as text, whole or in parts, where their lines are, and where a word stands.

use super::READ;
use crate::{
    auth::Scoped,
    http::{Answer, Params, Query, Refusal, Route},
};
use ::http::header;
use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Deserialize;
use tradewind_api::v1::{LogHits, LogIndex};
use tradewind_control::runs::{AskedOfLog, MOST_HITS};
use tradewind_model::id::{JobId, RunId};

/// Bytes of a log read at a time.
const CHUNK: usize = 256 << 10;
/// Hits of a page unless it is said otherwise.
const HITS: usize = 200;

const ATTEMPT: &str = "Which attempt, from 1; the last when left out";

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/runs/{run}/jobs/{job}/log", READ, "job_log", log)
            .about("Runs", "A job's log as far as it is stored")
            .query("offset", "integer", "First byte; 0 when left out")
            .query("limit", "integer", "Bytes at most; all when left out")
            .query("attempt", "integer", ATTEMPT)
            .gives_bytes("text/plain"),
        Route::get("/api/v1/runs/{run}/jobs/{job}/log/index", READ, "job_log_index", index)
            .about("Runs", "Where the lines of a job's log are, to fetch any of them by `offset` and `limit`")
            .query("after", "integer", "Only places and marks behind this line; all when left out")
            .query("attempt", "integer", ATTEMPT)
            .answers::<LogIndex>(),
        Route::get("/api/v1/runs/{run}/jobs/{job}/log/search", READ, "search_job_log", search)
            .about("Runs", "The lines of a job's log that have a word, without its colours; a bounded page at a time")
            .required_query("search", "string", "What to look for, on one line: at most 400 bytes")
            .query("case", "boolean", "Capital and small letters differ")
            .query("after", "integer", "Only behind this line: the `next` of the page before")
            .query("limit", "integer", "Lines: 1 to 1,000, 200 when left out")
            .query("attempt", "integer", ATTEMPT)
            .answers::<LogHits>(),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
    attempt: Option<u32>,
}

async fn log(
    Scoped(app): Scoped,
    Params((run, job)): Params<(RunId, JobId)>,
    Query(q): Query<LogQuery>,
) -> Result<Response, Refusal> {
    let log = app.runs.which_log(run, job, q.attempt).await?;
    let end = q.limit.map_or(u64::MAX, |limit| q.offset.saturating_add(limit));
    // A body that breaks off is seen to; one that ends would pass for whole.
    let pieces = stream::unfold((app, Some(q.offset)), move |(app, at)| async move {
        let at = at.filter(|at| *at < end)?;
        let wanted = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
        let piece = app.runs.read_log(&log, at, wanted).await;
        let next = match &piece {
            Ok(bytes) if bytes.is_empty() => return None,
            Ok(bytes) => (bytes.len() == wanted).then_some(at + wanted as u64),
            Err(e) => {
                tracing::warn!(%run, %job, error = %e, "a log could not be read on");
                None
            }
        };
        Some((piece, (app, next)))
    });
    // A browser that opens it by itself runs nothing of it.
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, "sandbox")];
    Ok((kind, axum::body::Body::from_stream(pieces)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexQuery {
    #[serde(default)]
    after: u64,
    attempt: Option<u32>,
}

async fn index(
    Scoped(app): Scoped,
    Params((run, job)): Params<(RunId, JobId)>,
    Query(q): Query<IndexQuery>,
) -> Answer<LogIndex> {
    let log = app.runs.which_log(run, job, q.attempt).await?;
    Ok(Json(app.runs.log_index(&log, q.after).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchQuery {
    search: String,
    #[serde(default)]
    case: bool,
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    attempt: Option<u32>,
}

async fn search(
    Scoped(app): Scoped,
    Params((run, job)): Params<(RunId, JobId)>,
    Query(q): Query<SearchQuery>,
) -> Answer<LogHits> {
    let log = app.runs.which_log(run, job, q.attempt).await?;
    let limit = q.limit.unwrap_or(HITS).clamp(1, MOST_HITS);
    let asked = AskedOfLog { word: &q.search, exact: q.case, after: q.after, limit };
    Ok(Json(app.runs.search_log(&log, &asked).await?))
}
