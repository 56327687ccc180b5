//! What agents carry beside their stream: blobs, sources, logs of tasks.

use super::{ApiError, Client, EventQuery, Lines, Repeat};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use reqwest::{Method, Response, Url};
use tradewind_model::id::{Commit, Digest, JobId, RunId, ServiceName, TaskId};

/// A body, piece by piece as it comes.
pub struct Pieces(BoxStream<'static, Result<Bytes, ApiError>>);

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}

impl Pieces {
    /// None at the end. A body that broke off is an error, never an end.
    pub async fn next(&mut self) -> Option<Result<Bytes, ApiError>> {
        self.0.next().await
    }
}

impl Client {
    /// A blob's bytes. The caller checks the digest.
    pub async fn blob(&self, digest: Digest) -> Result<impl Stream<Item = Result<Bytes, ApiError>> + use<>, ApiError> {
        self.download(self.url(&["agent", "blobs", &digest.to_string()], &[])).await
    }

    /// Stores a blob; the server refuses bytes that do not give the digest. Storing what is there does no harm.
    pub async fn put_blob(&self, digest: Digest, body: reqwest::Body) -> Result<(), ApiError> {
        let url = self.url(&["agent", "blobs", &digest.to_string()], &[]);
        let request = self.http.request(Method::PUT, url.clone()).headers(self.headers()).body(body);
        let answer = request.send().await.map_err(|e| ApiError::unreachable(&url, e))?;
        super::refusal(&url, answer).await.map(drop)
    }

    /// A commit's tree as a tar archive.
    pub async fn source(
        &self,
        service: &ServiceName,
        commit: &Commit,
    ) -> Result<impl Stream<Item = Result<Bytes, ApiError>> + use<>, ApiError> {
        self.download(self.url(&["agent", "source", service.as_str(), commit.as_str()], &[])).await
    }

    /// Appends to a task's log and returns its length in bytes. What the server has already is skipped by `offset`; a
    /// gap is refused.
    pub async fn append_task_log(&self, task: TaskId, offset: u64, bytes: Bytes) -> Result<u64, ApiError> {
        let url = self.url(&["agent", "tasks", &task.to_string(), "log"], &[("offset", offset.to_string())]);
        let send = || self.request(Method::POST, &url).body(bytes.clone());
        let answer = self.attempt(&url, Repeat::Always, send).await?;
        super::json(url, answer).await
    }

    /// Every event, a line of JSON each, for who verifies by themselves.
    pub async fn audit_chain(&self) -> Result<Lines, ApiError> {
        Ok(Lines::of(self.download(self.url(&["audit", "chain"], &[])).await?))
    }

    /// Events that fit, oldest first; `format` is `jsonl` or `csv`.
    pub async fn export_events(&self, which: &EventQuery, format: &str) -> Result<Lines, ApiError> {
        let mut query = vec![("format", format.to_owned())];
        query.extend(which.query());
        Ok(Lines::of(self.download(self.url(&["audit", "export"], &query)).await?))
    }

    /// A backup of the whole control plane but for its keys, as it is made.
    pub async fn backup(&self) -> Result<Pieces, ApiError> {
        Ok(Pieces(self.download(self.url(&["backup"], &[])).await?.boxed()))
    }

    /// What a job left, as it is stored. The caller checks the digest.
    pub async fn artifact(&self, run: RunId, job: JobId) -> Result<Pieces, ApiError> {
        let url = self.url(&["runs", &run.to_string(), "jobs", &job.to_string(), "artifacts"], &[]);
        Ok(Pieces(self.download(url).await?.boxed()))
    }

    async fn download(&self, url: Url) -> Result<impl Stream<Item = Result<Bytes, ApiError>> + use<>, ApiError> {
        let send = || self.http.request(Method::GET, url.clone()).headers(self.headers());
        let answer: Response = self.attempt(&url, Repeat::Always, send).await?;
        Ok(answer.bytes_stream().map(move |part| part.map_err(|e| ApiError::unreachable(&url, e))))
    }
}
