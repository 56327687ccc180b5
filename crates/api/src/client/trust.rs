//! Whom a client believes over https: the authorities of its machine, and what somebody gave it.

use super::ApiError;
use reqwest::Url;
use rustls::{
    CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use std::{error::Error, io, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tradewind_model::id::Digest;

const SHOW: Duration = Duration::from_secs(10);

/// The machine's authorities and those in `pem`.
///
/// # Errors
/// [`ApiError::BadAuthorities`] when there is none in it, or one that cannot be read.
fn with_those_of(pem: &[u8]) -> Result<RootCertStore, ApiError> {
    let mut roots = tradewind_tls::machine_roots();
    let bad = |why: String| ApiError::BadAuthorities { why };
    let mut any = false;
    for found in CertificateDer::pem_slice_iter(pem) {
        roots.add(found.map_err(|e| bad(e.to_string()))?).map_err(|e| bad(e.to_string()))?;
        any = true;
    }
    if any { Ok(roots) } else { Err(bad("there is no certificate in it".into())) }
}

pub(super) fn http(root: &Url, authorities: Option<&[u8]>) -> Result<reqwest::Client, ApiError> {
    // Reading a machine's authorities takes a while; over http nobody is asked for a certificate.
    let roots = match authorities {
        Some(pem) => with_those_of(pem)?,
        None if root.scheme() == "https" => tradewind_tls::machine_roots(),
        None => RootCertStore::empty(),
    };
    let tls = tradewind_tls::client().with_root_certificates(roots).with_no_client_auth();
    let built = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(Duration::from_secs(5))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tradewind/", env!("CARGO_PKG_VERSION")))
        .build();
    built.map_err(|e| ApiError::BadAddress { address: root.to_string(), why: e.to_string() })
}

/// Why a server's certificate was not believed, where that is why a request failed.
pub(super) fn untrusted(error: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref::<rustls::Error>() {
            return Some(match why {
                CertificateError::UnknownIssuer => "no authority known here vouches for it".to_owned(),
                other => other.to_string(),
            });
        }
        // An I/O error's source is that of what it holds, not what it holds.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

/// A certificate that a server showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    pub pem: String,
    /// SHA-256 over the certificate, DER.
    pub fingerprint: Digest,
}

/// The chain a server shows, its own certificate first. Nothing is believed and nothing is sent: it is for a person to compare.
///
/// # Errors
/// [`ApiError::BadAddress`] for what is no https address, [`ApiError::NothingShown`] where no chain was shown.
pub async fn shown_by(base: &str) -> Result<Vec<Shown>, ApiError> {
    let bad = |why: &str| ApiError::BadAddress { address: base.to_owned(), why: why.to_owned() };
    let url = Url::parse(base.trim()).map_err(|e| bad(&e.to_string()))?;
    let (Some(host), "https") = (url.host_str(), url.scheme()) else { return Err(bad("expected https://HOST:PORT")) };
    let host = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone()).map_err(|e| bad(&e.to_string()))?;
    let look = async {
        let socket = TcpStream::connect((host.as_str(), url.port_or_known_default().unwrap_or(443))).await?;
        let algorithms = tradewind_tls::provider().signature_verification_algorithms;
        let tls = tradewind_tls::client().dangerous().with_custom_certificate_verifier(Arc::new(Look { algorithms }));
        let stream = TlsConnector::from(Arc::new(tls.with_no_client_auth())).connect(name, socket).await?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        Ok::<_, io::Error>(chain.iter().map(shown).collect())
    };
    let looked = tokio::time::timeout(SHOW, look).await;
    let looked = looked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    looked.map_err(|source| ApiError::NothingShown { url: base.to_owned(), source })
}

fn shown(certificate: &CertificateDer<'_>) -> Shown {
    Shown { pem: tradewind_tls::pem(certificate), fingerprint: Digest::of(certificate) }
}

/// Takes any chain, if only its key is really there.
#[derive(Debug)]
struct Look {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Look {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
