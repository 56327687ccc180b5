//! Requests beside the stream: blobs, sources, logs. A connection each: they are few, and the server may be
//! another process the next time.

use crate::secrets::Holder;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use sha2::Digest as _;
use std::{io, path::Path, str::FromStr, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_util::io::ReaderStream;
use tradewind_model::{
    id::{Commit, Digest, TaskId},
    protocol::{edge::KeyedChain, secret::Handover},
    said,
    said::Said,
};

/// No byte for this long is a broken connection.
const STALL: Duration = Duration::from_secs(30);
/// Bytes of a chain and a key, as JSON.
const LONGEST_CERTIFICATE: usize = 1 << 20;
const CONNECT: Duration = Duration::from_secs(5);

pub type Body = BoxBody<Bytes, io::Error>;

/// `http://host:port`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerUrl {
    host: String,
    port: u16,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a server's address: expected http://HOST[:PORT]")]
pub struct BadUrl(String);

impl FromStr for ServerUrl {
    type Err = BadUrl;
    fn from_str(s: &str) -> std::result::Result<Self, BadUrl> {
        let bad = || BadUrl(s.into());
        let uri: http::Uri = s.parse().map_err(|_| bad())?;
        if uri.scheme_str() != Some("http") || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(bad());
        }
        let host = uri.host().ok_or_else(bad)?;
        Ok(Self { host: host.trim_matches(['[', ']']).into(), port: uri.port_u16().unwrap_or(80) })
    }
}

/// Why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("cannot reach the server: {0}")]
    Connect(#[source] io::Error),
    #[error("the connection broke: {0}")]
    Http(#[from] hyper::Error),
    #[error("the server was silent for {} s", STALL.as_secs())]
    Stalled,
    #[error("the server answered {status}: {body}")]
    Status { status: StatusCode, body: String },
    #[error("the bytes are {0}")]
    Differs(Digest),
    #[error(transparent)]
    File(#[from] io::Error),
}

impl RequestError {
    /// The same for people, in their language.
    pub fn said(&self) -> Said {
        match self {
            Self::Connect(why) => said!("cannot reach the server: {why}", "无法连接服务器：{why}", why = why),
            Self::Http(why) => said!("the connection broke: {why}", "连接中断：{why}", why = why),
            Self::Stalled => said!("the server was silent for {s} s", "服务器 {s} 秒没有响应", s = STALL.as_secs()),
            Self::Status { status, body } => {
                said!(
                    "the server answered {status}: {body}",
                    "服务器返回 {status}：{body}",
                    status = status,
                    body = body
                )
            }
            Self::Differs(digest) => said!("the bytes are {digest}", "内容的摘要是 {digest}", digest = digest),
            Self::File(why) => Said::plain(why.to_string()),
        }
    }

    /// Whether the same request may succeed later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Http(_) | Self::Stalled => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
            }
            // Damaged on the way, or damaged there: the caller decides how often it looks again.
            Self::Differs(_) => false,
            Self::File(_) => false,
        }
    }
}

type Result<T> = std::result::Result<T, RequestError>;

/// Where the server is and who we are.
#[derive(Clone)]
pub struct Server {
    url: ServerUrl,
    authorization: header::HeaderValue,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({}:{})", self.url.host, self.url.port)
    }
}

impl Server {
    pub fn new(url: ServerUrl, key: &str) -> std::result::Result<Self, header::InvalidHeaderValue> {
        let mut authorization = header::HeaderValue::try_from(format!("Bearer {key}"))?;
        authorization.set_sensitive(true);
        Ok(Self { url, authorization })
    }

    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let dial = TcpStream::connect((self.url.host.as_str(), self.url.port));
        let stream = tokio::time::timeout(CONNECT, dial).await.map_err(|_| io::ErrorKind::TimedOut)??;
        stream.set_nodelay(true)?;
        // A peer that vanished without a word is noticed within 10 s of unanswered data.
        rustix::net::sockopt::set_tcp_user_timeout(&stream, 10_000)?;
        Ok(stream)
    }

    pub(super) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let host = if self.url.host.contains(':') { format!("[{}]", self.url.host) } else { self.url.host.clone() };
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, format!("{host}:{}", self.url.port))
            .header(header::AUTHORIZATION, self.authorization.clone())
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>> {
        let stream = self.connect().await.map_err(RequestError::Connect)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a request's connection ended");
            }
        });
        // The head may be long in coming after a large upload; its body's own progress is watched by the socket.
        let response = sender.send_request(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let mut body = Vec::new();
        let mut incoming = response.into_body();
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(STALL, incoming.frame()).await {
            if let Some(data) = frame.data_ref() {
                body.extend_from_slice(data);
            }
            if body.len() > 4096 {
                break;
            }
        }
        Err(RequestError::Status { status, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Fetches a blob into `to`, whose bytes are those of `digest` afterwards.
    pub async fn blob(&self, digest: &Digest, to: &Path) -> Result<()> {
        let got = self.download(&format!("/api/v1/agent/blobs/{digest}"), to).await?;
        if got == *digest { Ok(()) } else { Err(RequestError::Differs(got)) }
    }

    /// Fetches a commit's tree as an uncompressed tar.
    pub async fn source(&self, service: &str, commit: &Commit, to: &Path) -> Result<()> {
        self.download(&format!("/api/v1/agent/source/{service}/{commit}"), to).await.map(drop)
    }

    /// A certificate with its key.
    pub async fn certificate(&self, chain: &Digest) -> Result<KeyedChain> {
        let path = format!("/api/v1/agent/certificates/{chain}");
        let request = self.request(Method::GET, &path).body(empty()).expect("a path of ours is a URI");
        let body = self.send(request).await?.into_body();
        let collected = tokio::time::timeout(STALL, Limited::new(body, LONGEST_CERTIFICATE).collect()).await;
        let bytes = collected.map_err(|_| RequestError::Stalled)?.map_err(io::Error::other)?.to_bytes();
        let got: KeyedChain = serde_json::from_slice(&bytes).map_err(io::Error::from)?;
        if got.digest() == *chain { Ok(got) } else { Err(RequestError::Differs(got.digest())) }
    }

    async fn download(&self, path: &str, to: &Path) -> Result<Digest> {
        let request = self.request(Method::GET, path).body(empty()).expect("a path of ours is a URI");
        let mut body = self.send(request).await?.into_body();
        let mut file = tokio::fs::File::create(to).await?;
        let mut hash = sha2::Sha256::new();
        while let Some(frame) =
            tokio::time::timeout(STALL, body.frame()).await.map_err(|_| RequestError::Stalled)?.transpose()?
        {
            if let Ok(data) = frame.into_data() {
                hash.update(&data);
                file.write_all(&data).await?;
            }
        }
        file.flush().await?;
        Ok(Digest::from_bytes(hash.finalize().into()))
    }

    /// Stores a file under its digest; storing it again is harmless.
    pub async fn put_blob(&self, digest: &Digest, from: &Path) -> Result<()> {
        let file = tokio::fs::File::open(from).await?;
        let size = file.metadata().await?.len();
        let body = StreamBody::new(ReaderStream::with_capacity(file, 64 << 10).map_ok(Frame::data));
        let request = self
            .request(Method::PUT, &format!("/api/v1/agent/blobs/{digest}"))
            .header(header::CONTENT_LENGTH, size)
            .body(body.boxed())
            .expect("a path of ours is a URI");
        self.send(request).await.map(drop)
    }

    /// What an instance or a task that is about to begin is to be given.
    pub async fn secrets(&self, holder: Holder) -> Result<Handover> {
        const MOST: usize = 16 << 20;
        let query = match holder {
            Holder::Instance(id) => format!("instance={id}"),
            Holder::Task(id) => format!("task={id}"),
        };
        let request = self.request(Method::POST, &format!("/api/v1/agent/secrets?{query}")).body(empty());
        let mut body = self.send(request.expect("a path of ours is a URI")).await?.into_body();
        let mut text = zeroize::Zeroizing::new(Vec::new());
        while let Some(frame) =
            tokio::time::timeout(STALL, body.frame()).await.map_err(|_| RequestError::Stalled)?.transpose()?
        {
            if let Some(data) = frame.data_ref() {
                text.extend_from_slice(data);
            }
            if text.len() > MOST {
                return Err(RequestError::File(io::ErrorKind::InvalidData.into()));
            }
        }
        Ok(serde_json::from_slice(&text).map_err(io::Error::from)?)
    }

    /// Appends to a task's log at `offset`. The server keeps what it has of an overlap.
    pub async fn append_log(&self, task: TaskId, offset: u64, bytes: Bytes) -> Result<()> {
        let request = self
            .request(Method::POST, &format!("/api/v1/agent/tasks/{task}/log?offset={offset}"))
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Full::new(bytes).map_err(|never| match never {}).boxed())
            .expect("a path of ours is a URI");
        self.send(request).await.map(drop)
    }
}

pub(super) fn empty() -> Body {
    http_body_util::Empty::new().map_err(|never| match never {}).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_scheme_host_and_port_alone() {
        let url = |s: &str| s.parse::<ServerUrl>();
        assert_eq!(url("http://127.0.0.1:7070").unwrap(), ServerUrl { host: "127.0.0.1".into(), port: 7070 });
        assert_eq!(url("http://tw.example.com/").unwrap().port, 80);
        assert_eq!(url("http://[::1]:7070").unwrap().host, "::1");
        for bad in ["", "127.0.0.1:7070", "ftp://x", "http://x/path", "http://x/?a=1", "https://x"] {
            assert!(url(bad).is_err(), "{bad} was accepted");
        }
    }
}
