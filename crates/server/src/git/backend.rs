//! `git http-backend` as a CGI program.
//!
//! Both directions are pumped at once, by tasks that outlive the request: a client that goes away closes git's standard
//! input and is otherwise drained for, so that a push whose refs have moved still reaches its post-receive hook.

use super::repo::{GitError, Repos};
use axum::{body::Body, response::Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use std::{ffi::OsString, process::Stdio};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin, ChildStdout},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What of a request git is told.
pub struct Call {
    /// Path below the folder of repositories: `/shop.git/git-receive-pack`.
    pub path: String,
    /// For git's reflog and hooks; who was authenticated.
    pub user: String,
    /// Kept in the ref's log beside the name.
    pub mail: String,
    /// More for the environment of git and of its hooks.
    pub env: Vec<(&'static str, OsString)>,
    /// Cancelled when the client is gone.
    pub gone: CancellationToken,
    pub orphan: Orphan,
}

/// What becomes of git when its client goes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Orphan {
    /// It comes to its end: refs may have moved, and its hooks have to hear of it.
    Finishes,
    /// Its output is closed, and it ends of that: it only reads, and nobody wants the rest.
    Ends,
}

/// Bytes of a CGI head.
const HEAD_LIMIT: usize = 64 << 10;
const CHUNK: usize = 64 << 10;

/// Runs git for one request. `held` is dropped when git has ended, not when the client has gone.
pub async fn serve<H: Send + 'static>(
    repos: &Repos,
    tasks: &TaskTracker,
    parts: &Parts,
    body: Body,
    call: Call,
    held: H,
) -> Result<Response, GitError> {
    let mut child = start(repos, parts, &call)?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(GitError::Odd { verb: "http-backend", said: "no pipes".into() });
    };
    tasks.spawn(feed(body, stdin));
    let complaints = tasks.spawn(read_some(stderr, 4 << 10));
    let (sink, source) = mpsc::channel(4);
    let (gone, orphan) = (call.gone, call.orphan);
    tasks.spawn(async move {
        drain(stdout, sink, gone, orphan).await;
        report(child, complaints.await.unwrap_or_default()).await;
        drop(held);
    });
    respond(source).await
}

fn start(repos: &Repos, parts: &Parts, call: &Call) -> Result<Child, GitError> {
    let mut git = repos.git();
    git.arg("http-backend")
        .env("GIT_PROJECT_ROOT", repos.root())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("SERVER_PROTOCOL", "HTTP/1.1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", &call.path)
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REMOTE_USER", &call.user)
        .env("GIT_COMMITTER_EMAIL", &call.mail)
        .current_dir(repos.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Away from the terminal's signals: a Ctrl-C for the server is not one for a push.
        .process_group(0)
        .kill_on_drop(false);
    for (name, var) in [
        (header::CONTENT_TYPE, "CONTENT_TYPE"),
        // Absent from a chunked request, and then it has to stay so: git reads to the end.
        (header::CONTENT_LENGTH, "CONTENT_LENGTH"),
        (header::CONTENT_ENCODING, "HTTP_CONTENT_ENCODING"),
        (HeaderName::from_static("git-protocol"), "GIT_PROTOCOL"),
    ] {
        if let Some(value) = parts.headers.get(name).and_then(|v| v.to_str().ok()) {
            git.env(var, value);
        }
    }
    for (name, value) in &call.env {
        git.env(name, value);
    }
    git.spawn().map_err(|source| GitError::Start { verb: "http-backend", source })
}

/// The request's body to git. A body that breaks off ends as a closed input: git notices what is missing by itself. A
/// git that does not want to read on (it answered already) is not an error either.
async fn feed(body: Body, mut stdin: ChildStdin) {
    let mut parts = body.into_data_stream();
    while let Some(Ok(bytes)) = parts.next().await {
        if stdin.write_all(&bytes).await.is_err() {
            // What the client still sends is read, so that it comes to read the answer.
            while let Some(Ok(_)) = parts.next().await {}
            return;
        }
    }
    let _ = stdin.shutdown().await;
}

/// Git's output to the response; to nowhere once nobody listens, because git must not be stopped half-way by a full pipe.
async fn drain(mut stdout: ChildStdout, sink: mpsc::Sender<Bytes>, gone: CancellationToken, orphan: Orphan) {
    let mut listening = true;
    let mut buffer = BytesMut::with_capacity(CHUNK);
    loop {
        if !listening && orphan == Orphan::Ends {
            return;
        }
        buffer.reserve(CHUNK);
        let read = tokio::select! {
            read = stdout.read_buf(&mut buffer) => read,
            () = sink.closed(), if listening => {
                listening = false;
                gone.cancel();
                continue;
            }
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(_) if listening => {
                if sink.send(buffer.split().freeze()).await.is_err() {
                    listening = false;
                    gone.cancel();
                }
            }
            Ok(_) => buffer.clear(),
        }
    }
}

async fn read_some(mut from: impl AsyncRead + Unpin, most: usize) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let room = most.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..n.min(room)]);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

async fn report(mut child: Child, complaints: String) {
    match child.wait().await {
        Ok(status) if status.success() => tracing::debug!(complaints, "git http-backend ended"),
        Ok(status) => tracing::info!(%status, complaints, "git http-backend failed"),
        Err(error) => tracing::warn!(%error, "git http-backend was lost"),
    }
}

/// Reads the CGI head, then lets the rest flow.
async fn respond(mut source: mpsc::Receiver<Bytes>) -> Result<Response, GitError> {
    let odd = |said: &str| GitError::Odd { verb: "http-backend", said: said.to_owned() };
    let mut start = BytesMut::new();
    let end = loop {
        if let Some(at) = start.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if start.len() > HEAD_LIMIT {
            return Err(odd("a head without an end"));
        }
        match source.recv().await {
            Some(bytes) => start.extend_from_slice(&bytes),
            None => return Err(odd("nothing")),
        }
    };
    let head = start.split_to(end + 4);
    let head = std::str::from_utf8(&head).map_err(|_| odd("a head that is no text"))?;
    let rest = start.freeze();
    let flow = futures_util::stream::iter([rest]).chain(ReceiverStream::new(source));
    let mut response = Response::new(Body::from_stream(flow.map(Ok::<_, std::convert::Infallible>)));
    for line in head.lines().filter(|l| !l.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(|| odd(line))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|c| c.parse::<u16>().ok());
            *response.status_mut() = code.and_then(|c| StatusCode::from_u16(c).ok()).ok_or_else(|| odd(line))?;
            continue;
        }
        let name = HeaderName::try_from(name).map_err(|_| odd(line))?;
        let value = HeaderValue::try_from(value).map_err(|_| odd(line))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
