//! Certificates with their keys, read from PEM or made here; whom to believe; and the one choice of cryptography: rustls
//! with ring.

mod authority;
mod certificate;
mod der;
mod made;
mod name;
mod roots;

pub use authority::Authority;
pub use certificate::{Certificate, CertificateError};
pub use made::{MadeError, Request, challenge, request, self_signed};
pub use name::{Name, Names};
pub use roots::machine_roots;

use rustls::{
    ClientConfig, ConfigBuilder, ServerConfig, SupportedProtocolVersion, WantsVerifier,
    crypto::CryptoProvider,
    pki_types::CertificateDer,
    server::ResolvesServerCert,
    version::{TLS12, TLS13},
};
use std::sync::{Arc, LazyLock};

static VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// What signs, encrypts and hashes for TLS in all of Tradewind.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    PROVIDER.clone()
}

/// TLS 1.2 and 1.3, as a client; whom it believes comes next.
pub fn client() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let versions = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&VERSIONS);
    versions.expect("the provider has suites for both")
}

/// TLS 1.2 and 1.3, for clients without certificates, with what `shown` chooses; protocols in the order they are preferred.
pub fn server(shown: Arc<dyn ResolvesServerCert>, protocols: &[&[u8]]) -> ServerConfig {
    let versions = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&VERSIONS);
    let versions = versions.expect("the provider has suites for both");
    let mut config = versions.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
    config
}

/// A certificate as text (RFC 7468).
pub fn pem(certificate: &CertificateDer<'_>) -> String {
    let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", certificate.as_ref()), lines)
}
