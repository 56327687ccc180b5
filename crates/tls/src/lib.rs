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

use rustls::{crypto::CryptoProvider, pki_types::CertificateDer};
use std::sync::{Arc, LazyLock};

/// What signs, encrypts and hashes for TLS in all of Tradewind.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    PROVIDER.clone()
}

/// A certificate as text (RFC 7468).
pub fn pem(certificate: &CertificateDer<'_>) -> String {
    let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", certificate.as_ref()), lines)
}
