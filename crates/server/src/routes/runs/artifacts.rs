//! What jobs leave behind, to be looked at and taken away. A browser saves it and never opens it: it is what a job made.

use super::READ;
use crate::{
    auth::Scoped,
    http::{Answer, Params, Refusal, Route},
};
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::{
    Json,
    body::Body,
    response::{IntoResponse as _, Response},
};
use std::ops::Range;
use tradewind_api::v1::{Artifact, Page};
use tradewind_model::id::{JobId, RunId};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/runs/{run}/artifacts", READ, "list_artifacts", list)
            .about("Runs", "What the run's jobs left, in their order; all in one page")
            .answers_page_of::<Artifact>(),
        Route::get("/api/v1/runs/{run}/jobs/{job}/artifacts", READ, "get_artifact", download)
            .about("Runs", "What a job left: a tar archive, compressed with zstd. One range of bytes may be asked for")
            .gives_bytes("application/zstd"),
    ]
}

async fn list(Scoped(app): Scoped, Params(run): Params<RunId>) -> Answer<Page<Artifact>> {
    Ok(Json(Page::whole(app.runs.artifacts(run, &app.blobs).await?)))
}

async fn download(
    Scoped(app): Scoped,
    Params((run, job)): Params<(RunId, JobId)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let stored = app.runs.artifact(run, job, &app.blobs).await?;
    let tag = format!("\"{}\"", stored.digest.hex());
    let fixed: [(HeaderName, String); 6] = [
        (header::CONTENT_TYPE, "application/zstd".into()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", stored.file)),
        (header::CONTENT_SECURITY_POLICY, "sandbox".into()),
        (header::CACHE_CONTROL, "private, no-cache".into()),
        (header::ACCEPT_RANGES, "bytes".into()),
        (header::ETAG, tag.clone()),
    ];
    let asked = headers.get(header::RANGE).filter(|_| headers.get(header::IF_RANGE).is_none_or(|t| *t == *tag));
    let size = stored.size;
    match asked.map_or(Asked::All, |range| asked_of(range, size)) {
        Asked::All => {
            let (pieces, size) = app.blobs.get(&stored.digest).await?;
            Ok((fixed, [(header::CONTENT_LENGTH, size.to_string())], Body::from_stream(pieces)).into_response())
        }
        Asked::Part(part) => {
            let told = [
                (header::CONTENT_LENGTH, (part.end - part.start).to_string()),
                (header::CONTENT_RANGE, format!("bytes {}-{}/{size}", part.start, part.end - 1)),
            ];
            let pieces = app.blobs.get_range(&stored.digest, part).await?;
            Ok((StatusCode::PARTIAL_CONTENT, fixed, told, Body::from_stream(pieces)).into_response())
        }
        Asked::Beyond => {
            let told = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            Ok((StatusCode::RANGE_NOT_SATISFIABLE, told).into_response())
        }
    }
}

#[derive(PartialEq, Eq, Debug)]
enum Asked {
    All,
    Part(Range<u64>),
    Beyond,
}

/// One range; several, or what is none, give all.
fn asked_of(header: &HeaderValue, size: u64) -> Asked {
    let Some((first, last)) = header.to_str().ok().and_then(|h| h.strip_prefix("bytes=")?.split_once('-')) else {
        return Asked::All;
    };
    let part = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(count)) if first.trim().is_empty() => size.saturating_sub(count)..size,
        _ => return Asked::All,
    };
    if part.is_empty() { Asked::Beyond } else { Asked::Part(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_browsers_write_it() {
        for (header, asked) in [
            ("bytes=0-4", Asked::Part(0..5)),
            ("bytes=5-", Asked::Part(5..10)),
            ("bytes=8-99", Asked::Part(8..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=10-", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=3-2", Asked::All),
            ("bytes=0-1,4-5", Asked::All),
            ("lines=0-1", Asked::All),
        ] {
            assert_eq!(asked_of(&HeaderValue::from_static(header), 10), asked, "{header}");
        }
    }
}
