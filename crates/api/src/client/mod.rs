//! The typed client of `/api/v1`.
//!
//! A server that restarts is bridged: a request that found nobody listening is tried again for [`Client::patience`],
//! and one whose answer was lost is too when a second one does no harm, which holds for every GET and, through its
//! `Idempotency-Key`, for every POST.

mod bulk;
mod calls;
mod error;
mod follow;
mod lines;
mod sse;
mod trust;

pub use error::ApiError;
pub use follow::Follow;
pub use lines::Lines;
pub use trust::{Shown, shown_by};

use crate::v1::Time;
use reqwest::{
    Method, Response, Url,
    header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, time::Duration};
use tradewind_model::{
    fault::{Lang, Problem},
    id::{EnvName, ServiceName, SiteName},
};

/// Which part of a list to fetch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Paging {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Items a page, at most 200; the server's choice when left out.
    pub limit: Option<u32>,
}

impl Paging {
    pub fn limit(n: u32) -> Self {
        Self { after: None, limit: Some(n) }
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let after = self.after.iter().map(|a| ("after", a.clone()));
        after.chain(self.limit.iter().map(|n| ("limit", n.to_string()))).collect()
    }
}

/// Whose lines, and how many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogQuery {
    pub env: EnvName,
    pub site: Option<SiteName>,
    /// Label or digest: only of this release, and then of instances that ended within a day too.
    pub release: Option<String>,
    /// Lines of each instance to begin with, at most 10,000.
    pub tail: u64,
    /// Go on with what comes.
    pub follow: bool,
}

impl LogQuery {
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query =
            vec![("env", self.env.to_string()), ("tail", self.tail.to_string()), ("follow", self.follow.to_string())];
        query.extend(self.site.as_ref().map(|s| ("site", s.to_string())));
        query.extend(self.release.clone().map(|r| ("release", r)));
        query
    }
}

/// Which events; everything where nothing is said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventQuery {
    pub service: Option<ServiceName>,
    pub env: Option<EnvName>,
    /// The name of a person, a part of the control plane or a host.
    pub actor: Option<String>,
    /// What they are about, as events name it: `host/shop-1`.
    pub subject: Option<String>,
    /// How the kind begins.
    pub kind: Option<String>,
    pub since: Option<Time>,
    /// That time itself left out.
    pub until: Option<Time>,
}

impl EventQuery {
    pub fn of(service: ServiceName) -> Self {
        Self { service: Some(service), ..Self::default() }
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let Self { service, env, actor, subject, kind, since, until } = self;
        let mut query = Vec::new();
        query.extend(service.as_ref().map(|s| ("service", s.to_string())));
        query.extend(env.as_ref().map(|e| ("env", e.to_string())));
        query.extend(actor.clone().map(|a| ("actor", a)));
        query.extend(subject.clone().map(|s| ("subject", s)));
        query.extend(kind.clone().map(|k| ("kind", k)));
        query.extend(since.map(|t| ("since", t.to_string())));
        query.extend(until.map(|t| ("until", t.to_string())));
        query
    }
}

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// With `/api/v1/` at its end.
    root: Url,
    token: Option<HeaderValue>,
    lang: Lang,
    patience: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("root", &self.root.as_str()).finish_non_exhaustive()
    }
}

/// How long a single answer may take to begin. Streams have a limit of their own.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

impl Client {
    /// A client of the server at `base` (`http://127.0.0.1:7070`; a path before `/api` is kept).
    ///
    /// # Errors
    /// [`ApiError::BadAddress`] for a base that is no `http` or `https` URL.
    pub fn new(base: &str) -> Result<Self, ApiError> {
        Self::open(base, None)
    }

    /// One that believes these certificates (PEM) too, for a server that no authority of this machine vouches for.
    ///
    /// # Errors
    /// Also [`ApiError::BadAuthorities`] when there is none in it, or one that cannot be read.
    pub fn believing(base: &str, pem: &[u8]) -> Result<Self, ApiError> {
        Self::open(base, Some(pem))
    }

    fn open(base: &str, authorities: Option<&[u8]>) -> Result<Self, ApiError> {
        let bad = |why: String| ApiError::BadAddress { address: base.to_owned(), why };
        let mut root = Url::parse(base.trim()).map_err(|e| bad(e.to_string()))?;
        if !matches!(root.scheme(), "http" | "https") {
            return Err(bad("expected https://HOST:PORT or http://HOST:PORT".into()));
        }
        root.path_segments_mut().map_err(|()| bad("no path".into()))?.pop_if_empty().extend(["api", "v1", ""]);
        let http = trust::http(&root, authorities)?;
        Ok(Self { http, root, token: None, lang: Lang::En, patience: Duration::from_secs(15) })
    }

    /// # Errors
    /// [`ApiError::BadToken`] for text that cannot be a token (line breaks, other scripts).
    pub fn with_token(mut self, token: &str) -> Result<Self, ApiError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim())).map_err(|_| ApiError::BadToken)?;
        value.set_sensitive(true);
        self.token = Some(value);
        Ok(self)
    }

    /// The language refusals come in.
    #[must_use]
    pub fn with_lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// How long to go on while nobody listens; zero fails at once. 15 seconds unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The server's address as given, without `/api/v1/`.
    pub fn base(&self) -> &str {
        self.root.as_str().trim_end_matches("/api/v1/")
    }

    /// An address under `/api/v1/`; the parts are escaped.
    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.root.clone();
        url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let lang = match self.lang {
            Lang::En => "en",
            Lang::Zh => "zh-CN",
        };
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(lang));
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        headers
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T, ApiError> {
        let url = self.url(path, query);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::GET, &url)).await?;
        json(url, answer).await
    }

    async fn post<B: Serialize + ?Sized, T: DeserializeOwned>(&self, path: &[&str], body: &B) -> Result<T, ApiError> {
        let url = self.url(path, &[]);
        let key = uuid::Uuid::now_v7().to_string();
        let send = || self.request(Method::POST, &url).header("idempotency-key", &key).json(body);
        let answer = self.attempt(&url, Repeat::Always, send).await?;
        json(url, answer).await
    }

    /// For what may be done twice without harm.
    async fn put<B: Serialize + ?Sized, T: DeserializeOwned>(&self, path: &[&str], body: &B) -> Result<T, ApiError> {
        let url = self.url(path, &[]);
        let answer = self.attempt(&url, Repeat::Always, || self.request(Method::PUT, &url).json(body)).await?;
        json(url, answer).await
    }

    fn request(&self, method: Method, url: &Url) -> reqwest::RequestBuilder {
        let builder = self.http.request(method, url.clone()).headers(self.headers());
        builder.header(ACCEPT, "application/json, application/problem+json").timeout(ANSWER_LIMIT)
    }

    /// Sends until there is an answer, patience ends, or trying again could do harm.
    async fn attempt(
        &self,
        url: &Url,
        repeat: Repeat,
        send: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<Response, ApiError> {
        let give_up = tokio::time::Instant::now() + self.patience;
        let mut pause = Duration::from_millis(50);
        loop {
            let error = match send().send().await {
                Ok(answer) => return refusal(url, answer).await,
                Err(e) => e,
            };
            if let Some(why) = trust::untrusted(&error) {
                return Err(ApiError::Untrusted { url: self.base().to_owned(), why });
            }
            let harmless = error.is_connect() || (repeat == Repeat::Always && !error.is_timeout());
            if !harmless || error.is_builder() || tokio::time::Instant::now() + pause >= give_up {
                return Err(ApiError::unreachable(url, error));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

/// When a request may be sent a second time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Only when it never reached a server.
    Unsent,
    /// Also when its answer was lost.
    Always,
}

/// Turns every answer but a success into what it says.
async fn refusal(url: &Url, answer: Response) -> Result<Response, ApiError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.bytes().await.map_err(|e| ApiError::unreachable(url, e))?;
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(ApiError::Refused { problem: Box::new(problem) }),
        Err(_) => Err(ApiError::NotOurs { url: url.to_string(), status: status.as_u16() }),
    }
}

async fn json<T: DeserializeOwned>(url: Url, answer: Response) -> Result<T, ApiError> {
    let body = answer.bytes().await.map_err(|e| ApiError::unreachable(&url, e))?;
    // A 204 stands for `()`.
    let body: &[u8] = if body.is_empty() { b"null" } else { &body };
    serde_json::from_slice(body).map_err(|source| ApiError::Garbled { url: url.to_string(), source })
}
