//! One request at a time, each on a connection of its own: they are few, and none of them is in anybody's way.

use crate::{
    error::OutboundError,
    guard::Guard,
    resolve::{Resolve, System},
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, COOKIE, HOST, LOCATION, USER_AGENT},
};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// Of one connection attempt to one address.
const CONNECT: Duration = Duration::from_secs(5);
const REDIRECTS: usize = 3;
/// Of an answer's body: it says whether something was taken, and why not.
const BODY: usize = 1 << 20;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    /// Those marked sensitive, like `Authorization`, do not follow a redirect to another origin.
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// # Errors
    /// [`OutboundError::Address`] for what is no address of http or https, or has a user in it.
    pub fn new(method: Method, url: &str) -> Result<Self, OutboundError> {
        let bad = |why: String| OutboundError::Address { url: url.chars().take(200).collect(), why };
        let url = Url::parse(url).map_err(|e| bad(e.to_string()))?;
        check(&url)?;
        Ok(Self { method, url, headers: HeaderMap::new(), body: Bytes::new() })
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

fn check(url: &Url) -> Result<(), OutboundError> {
    let bad = |why: &str| {
        let mut shown = url.clone();
        let _ = shown.set_password(None);
        Err(OutboundError::Address { url: shown.to_string(), why: why.to_owned() })
    };
    match url.scheme() {
        "http" | "https" if url.host().is_none() => bad("it names no host"),
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => bad("it has a user in it"),
        "http" | "https" => Ok(()),
        _ => bad("it is neither http nor https"),
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Clones share everything.
#[derive(Clone)]
pub struct Outbound {
    guard: Arc<Guard>,
    resolver: Arc<dyn Resolve>,
    tls: Arc<ClientConfig>,
    /// For one request with all its redirects.
    limit: Duration,
    redirects: usize,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("guard", &self.guard).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Outbound {
    /// Reads the machine's authorities once.
    pub fn new(guard: Guard) -> Self {
        Self::with(guard, Arc::new(System), tradewind_tls::machine_roots())
    }

    /// With other names and authorities than the machine's.
    pub fn with(guard: Guard, resolver: Arc<dyn Resolve>, roots: RootCertStore) -> Self {
        let mut tls = tradewind_tls::client().with_root_certificates(roots).with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            guard: Arc::new(guard),
            resolver,
            tls: Arc::new(tls),
            limit: Duration::from_secs(20),
            redirects: REDIRECTS,
        }
    }

    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// One that sends on is an error: for what has secrets in its body.
    #[must_use]
    pub fn without_redirects(mut self) -> Self {
        self.redirects = 0;
        self
    }

    /// Where a name leads now, each address looked at: for a program that makes the connection itself and is told to make it there.
    /// `only_named`: none that is merely public will do, it has to be in a network that was allowed.
    ///
    /// # Errors
    /// As [`Self::send`], where nothing could be sent.
    pub async fn resolve(&self, url: &str, only_named: bool) -> Result<Vec<IpAddr>, OutboundError> {
        let request = Request::new(Method::GET, url)?;
        let addresses = self.addresses(&request.url).await?;
        let host = shown(&request.url);
        if let Some(address) = addresses.iter().find(|a| only_named && !self.guard.names(**a)) {
            return Err(OutboundError::Open { host, address: *address });
        }
        if addresses.is_empty() {
            return Err(OutboundError::Unresolved { host, source: None });
        }
        Ok(addresses.into_iter().map(|a| a.to_canonical()).collect())
    }

    /// What came back, whatever its status. A redirect is followed where that asks for the same thing again: always for
    /// 307 and 308, of the others only for GET and HEAD.
    ///
    /// # Errors
    /// Where nothing was sent, or no whole answer came back.
    pub async fn send(&self, request: Request) -> Result<Reply, OutboundError> {
        let host = shown(&request.url);
        let done = tokio::time::timeout(self.limit, self.follow(request)).await;
        done.unwrap_or(Err(OutboundError::Late { host, seconds: self.limit.as_secs() }))
    }

    async fn follow(&self, mut request: Request) -> Result<Reply, OutboundError> {
        for _ in 0..=self.redirects {
            check(&request.url)?;
            let reply = self.once(&request).await?;
            let Some(to) = onward(&request, &reply)? else { return Ok(reply) };
            if to.origin() != request.url.origin() {
                let secret = |name: &HeaderName, value: &HeaderValue| {
                    value.is_sensitive() || *name == AUTHORIZATION || *name == COOKIE
                };
                let secrets: Vec<HeaderName> =
                    request.headers.iter().filter(|(n, v)| secret(n, v)).map(|(n, _)| n.clone()).collect();
                for name in secrets {
                    request.headers.remove(name);
                }
            }
            request.url = to;
        }
        Err(OutboundError::Redirects { host: shown(&request.url), limit: self.redirects })
    }

    async fn once(&self, request: &Request) -> Result<Reply, OutboundError> {
        let host = shown(&request.url);
        let stream = self.connect(&request.url).await?;
        if request.url.scheme() == "http" {
            return exchange(request, host, stream).await;
        }
        let name = match request.url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
            Some(Host::Ipv4(a)) => Some(ServerName::from(IpAddr::V4(a))),
            Some(Host::Ipv6(a)) => Some(ServerName::from(IpAddr::V6(a))),
            None => None,
        };
        let no_name =
            || OutboundError::Address { url: request.url.to_string(), why: "no certificate can be for it".into() };
        let secured = TlsConnector::from(self.tls.clone()).connect(name.ok_or_else(no_name)?, stream).await;
        let stream = secured.map_err(|e| OutboundError::Exchange { host: host.clone(), source: e.into() })?;
        exchange(request, host, stream).await
    }

    /// Every address of the host, none of which is one not to be connected to.
    async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, OutboundError> {
        let host = shown(url);
        let addresses = match url.host() {
            Some(Host::Ipv4(a)) => vec![IpAddr::V4(a)],
            Some(Host::Ipv6(a)) => vec![IpAddr::V6(a)],
            Some(Host::Domain(name)) => self
                .resolver
                .addresses(name)
                .await
                .map_err(|e| OutboundError::Unresolved { host: host.clone(), source: Some(e) })?,
            None => Vec::new(),
        };
        // One that leads inside spoils the name: whoever answers for it chose to.
        for address in &addresses {
            let refused = |why| OutboundError::Refused { host: host.clone(), address: *address, why };
            self.guard.check(*address).map_err(refused)?;
        }
        Ok(addresses)
    }

    /// To an address that was looked at, and to no other.
    async fn connect(&self, url: &Url) -> Result<TcpStream, OutboundError> {
        let host = shown(url);
        let addresses = self.addresses(url).await?;
        let port = url.port_or_known_default().unwrap_or(443);
        let mut last = None;
        for address in addresses {
            let connecting = TcpStream::connect(SocketAddr::new(address.to_canonical(), port));
            match tokio::time::timeout(CONNECT, connecting).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(e)) => last = Some(e),
                Err(_) => last = Some(io::ErrorKind::TimedOut.into()),
            }
        }
        Err(match last {
            Some(source) => OutboundError::Connect { host, source },
            None => OutboundError::Unresolved { host, source: None },
        })
    }
}

async fn exchange<S>(request: &Request, host: String, stream: S) -> Result<Reply, OutboundError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |e: hyper::Error| OutboundError::Exchange { host: host.clone(), source: e.into() };
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(64 << 10)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let driver = tokio::spawn(connection);
    let path = match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    };
    let mut sent = http::Request::new(Full::new(request.body.clone()));
    *sent.method_mut() = request.method.clone();
    let bad = |why: String| OutboundError::Address { url: request.url.to_string(), why };
    *sent.uri_mut() = path.parse().map_err(|e: http::uri::InvalidUri| bad(e.to_string()))?;
    *sent.headers_mut() = request.headers.clone();
    let authority = HeaderValue::from_str(&authority(&request.url)).map_err(|e| bad(e.to_string()))?;
    sent.headers_mut().insert(HOST, authority);
    sent.headers_mut()
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("tradewind/", env!("CARGO_PKG_VERSION"))));
    let answer = sender.send_request(sent).await.map_err(broke)?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, BODY).collect().await.map_err(|e| match e.downcast::<LengthLimitError>() {
        Ok(_) => OutboundError::TooLarge { host: host.clone(), limit: BODY },
        Err(source) => OutboundError::Exchange { host: host.clone(), source },
    })?;
    driver.abort();
    Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() })
}

/// Where the reply sends on to, if it does and may.
fn onward(request: &Request, reply: &Reply) -> Result<Option<Url>, OutboundError> {
    let repeats = matches!(request.method, Method::GET | Method::HEAD);
    let follows = match reply.status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => repeats,
        _ => false,
    };
    let Some(to) = reply.headers.get(LOCATION).filter(|_| follows) else { return Ok(None) };
    let bad = |why: String| OutboundError::Address { url: String::from_utf8_lossy(to.as_bytes()).into_owned(), why };
    let text = to.to_str().map_err(|e| bad(e.to_string()))?;
    let to = request.url.join(text).map_err(|e| bad(e.to_string()))?;
    if request.url.scheme() == "https" && to.scheme() == "http" {
        return Err(OutboundError::Downgrade { host: shown(&request.url), to: shown(&to) });
    }
    Ok(Some(to))
}

fn authority(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}

/// For people: never with what may be secret in its path.
fn shown(url: &Url) -> String {
    authority(url)
}
