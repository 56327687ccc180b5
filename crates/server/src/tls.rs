//! The API over TLS: with the certificate that somebody gave, or with one that an authority of the server's own issued.

use crate::config::{AUTHORITY, ListenTls};
use arc_swap::ArcSwap;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use tradewind_model::{id::Digest, time::Timestamp};
use tradewind_store::Store;
use tradewind_tls::{Authority, Certificate, CertificateError, MadeError};

/// The one name an authority made here bears; which one it is, its key says.
const NAME: &str = "Tradewind API";
/// Of a certificate that is issued here.
const LIFE: Duration = Duration::from_secs(30 * 86_400);
/// Left of a certificate's time when another is issued, or when its end is warned of.
const EARLY: Duration = Duration::from_secs(10 * 86_400);
/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(10);
const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the certificate in {} cannot be used", path.display())]
    Certificate { path: PathBuf, source: CertificateError },
    #[error("no certificate can be issued")]
    Made(#[from] MadeError),
}

/// What client and server agreed to speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Agreed {
    Http1,
    Http2,
}

pub struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    source: Source,
}

enum Source {
    Files(PathBuf, PathBuf),
    Own { authority: Box<Authority>, names: Vec<String> },
}

impl Tls {
    /// # Errors
    /// When the files hold no certificate to use, or an authority cannot be read or made.
    pub fn open(config: &ListenTls, data: &Path, keys: &Path, now: Timestamp) -> Result<Self, TlsError> {
        let source = match &config.files {
            Some((chain, key)) => Source::Files(chain.clone(), key.clone()),
            None => Source::Own { authority: Box::new(authority(data, keys, now)?), names: names(&config.names) },
        };
        let shown = Arc::new(Shown(ArcSwap::from_pointee(source.certificate(now)?)));
        let tls = tradewind_tls::server(shown.clone(), &[HTTP2, HTTP1]);
        Ok(Self { acceptor: Arc::new(tls).into(), shown, source })
    }

    /// # Errors
    /// When the client breaks off, or speaks something else.
    pub async fn accept(&self, socket: TcpStream) -> io::Result<(TlsStream<TcpStream>, Agreed)> {
        let stream = self.acceptor.accept(socket).await?;
        let agreed = match stream.get_ref().1.alpn_protocol() {
            Some(HTTP2) => Agreed::Http2,
            Some(_) | None => Agreed::Http1,
        };
        Ok((stream, agreed))
    }

    /// Shows what is in the files, or a new certificate in good time, until `stop`. Connections that are open keep theirs.
    pub async fn renewed(self: Arc<Self>, store: Store, stop: CancellationToken) {
        let mut told = None;
        while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let now = store.now();
            let shown = self.shown.0.load_full();
            let ending = shown.not_after <= now.plus(EARLY);
            let made_here = matches!(self.source, Source::Own { .. });
            if !made_here || ending {
                match self.source.certificate(now) {
                    Ok(new) if new.fingerprint != shown.fingerprint => {
                        tracing::info!(fingerprint = %new.fingerprint, "the API shows another certificate");
                        self.shown.0.store(Arc::new(new));
                        told = None;
                        continue;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        if news(&mut told, error.to_string()) {
                            let error: &dyn std::error::Error = &error;
                            tracing::warn!(error, "the API's certificate stays what it was");
                        }
                    }
                }
            }
            let ends = shown.not_after.to_minute();
            if ending && !made_here && news(&mut told, ends.clone()) {
                tracing::warn!(ends, "the API's certificate is to be renewed");
            }
        }
    }
}

/// What lasts is not said every ten seconds.
fn news(told: &mut Option<String>, what: String) -> bool {
    let new = told.as_ref() != Some(&what);
    *told = Some(what);
    new
}

impl Source {
    fn certificate(&self, now: Timestamp) -> Result<Certificate, TlsError> {
        match self {
            Self::Files(chain, key) => {
                let (bytes, key) = (read(chain)?, read(key)?);
                Certificate::from_pem(&bytes, &key)
                    .map_err(|source| TlsError::Certificate { path: chain.clone(), source })
            }
            Self::Own { authority, names } => Ok(authority.issue(names, now, LIFE)?),
        }
    }
}

/// The one in the folder, made where there is none: its key with the other keys, its certificate where clients can have it.
fn authority(data: &Path, keys: &Path, now: Timestamp) -> Result<Authority, TlsError> {
    let (chain, key) = (data.join(AUTHORITY), keys.join("api-authority.key"));
    if key.exists() {
        let text = |path: &Path| Ok::<_, TlsError>(String::from_utf8_lossy(&read(path)?).into_owned());
        return Ok(Authority::read(NAME, &text(&chain)?, &text(&key)?)?);
    }
    let (made, text) = Authority::make(NAME, now)?;
    // The key last: while it is not there, there is none.
    write(&chain, made.chain(), 0o644)?;
    write(&key, &text, 0o600)?;
    tracing::info!(fingerprint = %made.fingerprint(), "an authority for the API was made");
    Ok(made)
}

/// What people compare: SHA-256 of the authority that clients may believe. None where there is no such file.
pub fn authority_fingerprint(data: &Path) -> Option<Digest> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    CertificateDer::from_pem_file(data.join(AUTHORITY)).ok().map(|der| Digest::of(&der))
}

fn names(given: &[String]) -> Vec<String> {
    let mut names: Vec<String> = given.to_vec();
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let fresh = path.with_extension("new");
    let done = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(&fresh)?;
        // Whatever the process's mask is.
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    done().map_err(|source| TlsError::Write { path: path.to_owned(), source })
}

struct Shown(ArcSwap<Certificate>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load().certified.clone())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}
