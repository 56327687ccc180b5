//! TLS with clients: which certificate is shown to whom. Certificates are swapped at run time; connections that are open
//! keep what they were shown.

mod certificates;
mod folder;
mod served;
mod socket;

pub use certificates::Certificates;
pub use served::Served;

use arc_swap::ArcSwap;
use bytes::Bytes;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use socket::Socket;
use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// ALPN names, in the order the edge prefers them.
const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
/// RFC 8737: a certificate authority that checks whether this name is ours.
const CHALLENGE: &[u8] = b"acme-tls/1";

/// What was agreed upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    Http1,
    Http2,
    Challenge,
}

/// What all serving threads share.
pub struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    failed: AtomicU64,
}

impl Tls {
    /// # Errors
    /// When the system has no random numbers.
    pub fn new() -> Result<Self, rustls::Error> {
        let shown = Arc::new(Shown(ArcSwap::from_pointee(Served::default())));
        let mut config = tradewind_tls::server(shown.clone(), &[HTTP2, HTTP1, CHALLENGE]);
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        Ok(Self { acceptor: Arc::new(config).into(), shown, failed: AtomicU64::new(0) })
    }

    /// Handshakes from now on go by this.
    pub fn publish(&self, served: Served) {
        self.shown.0.store(Arc::new(served));
    }

    pub fn served(&self) -> Arc<Served> {
        self.shown.0.load_full()
    }

    /// What is answered at this path, if an authority may ask for it (RFC 8555, 8.3).
    pub fn challenge(&self, path: &str) -> Option<Bytes> {
        let token = path.strip_prefix("/.well-known/acme-challenge/")?;
        self.shown.0.load().answer(token)
    }

    /// Whether there is a certificate for this host, in lower case.
    pub fn covers(&self, host: &str) -> bool {
        self.shown.0.load().covers(host)
    }

    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<Socket>> {
        self.acceptor.accept(Socket(stream)).await
    }

    pub fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// Handshakes that came to nothing.
    pub fn failures(&self) -> u64 {
        self.failed.load(Relaxed)
    }
}

pub fn protocol(stream: &TlsStream<Socket>) -> Protocol {
    match stream.get_ref().1.alpn_protocol() {
        Some(HTTP2) => Protocol::Http2,
        Some(CHALLENGE) => Protocol::Challenge,
        Some(_) | None => Protocol::Http1,
    }
}

struct Shown(ArcSwap<Served>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let served = self.0.load();
        let host = hello.server_name().map(|n| n.strip_suffix('.').unwrap_or(n));
        let is_challenge = hello.alpn().is_some_and(|mut all| all.next() == Some(CHALLENGE) && all.next().is_none());
        if is_challenge { served.challenge(host?) } else { served.find(host, hello.signature_schemes()) }
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}
