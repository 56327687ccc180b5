//! One client's connection: HTTP/1.1, kept alive, opened again where the other side said it would close.

use super::ledger::Ledger;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    client::conn::http1,
    header::{COOKIE, HeaderValue, SET_COOKIE},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// Far beyond any answer; nobody waits for ever.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whom to ask, and how the answers name their release.
#[derive(Clone, Debug)]
pub struct Site {
    pub edge: SocketAddr,
    pub host: String,
    /// The header of every answer that names the release.
    pub names: &'static str,
}

pub struct Line {
    site: Site,
    ledger: Arc<Ledger>,
    open: Option<http1::SendRequest<Full<Bytes>>>,
    /// `name=value` of the last cookie that was set: one line is one client.
    cookie: Option<HeaderValue>,
}

/// An answer that came whole.
pub struct Answer {
    pub release: Option<String>,
    pub status: StatusCode,
    pub body: Value,
    took: Duration,
}

impl Line {
    pub fn new(site: Site, ledger: Arc<Ledger>) -> Self {
        Self { site, ledger, open: None, cookie: None }
    }

    /// Asks, and takes only an answer with this status that `right` finds right. Everything else is written down as
    /// lost and gives `None`.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: StatusCode,
        right: impl FnOnce(&Value) -> Result<(), String>,
    ) -> Option<Value> {
        let request = format!("{method} {path}");
        let answer = match tokio::time::timeout(PATIENCE, self.exchange(method, path, body)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(how)) => return self.lose(None, request, how),
            Err(_) => return self.lose(None, request, format!("no answer within {} s", PATIENCE.as_secs())),
        };
        let release = answer.release.as_deref();
        if answer.status != status {
            return self.lose(release, request, format!("answered {}: {}", answer.status.as_u16(), answer.body));
        }
        let Some(named) = release else {
            return self.lose(None, request, "the answer names no release".into());
        };
        match right(&answer.body) {
            Ok(()) => {
                self.ledger.answered(named, answer.took);
                Some(answer.body)
            }
            Err(wrong) => self.lose(release, request, format!("{wrong}: {}", answer.body)),
        }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn lose<T>(&mut self, release: Option<&str>, request: String, how: String) -> Option<T> {
        self.open = None;
        self.ledger.lost(release, request, how);
        None
    }

    async fn exchange(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<Answer, String> {
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.site.host)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| e.to_string())?;
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, cookie.clone());
        }
        let began = Instant::now();
        let sender = self.ready().await?;
        let response = sender.send_request(request).await.map_err(|e| chain(&e))?;
        let status = response.status();
        let set = response.headers().get(SET_COOKIE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next());
        let cookie = set.and_then(|pair| HeaderValue::from_str(pair).ok());
        let release = response.headers().get(self.site.names).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let bytes =
            response.into_body().collect().await.map_err(|e| format!("in the answer: {}", chain(&e)))?.to_bytes();
        let took = began.elapsed();
        self.cookie = cookie.or_else(|| self.cookie.take());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text.chars().take(200).collect()));
        Ok(Answer { release, status, body, took })
    }

    /// The open connection, or a new one. A connection that closed between two answers is no loss: nothing was on it.
    async fn ready(&mut self) -> Result<&mut http1::SendRequest<Full<Bytes>>, String> {
        if let Some(open) = &mut self.open
            && open.ready().await.is_err()
        {
            self.open = None;
        }
        if self.open.is_none() {
            let stream = TcpStream::connect(self.site.edge).await.map_err(|e| format!("no connection: {e}"))?;
            stream.set_nodelay(true).map_err(|e| e.to_string())?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| chain(&e))?;
            tokio::spawn(async move {
                // What goes wrong here is reported to the request that was on it.
                let _ = connection.await;
            });
            self.open = Some(sender);
        }
        self.open.as_mut().ok_or_else(|| "no connection".into())
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
